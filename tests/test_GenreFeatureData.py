"""What a user may rely on about the feature script's options and default places."""

import argparse
import os
import platform
from pathlib import Path

import pytest
from helpers import FRAMES, assert_one_line, make_corpus, run

from common.files import lock_folders
from GenreFeatureData import GenreFeatureData, next_command


def test_feature_script_uses_gtzan_under_the_current_folder_by_default(tmp_path):
    make_corpus(tmp_path / "gtzan" / "genres", numbers=(0, 10, 30))
    stdout, _ = run("GenreFeatureData.py", "--frames", FRAMES, "--jobs", 1, cwd=tmp_path)
    assert "Next: python lstm_genre_classifier_pytorch_PiecewiseDecay.py\n" in stdout
    assert "gtzan holds the features of 3 training, 3 validation and 3 test clips." in stdout
    assert len(list((tmp_path / "gtzan").glob("data_*.npy"))) == 6


def test_frames_last_the_same_seconds_of_a_clip_at_any_hop_length(corpus, tmp_path):
    options = ("--dataset", corpus, "--output", tmp_path, "--jobs", 1, "--hop-length", 4096)
    run("GenreFeatureData.py", *options)
    settings = GenreFeatureData(tmp_path).load().settings
    assert (settings.hop_length, settings.frames) == (4096, 162)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--labels", "a.csv", "--split", "filtered"], "--labels overrules --split"),
        (["--check", "--dask", "tcp://10.0.0.1:8786"], "leave out --dask"),
        (["--plot", "a.png"], "add --check"),
        (["--url", "http://127.0.0.1"], "add it"),
    ],
)
def test_options_that_contradict_others_or_would_be_ignored_are_refused(options, word, tmp_path):
    _, stderr = run("GenreFeatureData.py", *options, cwd=tmp_path, status=2)
    assert word in stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["--frames=40", "--demo", "--download"])
def test_second_script_that_would_write_to_a_folder_is_told_who_is_at_work_there(tmp_path, mode):
    if mode == "--frames=40":
        make_corpus(tmp_path / "gtzan", numbers=(0, 10, 30))
    place = tmp_path / "gtzan" / ("demo" if mode == "--demo" else "")
    options = ["--url", "http://127.0.0.1:1"] * (mode == "--download")
    with lock_folders(place):
        _, stderr = run("GenreFeatureData.py", mode, *options, cwd=tmp_path, status=2)
    message = f"process {os.getpid()} on {platform.node()} is writing to"
    assert_one_line(stderr, message, place.relative_to(tmp_path))
    assert not list(place.glob("[!.]*.*"))


@pytest.mark.parametrize(
    ("options", "command"),
    [
        ({}, ""),
        ({"demo": True}, " --demo --recipe improved --epochs 60"),
        ({"lowpass": 9000}, " --recipe improved"),
        ({"output": Path("a b")}, " --features 'a b'"),
        (
            {"dataset": Path("my_music"), "output": Path("x")},
            " --features x --recipe improved --weights weights/my_music --result result/my_music",
        ),
    ],
)
def test_next_command_trains_on_what_was_extracted(options, command):
    defaults = {"demo": False, "lowpass": None, "dataset": Path("gtzan"), "output": Path("gtzan")}
    script = "python lstm_genre_classifier_pytorch_PiecewiseDecay.py"
    options = argparse.Namespace(**defaults | options)
    assert next_command(options) == script + command
