"""What a user may rely on when clips are dealt to the subsets."""

import collections
import unicodedata

import pytest
from helpers import assert_one_line, refuse, touch, write_clip

from genre_features.clips import SUBSETS, Clip, find_clips
from genre_features.genres import ORIGINAL_GENRES
from genre_features.splits import read_filtered_split, read_groups, split_clips


def test_index_split_goes_by_track_number(tmp_path):
    touch(tmp_path / "jazz", *(f"jazz.{number:05d}.wav" for number in (0, 9, 10, 29, 30, 99)))
    dealt, _ = split_clips(find_clips(tmp_path)[0])
    found = {subset: [track.number for track in tracks] for subset, tracks in dealt.items()}
    assert found == {"test": [0, 9], "validation": [10, 29], "train": [30, 99]}


def test_originals_layout_is_split_by_folder(tmp_path):
    for subset, number in (("train", 0), ("validation", 50), ("test", 99)):
        for genre in ("pop", "jazz"):
            touch(tmp_path / f"_{subset}", f"{genre}.{number:05d}.au")
    tracks, genres = find_clips(tmp_path)
    dealt, _ = split_clips(tracks)
    assert genres == ["jazz", "pop"]
    assert [track.name for track in dealt["validation"]] == ["jazz.00050", "pop.00050"]
    assert {track.number for track in dealt["test"]} == {99}


def test_files_without_numbers_are_dealt_70_20_10_in_every_genre_and_repeatably(tmp_path):
    for genre in ("Ñandú", "two words"):
        touch(tmp_path / genre, *(f"song {number}.mp3" for number in range(20)))
    tracks, genres = find_clips(tmp_path)
    dealt, split = split_clips(tracks)
    assert split == "70/20/10, seed 0"
    for genre in genres:
        counts = [sum(track.genre == genre for track in dealt[subset]) for subset in SUBSETS]
        assert counts == [14, 4, 2]
    assert split_clips(tracks) == (dealt, split)


def write_groups(path, groups):
    path.write_text("file,group\n" + "".join(f"{f},{g}\n" for f, g in groups.items()), "utf-8")
    return path


def test_groups_never_stand_in_two_parts_and_every_subset_gets_some(tmp_path):
    files = [f"{genre}/{n:02}.wav" for genre in ("a", "b") for n in range(60)]
    groups = {file: f"{file[0]} artist {int(file[2:4]) // 3}" for file in files}
    groups = read_groups(write_groups(tmp_path / "groups.csv", groups))
    tracks = [Clip(file[0], file) for file in files]
    dealt, split = split_clips(tracks, groups=groups)
    assert "groups" in split
    artists = {subset: {groups[track.file] for track in dealt[subset]} for subset in SUBSETS}
    assert sum(map(len, artists.values())) == 40  # none twice
    counts = {
        subset: collections.Counter(track.genre for track in dealt[subset]) for subset in SUBSETS
    }
    for genre in "ab":
        assert counts["train"][genre] == pytest.approx(42, abs=6)
        assert counts["validation"][genre] == pytest.approx(12, abs=6)
    again, _ = split_clips(tracks, groups=groups)
    assert again == dealt


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"blip/blip.00000.wav": "x"}, "blip.00010.wav has no group"),
        ({"file": "group"}, "has no group"),
    ],
)
def test_track_without_a_group_is_said_with_its_file(corpus, tmp_path, groups, words):
    path = write_groups(tmp_path / "groups.csv", groups)
    assert_one_line(refuse(corpus, tmp_path / "output", "--groups", path), words)


def test_groups_that_are_too_few_or_no_table_are_said_in_one_line(corpus, tmp_path):
    tracks, _ = find_clips(corpus)
    groups = write_groups(tmp_path / "few.csv", {track.file: "one" for track in tracks})
    assert_one_line(refuse(corpus, tmp_path / "output", "--groups", groups), "too few")
    groups = write_groups(tmp_path / "all.csv", {track.file: track.file for track in tracks})
    assert_one_line(refuse(corpus, tmp_path / "output", "--groups", groups), "enough clips")
    (tmp_path / "no.csv").write_bytes(b"\xff\xfe\x00song")
    stderr = refuse(corpus, tmp_path / "output", "--groups", tmp_path / "no.csv")
    assert_one_line(stderr, "no.csv", "columns file and group")


def test_track_in_two_groups_is_said_with_its_file(corpus, tmp_path):
    table = tmp_path / "groups.csv"
    table.write_text("file,group\na/b.wav,one\na/b.wav,one\na\\b.wav,two\n")
    stderr = refuse(corpus, tmp_path / "output", "--groups", table)
    assert_one_line(stderr, table, "two groups for a/b.wav")


def test_accented_letters_are_the_same_however_they_are_encoded(tmp_path):
    genres = ["Mélodie", "Métal"]
    composed, apart = (
        [unicodedata.normalize(form, f"{genre}/{i}.wav") for genre in genres for i in range(20)]
        for form in ("NFC", "NFD")
    )
    groups = read_groups(
        write_groups(tmp_path / "groups.csv", {file: f"artist {i}" for i, file in enumerate(apart)})
    )
    tracks = [Clip(file.partition("/")[0], file) for file in composed]
    assert sum(map(len, split_clips(tracks, groups=groups)[0].values())) == 40


def test_filtered_split_of_other_music_than_gtzan_is_refused(corpus, tmp_path):
    stderr = refuse(corpus, tmp_path / "output", "--split", "filtered")
    assert_one_line(stderr, "--split filtered", "leave it out")


def test_filtered_split_leaves_faulty_tracks_out_and_shares_no_track(tmp_path):
    for genre in ("jazz", "metal"):
        touch(tmp_path / genre, *(f"{genre}.{number:05d}.wav" for number in range(100)))
    dealt, _ = split_clips(find_clips(tmp_path)[0], "filtered")
    names = [track.name for tracks in dealt.values() for track in tracks]
    assert len(names) == len(set(names)) < 200
    assert all(dealt[subset] for subset in SUBSETS)


def test_filtered_split_has_the_counts_of_its_authors():
    counts = collections.Counter(read_filtered_split().values())
    assert counts == {"train": 443, "validation": 197, "test": 290}
    assert {genre for genre, _ in read_filtered_split()} == set(ORIGINAL_GENRES[10])


def test_stray_file_without_a_number_is_named_rather_than_dealt_anew(corpus, tmp_path):
    touch(tmp_path, *(path.relative_to(corpus) for path in corpus.rglob("*.wav")))
    touch(tmp_path, "hum/hum.00030 (1).wav")
    assert_one_line(refuse(tmp_path, tmp_path / "out"), "hum.00030 (1).wav", "<genre>.")


def test_empty_subset_is_said_in_one_line(tmp_path):
    for subset, number in (("train", 30), ("test", 0)):
        write_clip(tmp_path / f"_{subset}" / f"hum.{number:05d}.au", "hum", number)
    stderr = refuse(tmp_path, tmp_path / "out")
    assert_one_line(stderr, "validation")
    assert not (tmp_path / "out").exists()
