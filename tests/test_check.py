"""What a user may rely on when a data set is checked with --check."""

import re
import shutil

import numpy as np
import pytest
import soundfile
import soxr
from helpers import FRAMES, GENRES, make_clip, make_corpus, run, write_clip


def check(dataset, *arguments, status=0, frames=FRAMES):
    """Run --check; return its lines on stdout, and stderr."""
    options = ("--dataset", dataset, "--check", "--frames", frames, "--jobs", 1, *arguments)
    stdout, stderr = run("GenreFeatureData.py", *options, status=status)
    return stdout.splitlines(), stderr


def test_check_counts_clips_and_changes_nothing(corpus, tmp_path):
    lines, _ = check(corpus, "--output", tmp_path / "output")
    assert [line.split() for line in lines[:4]] == [
        ["genre", "train", "validation", "test", "band-limited"],
        *([genre, "4", "2", "1", "0"] for genre in GENRES),
    ]
    assert "faulty" not in " ".join(lines)
    assert lines[-1].startswith("All 21 clips can be read")
    assert not list(tmp_path.iterdir())


def test_check_names_unreadable_short_and_silent_clips(corpus, tmp_path):
    folder = shutil.copytree(corpus, tmp_path / "corpus")
    (folder / "hum" / "hum.00030.wav").write_bytes(b"no audio")
    write_clip(folder / "hiss" / "hiss.00031.wav", "hiss", 31, seconds=0.3)
    for number, rest in ((34, 14000), (35, 6000)):  # half a second counts
        signal = np.concatenate([make_clip("blip", number), np.zeros(rest)])
        soundfile.write(folder / "blip" / f"blip.{number:05d}.wav", signal, 22050)
    lines, stderr = check(folder, status=2)
    text = "\n".join(lines)
    assert "hum.00030.wav can't be read" in text
    assert "1 too short, repeated up to 0.91 s: hiss/hiss.00031.wav (0.30 s)\n" in text
    assert re.search(r"^1 silent for a fifth or more: blip/blip.00034.wav \(\d+%\)$", text, re.M)
    assert "3 problems" in stderr.splitlines()[-1]


def test_check_names_clips_that_the_extraction_will_read_only_in_part(corpus, tmp_path):
    path = shutil.copytree(corpus, tmp_path / "corpus") / "hum" / "hum.00030.wav"
    soundfile.write(path, make_clip("hum", 30, seconds=1.9), 22050)
    path.write_bytes(path.read_bytes()[:-20_000])  # longer than the frames need
    lines, _ = check(tmp_path / "corpus", status=2)
    (line,) = (line for line in lines if "hum.00030" in line)
    assert line.startswith("1 read in part: hum/hum.00030.wav (only 1.4 of 1.9 s could be read")


def test_short_pieces_are_one_line_that_names_the_frames_to_ask_for(tmp_path):
    lines, _ = check(make_corpus(tmp_path, (10, 30)), status=2, frames=1290)
    (line,) = (line for line in lines if "too short" in line)
    assert "6 too short" in line
    assert line.endswith("and 1 others; for clips of 1.00 s add --frames 44")


@pytest.mark.parametrize(("name", "gain", "rate"), [("a.mp3", 0.1, 44100), ("a.ogg", 1, 16000)])
def test_copy_in_another_format_rate_or_gain_is_named(corpus, tmp_path, name, gain, rate):
    for subset, number in (("train", 30), ("val", 10), ("test", 0)):
        make_corpus(tmp_path / subset, [number])
    signal, _ = soundfile.read(corpus / "blip" / "blip.00030.wav")
    copy = gain * soxr.resample(signal, 22050, rate)
    soundfile.write(tmp_path / "test" / "blip" / name, copy, rate)
    lines, _ = check(tmp_path, status=2)
    names = f"train/blip/blip.00030.wav (train), test/blip/{name} (test)"
    assert f"the same audio in train and test: {names}" in lines
    assert sum("same audio" in line for line in lines) == 1


def test_genre_of_two_songs_is_named_and_the_check_goes_on(tmp_path):
    for genre, n_songs in zip(GENRES, (3, 3, 2), strict=True):
        for number in range(n_songs):
            write_clip(tmp_path / genre / f"{number}.wav", genre, number)
    lines, _ = check(tmp_path, status=2)
    assert any("left of hum: have 3 songs" in line for line in lines)
    assert ["hum", "0", "1", "1", "0"] in [line.split() for line in lines]


def test_check_counts_the_clips_of_gtzan_that_the_filtered_split_leaves_out(tmp_path):
    for number in (0, 10, 30, 42):  # it leaves out number 42 of both genres
        write_clip(tmp_path / "classical" / f"classical.{number:05}.wav", "hum", number)
        write_clip(tmp_path / "jazz" / f"jazz.{number:05}.wav", "hiss", number)
    assert "2 of 8 clips are faulty" in " ".join(check(tmp_path)[0])
    assert "faulty" not in " ".join(check(tmp_path, "--split", "filtered")[0])
