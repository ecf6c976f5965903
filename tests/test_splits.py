"""What a user may rely on when clips are assigned to the subsets."""

import collections
import hashlib
import itertools

import numpy as np
import pytest
from helpers import assert_one_line, refuse, touch

from common.errors import InputError
from genre_features.clips import SUBSETS, Clip, find_clips
from genre_features.genres import ORIGINAL_GENRES
from genre_features.splits import check_subsets, read_filtered_split, split_clips


def subsets_by_file(clips, split="index"):
    """Return the subset of each file of some clips."""
    by_subset, _ = split_clips(clips, split)
    return {clip.file: subset for subset in SUBSETS for clip in by_subset[subset]}


def split_files(folder, *files, split="index", genres=("jazz", "pop")):
    """Return {file: subset} of files made in each genre's folder, {} of them the genre."""
    touch(folder, *(f"{genre}/{file.format(genre)}" for genre in genres for file in files))
    return subsets_by_file(find_clips(folder)[0], split)


def test_ordinary_files_are_split_70_20_10_in_the_order_of_their_hashes(tmp_path):
    subsets = split_files(tmp_path, *(f"song {n}.mp3" for n in range(20)), genres=("Ñandú", "b c"))
    for genre in ("Ñandú", "b c"):
        files = [file for file in subsets if file.startswith(genre)]
        files.sort(key=lambda file: hashlib.sha256(f"0/{file}".encode()).digest())
        expected = ["test"] * 2 + ["validation"] * 4 + ["train"] * 14
        assert [subsets[file] for file in files] == expected


PIECES = ["{{}}.{song:05d}_part{part}", "{{}}.{song:05d}.{part}", "S {song}_part{part}"]
PIECES += ["S {song} - segment {part} of 9", "S {song}.{part:05d}", "S {song}/chunk_{part}"]


@pytest.mark.parametrize("piece", PIECES)
def test_pieces_of_a_song_stay_in_one_subset(tmp_path, capsys, piece):
    numbers = itertools.product(range(9), range(5))
    songs = {piece.format(song=song, part=part) + ".wav": song for song, part in numbers}
    subsets = split_files(tmp_path, *songs)
    assert set(subsets.values()) == set(SUBSETS)
    for genre in ("jazz", "pop"):
        pairs = {(song, subsets[f"{genre}/{file.format(genre)}"]) for file, song in songs.items()}
        assert len(pairs) == 9
    assert "90 files are pieces of 18 songs" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["song {}", "track.{:05d}", "{:02d}. Title", "clip_{}", "part {}"])
def test_numbered_songs_are_not_taken_for_pieces(tmp_path, capsys, name):
    split_files(tmp_path, *(f"{name.format(n)}.wav" for n in range(9)))
    assert not capsys.readouterr().err


def test_index_split_goes_by_track_number_even_of_tracks_cut_into_ten_pieces(tmp_path):
    expected = ["test"] * 10 + ["validation"] * 20 + ["train"] * 70
    whole = split_files(tmp_path, *(f"{{}}.{n:05d}.wav" for n in range(100)))
    assert [whole[f"pop/pop.{n:05d}.wav"] for n in range(100)] == expected
    pieces = split_files(tmp_path, *(f"{{}}.{n:05d}.wav" for n in range(1000)))
    assert [pieces[f"pop/pop.{n:05d}.wav"] for n in range(1000)] == list(np.repeat(expected, 10))
    # A file without a number is left out, and the others stay pieces.
    listed = split_files(tmp_path, "{}_live.wav", split="filtered")
    assert listed["jazz/jazz.00019.wav"] == "train"
    assert listed["jazz/jazz.00020.wav"] == "validation"


def test_folders_of_subsets_are_kept_and_songs_in_two_of_them_are_named(tmp_path, capsys):
    files = ["train/{}/a_part1.wav", "val/{}/a_part2.wav", "test/{}/b.wav", "train/{}/b.wav"]
    touch(tmp_path, *(file.format(genre) for file in files for genre in ("jazz", "pop")))
    subsets = subsets_by_file(find_clips(tmp_path)[0])
    assert subsets["test/pop/b.wav"] == "test"
    assert subsets["val/pop/a_part2.wav"] == "validation"
    warning = capsys.readouterr().err.splitlines()[-1]
    assert "2 songs or groups are in two subsets" in warning
    assert "train/jazz/a_part1.wav and val/jazz/a_part2.wav" in warning


