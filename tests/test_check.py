"""What a user may rely on when a data set is looked over with --check."""

import shutil

import soundfile
from helpers import FRAMES, GENRES, run, touch, write_clip

from genre_features.check import shared_artists
from genre_features.clips import SUBSETS, find_clips
from genre_features.splits import split_clips


def check(dataset, *arguments, status=0):
    options = ("--dataset", dataset, "--check", "--frames", FRAMES, "--jobs", 1, *arguments)
    return run("GenreFeatureData.py", *options, status=status)


def test_check_counts_clips_and_changes_nothing(corpus, tmp_path):
    stdout, _ = check(corpus, "--output", tmp_path / "output")
    lines = [line.split() for line in stdout.splitlines()]
    assert ["genre", "train", "validation", "test"] in lines
    for genre in GENRES:
        assert [genre, "4", "2", "1"] in lines
    assert not list(tmp_path.iterdir())


def test_check_names_broken_short_and_repeated_clips(corpus, tmp_path):
    folder = shutil.copytree(corpus, tmp_path / "corpus")
    (folder / "hum" / "hum.00030.wav").write_bytes(b"no audio")
    write_clip(folder / "hiss" / "hiss.00031.wav", "hiss", 31, seconds=0.3)
    signal, rate = soundfile.read(folder / "blip" / "blip.00000.wav")
    soundfile.write(folder / "blip" / "blip.00032.wav", signal, rate)
    stdout, stderr = check(folder, status=2)
    assert "hum.00030.wav can't be read" in stdout
    assert "hiss.00031.wav is too short: 0.30" in stdout
    assert "blip.00000.wav (test)" in stdout
    assert stdout.count("the same audio") == 1
    assert "3 problems" in stderr.splitlines()[-1]


def test_check_says_which_clips_of_gtzan_may_share_an_artist(tmp_path):
    # The filtered lists put classical 0 and 10 into one subset, 30 and 99 into another.
    for number in (0, 10, 30, 99):
        write_clip(tmp_path / "classical" / f"classical.{number:05}.wav", "hum", number)
    stdout, _ = check(tmp_path)
    assert "train: 0 of 2 clips may share" in stdout
    assert "validation: 1 of 1 clips may share" in stdout
    assert "test: 1 of 1 clips may share" in stdout


def test_filtered_split_shares_no_artist_and_holds_no_faulty_clip(tmp_path):
    touch(tmp_path / "metal", *(f"metal.{number:05}.wav" for number in range(100)))
    dealt, _ = split_clips(find_clips(tmp_path)[0], "filtered")
    found = shared_artists(dealt)
    assert {subset: found[subset]["clips"] for subset in SUBSETS} == {
        p: len(dealt[p]) for p in SUBSETS
    }
    assert not any(counts["shared"] or counts["faulty"] for counts in found.values())


def test_check_says_nothing_of_artists_where_the_clips_are_not_gtzans(corpus):
    stdout, _ = check(corpus)
    assert "artist" not in stdout
    assert stdout.splitlines()[-1].startswith("All 21 clips can be read")
