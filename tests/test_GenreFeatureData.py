"""What a user may rely on about the feature script's options and default places."""

import argparse
from pathlib import Path

import pytest
from helpers import (
    FRAMES,
    GENRES,
    SECONDS,
    array_bytes,
    assert_one_line,
    make_corpus,
    read_manifest,
    run,
)

import GenreFeatureData
from common.files import lock_folders
from genre_features import cache


def test_feature_script_uses_gtzan_under_the_current_folder_by_default(tmp_path):
    make_corpus(tmp_path / "gtzan" / "genres", numbers=(0, 10, 30))
    stdout, _ = run("GenreFeatureData.py", "--frames", FRAMES, "--jobs", 1, cwd=tmp_path)
    assert "Next: python lstm_genre_classifier_pytorch_PiecewiseDecay.py\n" in stdout
    assert "gtzan holds the features of 3 training, 3 validation and 3 test clips." in stdout
    assert len(array_bytes(tmp_path / "gtzan")) == 6


def test_class_can_be_imported_from_the_script_as_in_the_original_project():
    assert GenreFeatureData.GenreFeatureData is cache.GenreFeatureData


def test_hop_length_and_frames_are_those_asked_for(corpus, tmp_path):
    options = ("--dataset", corpus, "--output", tmp_path, "--jobs", 1)
    run("GenreFeatureData.py", *options, "--hop-length", 1709, "--frames", 12)
    data = cache.GenreFeatureData(tmp_path).load()
    assert (data.settings.hop_length, data.settings.frames) == (1709, 12)
    assert data.settings.frames_in(SECONDS) == 13
    assert read_manifest(tmp_path)["genres"] == GENRES


def test_same_length_of_a_clip_is_used_at_any_hop_length(corpus, tmp_path):
    options = ("--dataset", corpus, "--output", tmp_path, "--jobs", 1)
    for hop_length, n_frames in ((1709, 387), (4096, 162)):
        run("GenreFeatureData.py", *options, "--hop-length", hop_length)
        assert cache.GenreFeatureData(tmp_path).load().settings.frames == n_frames


def test_demo_and_a_data_set_of_ones_own_are_not_taken_together(tmp_path):
    _, stderr = run("GenreFeatureData.py", "--demo", "--output", "x", cwd=tmp_path, status=2)
    assert "--demo" in stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", [["--output", "x"], ["--frames", "9"], ["--check"]])
def test_demo_leaves_no_choice_of_where_and_how_much(tmp_path, option):
    _, stderr = run("GenreFeatureData.py", "--demo", *option, cwd=tmp_path, status=2)
    assert "--demo" in stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--labels", "a.csv", "--split", "filtered"], "--labels overrules --split"),
        (["--check", "--scheduler", "tcp://10.0.0.1:8786"], "leave out --scheduler"),
        (["--plot", "a.png"], "add --check"),
        (["--url", "http://127.0.0.1"], "add it"),
    ],
)
def test_options_that_would_be_ignored_are_refused(options, word, tmp_path):
    _, stderr = run("GenreFeatureData.py", *options, cwd=tmp_path, status=2)
    assert word in stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["--demo", "--download"])
def test_second_script_that_would_write_audio_to_a_folder_is_told_of_the_first(tmp_path, mode):
    options = ["--url", "http://127.0.0.1:1"] * (mode == "--download")
    place = tmp_path / "gtzan" / ("demo" if mode == "--demo" else "")
    with lock_folders(place):
        _, stderr = run("GenreFeatureData.py", mode, *options, cwd=tmp_path, status=2)
    assert_one_line(stderr, "is writing to", place.relative_to(tmp_path))
    assert not list(place.glob("[!.]*"))


@pytest.mark.parametrize(
    ("options", "command"),
    [
        ({}, ""),
        ({"demo": True}, " --demo --recipe improved --epochs 60"),
        ({"lowpass": 9000}, " --recipe improved"),
        ({"output": "a b"}, " --features 'a b'"),
        ({"lowpass": 9000, "output": "x"}, " --recipe improved --features x"),
    ],
)
def test_next_command_trains_on_what_was_extracted(options, command):
    output = Path(options.get("output", "gtzan"))
    defaults = {"demo": False, "lowpass": None}
    options = argparse.Namespace(**(defaults | options | {"output": output}))
    script = "python lstm_genre_classifier_pytorch_PiecewiseDecay.py"
    assert GenreFeatureData.next_command(options) == script + command