def test_groups_are_in_one_subset_each_even_with_clips_of_two_genres():
    clips = [Clip(g, f"{g}/{n:02}.wav", group=f"{g}{n // 3}") for g in "ab" for n in range(60)]
    clips.append(Clip("b", "b/60.wav", group="a0"))
    by_subset, split = split_clips(clips)
    assert "groups" in split
    assert sum(len({clip.group for clip in by_subset[subset]}) for subset in SUBSETS) == 40
    for genre in "ab":
        n_clips = [sum(clip.genre == genre for clip in by_subset[subset]) for subset in SUBSETS]
        assert n_clips == pytest.approx([42, 12, 6], abs=1)
    assert split_clips(clips) == (by_subset, split)


def test_subsets_of_a_table_are_kept_beside_groups_and_groups_in_two_are_counted(capsys):
    clips = [Clip("a", f"{n}.wav", SUBSETS[n % 3], f"artist {n // 2}") for n in range(6)]
    by_subset, split = split_clips(clips)
    assert split == "given"
    assert [clip.subset for subset in SUBSETS for clip in by_subset[subset]] == [
        subset for subset in SUBSETS for _ in range(2)
    ]
    assert "3 songs or groups are in two subsets" in capsys.readouterr().err


def test_filtered_split_is_that_of_its_authors_whatever_the_folders_are_called(tmp_path):
    listed = read_filtered_split()
    counts = collections.Counter(listed.values())
    assert counts == {"train": 443, "validation": 197, "test": 290}
    files = [f"hiphop.{number:05d}.au.wav" for number in range(100)]
    touch(tmp_path, *(f"Hip-Hop/{file}" for file in files), "jazz/song.wav")
    by_subset, _ = split_clips(find_clips(tmp_path)[0], "filtered")
    subsets = {("hiphop", c.number): subset for subset, clips in by_subset.items() for c in clips}
    assert subsets == {key: listed[key] for key in listed if key[0] == "hiphop"}


def test_genres_of_the_original_are_some_of_gtzans_ten_in_alphabetical_order():
    ten = sorted({genre for genre, _ in read_filtered_split()})
    assert ORIGINAL_GENRES[10] == ten
    for n_genres, genres in ORIGINAL_GENRES.items():
        assert len(genres) == n_genres
        assert genres == [genre for genre in ten if genre in genres]


def test_filtered_split_of_other_music_and_a_stray_file_are_refused(corpus, tmp_path):
    stderr = refuse(corpus, tmp_path / "output", "--split", "filtered")
    assert_one_line(stderr, "--split filtered", "leave it out")
    touch(tmp_path, *(path.relative_to(corpus) for path in corpus.rglob("*.wav")))
    touch(tmp_path, "hum/encore.wav")
    assert_one_line(refuse(tmp_path, tmp_path / "out"), "hum/encore.wav", "<genre>.")


def test_too_few_songs_and_an_empty_validation_subset_are_refused_but_no_empty_test_subset():
    clips = [Clip(genre, f"{genre}/{n}.wav") for genre in ("a", "b") for n in range(3)]
    check_subsets(split_clips(clips)[0], ["a", "b"])
    for few, words in ((clips[:5], "left of b: have 3 songs"), (clips[:2], "have 3 songs")):
        with pytest.raises(InputError, match=words):
            check_subsets(split_clips(few)[0], ["a", "b"])
    clips = [Clip("a", f"{subset}/a/1.wav", subset) for subset in SUBSETS]
    check_subsets(split_clips(clips[:2])[0], ["a"])
    with pytest.raises(InputError, match=r"validation subset: .* where folders"):
        check_subsets(split_clips([clips[0], clips[2]])[0], ["a"])
