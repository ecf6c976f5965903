"""Clips made on the spot, and the scripts run as a user runs them."""

import argparse
import contextlib
import io
import os
import runpy
import sys
from pathlib import Path
from unittest import mock

# Clips this small gain nothing from threads, which wait for each other on a busy machine.
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parent.parent
GENRES = ["blip", "hiss", "hum"]
SECONDS = 1.0
FRAMES = 40
SCHEDULES = ["PiecewiseDecay", "ReduceLROnPlateau"]


def make_clip(genre, number, seconds=SECONDS, rate=22050):
    """Synthesise a clip: pulses, noise or a low tone, each with a little of the others."""
    random = np.random.default_rng([GENRES.index(genre), number])
    time = np.arange(int(seconds * rate)) / rate
    pitch = random.uniform(90, 130)
    tone = np.sin(2 * np.pi * pitch * time)
    pulses = np.sin(2 * np.pi * 8 * pitch * time) * (time % 0.25 < 0.05)
    noise = random.standard_normal(len(time))
    loud = {"blip": (pulses, tone), "hiss": (noise, pulses), "hum": (tone, noise)}[genre]
    return 0.3 * loud[0] / np.abs(loud[0]).max() + 0.02 * loud[1] / np.abs(loud[1]).max()


def write_clip(path, genre, number, seconds=SECONDS, rate=22050, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, make_clip(genre, number, seconds, rate), rate, **options)


def make_corpus(folder, numbers=(0, 10, 11, 30, 31, 32, 33), suffix=".wav"):
    """Write a data set of genre folders with GTZAN's track numbers."""
    for genre in GENRES:
        for number in numbers:
            write_clip(folder / genre / f"{genre}.{number:05d}{suffix}", genre, number)
    return folder


def run(script, *arguments, cwd=".", status=0):
    """Run a script as a user does; check its exit status; return (stdout, stderr).

    In this process, which spares the seconds that importing torch takes in another.
    """
    stdout, stderr, found = io.StringIO(), io.StringIO(), 0
    with (
        mock.patch.object(sys, "argv", [script, *map(str, arguments)]),
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        try:
            runpy.run_path(str(ROOT / script), run_name="__main__")
        except SystemExit as stop:
            found = stop.code or 0
    assert found == status, stderr.getvalue()
    return stdout.getvalue(), stderr.getvalue()


def run_module(module, *arguments, status=0):
    """Run a module of the project as `python -m` does; see `run`."""
    return run(f"{module.replace('.', '/')}.py", *arguments, status=status)


def extraction_line(dataset, output, *arguments):
    """Return the words that extract a data set's features in one process: script, options."""
    words = ["GenreFeatureData.py", "--dataset", dataset, "--output", output, "--frames", FRAMES]
    return [str(word) for word in (*words, "--jobs", 1, *arguments)]


def extract(dataset, output, *arguments, status=0):
    """Run the feature script on a data set; return (stdout, stderr)."""
    return run(*extraction_line(dataset, output, *arguments), status=status)


def training_line(schedule, features, folder, *arguments):
    """Return the words that train into `folder`/weights and `folder`/result: script, options."""
    words = [f"lstm_genre_classifier_pytorch_{schedule}.py", "--features", features]
    words += ["--weights", folder / "weights", "--result", folder / "result"]
    return [str(word) for word in (*words, "--device", "cpu", *arguments)]


def train(schedule, features, folder, *arguments, status=0):
    """Run a training script into `folder`/weights and `folder`/result."""
    return run(*training_line(schedule, features, folder, *arguments), status=status)


def start_run(features, folder, recipe, make_scheduler=None, schedule="test", resume=False):
    """Start a run as the training scripts do; return (run, model, optimizer, scheduler)."""
    import torch

    from genre_lstm.model import GenreLSTM
    from genre_lstm.run import TrainingRun
    from genre_lstm.training import batches

    options = argparse.Namespace(
        **{"features": features, "recipe": recipe, "seed": 0, "device": "cpu", "resume": resume},
        **{"weights": folder / "weights", "result": folder / "result"},
    )
    run = TrainingRun(schedule, options)
    torch.manual_seed(0)
    model = run.place(GenreLSTM(len(run.data.genres), recipe, run.data.settings))
    tracks = batches(run.data, "train", recipe.batch_size, "cpu")
    model.standardise(features for features, _ in tracks)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    scheduler = make_scheduler and make_scheduler(optimizer, recipe.epochs)
    run.start(model, optimizer, scheduler)
    return run, model, optimizer, scheduler


def contents(folder):
    """The bytes of a folder's files, by their names, but for hidden ones."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name[0] != "."}


def assert_one_line(stderr, *words):
    """Check that the user is told what is wrong in one line that holds all `words`."""
    assert len(stderr.strip().splitlines()) == 1, stderr
    for word in words:
        assert str(word) in stderr


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def features(corpus, tmp_path_factory):
    """The corpus's features: 12 clips to train on, 6 to validate, 3 to test."""
    output = tmp_path_factory.mktemp("features")
    extract(corpus, output)
    return output


@pytest.fixture(scope="session")
def trained(features, tmp_path_factory):
    """A folder that both training scripts have written to."""
    folder = tmp_path_factory.mktemp("trained")
    for schedule in SCHEDULES:
        train(
            schedule, features, folder, "--epochs", 25, "--batch-size", 5, "--learning-rate", 0.01
        )
    return folder
