"""What a user may rely on when clips are assigned to the subsets."""

import collections
import hashlib
import itertools

import pytest
from helpers import assert_one_line, refuse, touch

from common.errors import InputError
from genre_features.clips import SUBSETS, Clip, find_clips
from genre_features.genres import ORIGINAL_GENRES
from genre_features.splits import check_subsets, read_filtered_split, split_clips


def split_files(folder, *files, split="index", genres=("jazz", "pop")):
    """Return {file: subset} of files made in each genre's folder, {} of them the genre."""
    touch(folder, *(f"{genre}/{file.format(genre)}" for genre in genres for file in files))
    by_subset, _ = split_clips(find_clips(folder)[0], split)
    return {clip.file: subset for subset, clips in by_subset.items() for clip in clips}


def test_index_split_goes_by_track_number(tmp_path):
    numbers = (0, 9, 10, 29, 30, 99)
    subsets = split_files(tmp_path, *(f"{{}}.{number:05d}.wav" for number in numbers))
    expected = ["test", "test", "validation", "validation", "train", "train"]
    assert [subsets[f"pop/pop.{number:05d}.wav"] for number in numbers] == expected


def test_ordinary_files_are_split_70_20_10_in_the_order_of_their_hashes(tmp_path):
    subsets = split_files(tmp_path, *(f"song {n}.mp3" for n in range(20)), genres=("Ñandú", "b c"))
    for genre in ("Ñandú", "b c"):
        files = [file for file in subsets if file.startswith(genre)]
        files.sort(key=lambda file: hashlib.sha256(f"0/{file}".encode()).digest())
        expected = ["test"] * 2 + ["validation"] * 4 + ["train"] * 14
        assert [subsets[file] for file in files] == expected


PIECES = ["{{}}.{song:05d}_part{part}", "{{}}.{song:05d}.{part}", "S {song}_part{part}"]
PIECES += ["S {song} - segment {part} of 9", "S {song}.{part:05d}", "S {song}/chunk_{part}"]


@pytest.mark.parametrize("piece", [f"{name}.wav" for name in PIECES])
def test_pieces_of_a_song_stay_in_one_subset(tmp_path, capsys, piece):
    files = {piece.format(song=song, part=part): song for song in range(9) for part in range(5)}
    subsets = split_files(tmp_path, *files)
    assert set(subsets.values()) == set(SUBSETS)
    for song in range(9):
        own = [file for file in files if files[file] == song]
        for genre in ("jazz", "pop"):
            assert len({subsets[f"{genre}/{file.format(genre)}"] for file in own}) == 1
    assert "90 files are pieces of 18 songs" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["song {}", "track.{:05d}", "{:02d}. Title", "clip_{}", "part {}"])
def test_numbered_songs_are_not_taken_for_pieces(tmp_path, capsys, name):
    split_files(tmp_path, *(f"{name.format(n)}.wav" for n in range(9)))
    assert not capsys.readouterr().err


@pytest.mark.parametrize("n_pieces", [130, 1000])
def test_pieces_numbered_through_past_gtzans_tracks_stay_with_their_neighbours(tmp_path, n_pieces):
    files = [f"{{}}.{n:05d}.wav" for n in range(n_pieces)]
    subsets = split_files(tmp_path, *files)
    for genre in ("jazz", "pop"):
        row = [subsets[f"{genre}/{file.format(genre)}"] for file in files]
        assert all(len(set(row[n : n + 10])) == 1 for n in range(0, n_pieces, 10))
        assert sum(one != other for one, other in itertools.pairwise(row)) == 2
        assert row.count("train") == pytest.approx(0.7 * n_pieces, abs=10)
    with pytest.raises(InputError, match="100 tracks of a genre"):
        split_files(tmp_path, split="filtered")


def test_folders_of_subsets_are_kept_and_songs_in_two_of_them_are_named(tmp_path, capsys):
    files = ["train/{}/a_part1.wav", "val/{}/a_part2.wav", "test/{}/b.wav", "train/{}/b.wav"]
    touch(tmp_path, *(file.format(genre) for file in files for genre in ("jazz", "pop")))
    by_subset, split = split_clips(find_clips(tmp_path)[0])
    assert split == "given"
    assert [clip.file for clip in by_subset["test"]] == ["test/jazz/b.wav", "test/pop/b.wav"]
    warning = capsys.readouterr().err.splitlines()[-1]
    assert "2 songs are in two subsets" in warning
    assert "train/jazz/a_part1.wav and val/jazz/a_part2.wav" in warning


def test_groups_are_in_one_subset_each_and_too_few_are_refused():
    clips = [Clip(g, f"{g}/{n:02}.wav", group=f"{g}{n // 3}") for g in "ab" for n in range(60)]
    by_subset, split = split_clips(clips)
    assert "groups" in split
    assert sum(len({clip.group for clip in by_subset[subset]}) for subset in SUBSETS) == 40
    for genre in "ab":
        n_clips = [sum(clip.genre == genre for clip in by_subset[subset]) for subset in SUBSETS]
        assert n_clips == pytest.approx([42, 12, 6], abs=6)
    assert split_clips(clips) == (by_subset, split)
    with pytest.raises(InputError, match="1 groups are too few"):
        split_clips([clip._replace(group="one") for clip in clips])
    with pytest.raises(InputError, match="no genre has enough clips"):
        split_clips([clip._replace(genre=clip.file) for clip in clips])


def test_filtered_split_leaves_faulty_tracks_out_whatever_the_folders_are_called(tmp_path):
    files = [f"hiphop.{number:05d}.au.wav" for number in range(100)]
    touch(tmp_path, *(f"Hip-Hop/{file}" for file in files), "jazz/song.wav")
    by_subset, _ = split_clips(find_clips(tmp_path)[0], "filtered")
    found = {("hiphop", c.number): subset for subset, clips in by_subset.items() for c in clips}
    assert found == {key: s for key, s in read_filtered_split().items() if key[0] == "hiphop"}


def test_filtered_split_is_refused_where_it_lists_none_of_the_clips(corpus, tmp_path):
    stderr = refuse(corpus, tmp_path / "output", "--split", "filtered")
    assert_one_line(stderr, "--split filtered", "leave it out")


def test_filtered_split_has_the_counts_of_its_authors():
    counts = collections.Counter(read_filtered_split().values())
    assert counts == {"train": 443, "validation": 197, "test": 290}
    assert {genre for genre, _ in read_filtered_split()} == set(ORIGINAL_GENRES[10])


def test_stray_file_without_a_number_is_named(corpus, tmp_path):
    touch(tmp_path, *(path.relative_to(corpus) for path in corpus.rglob("*.wav")))
    touch(tmp_path, "hum/hum.00030 (1).wav")
    assert_one_line(refuse(tmp_path, tmp_path / "out"), "hum.00030 (1).wav", "<genre>.")


def test_too_few_songs_and_an_empty_validation_subset_are_refused_but_no_empty_test_subset():
    clips = [Clip(genre, f"{genre}/{n}.wav") for genre in ("a", "b") for n in range(3)]
    check_subsets(split_clips(clips)[0], ["a", "b"])
    for few, words in ((clips[:5], "left of b: have 3 songs"), (clips[:2], "have 3 songs")):
        with pytest.raises(InputError, match=words):
            check_subsets(split_clips(few)[0], ["a", "b"])
    clips = [Clip("a", f"{subset}/a/1.wav", subset) for subset in SUBSETS]
    check_subsets(split_clips(clips[:2])[0], ["a"])
    with pytest.raises(InputError, match="validation subset"):
        check_subsets(split_clips([clips[0], clips[2]])[0], ["a"])
