"""Fixtures: what is made once and used by many tests."""

import os
import shutil
import sys

# Clips this small gain nothing from threads, which wait for each other on a busy machine.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest
from helpers import (
    IMPROVED,
    SCHEDULES,
    TRAINED,
    extract,
    make_corpus,
    stop_training,
    train,
    undrawn,
)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """A data set of 21 clips: of each of three genres 4 to train on, 2 to validate, 1 to test."""
    return make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def features(corpus, tmp_path_factory):
    """The corpus's features."""
    output = tmp_path_factory.mktemp("features")
    extract(corpus, output)
    return output


@pytest.fixture
def output(features, tmp_path):
    """A copy of the corpus's features, to be changed."""
    return shutil.copytree(features, tmp_path / "out")


@pytest.fixture(scope="session")
def trained(features, tmp_path_factory):
    """A folder that both training scripts have written to, but for their pictures."""
    folder = tmp_path_factory.mktemp("trained")
    with undrawn():
        for schedule in SCHEDULES:
            train(features, folder, *TRAINED, schedule=schedule)
    return folder


@pytest.fixture(scope="session")
def stopped(features, tmp_path_factory):
    """A folder in which the training of `trained` was stopped after epoch 12 of 25."""
    folder = tmp_path_factory.mktemp("stopped")
    with undrawn():
        stop_training(features, folder, 12, *TRAINED)
    return folder


@pytest.fixture(scope="session")
def improved(features, tmp_path_factory):
    """A folder that a training with the improved recipe has written to, but for its pictures."""
    folder = tmp_path_factory.mktemp("improved")
    with undrawn():
        train(features, folder, *IMPROVED)
    return folder


@pytest.fixture(scope="session")
def weights(improved):
    """The folder of the improved recipe's weights."""
    return improved / "weights"


@pytest.fixture(name="undrawn")
def write_no_pictures():
    """Nothing is drawn by the trainings of a test."""
    with undrawn():
        yield


@pytest.fixture
def figures(monkeypatch):
    """The figures that would be written, by the name of their file."""
    from genre_features import dataset_plots, figures
    from genre_lstm import plots

    found = {}
    for module in (dataset_plots, figures, plots):
        monkeypatch.setattr(module, "save", lambda figure, path: found.update({path.name: figure}))
    return found


@pytest.fixture
def after_clips(monkeypatch):
    """Have the next extraction call a function once it has so many clips."""
    from genre_features import extraction

    real = extraction.parallel_map

    def call_after(n_clips, function):
        def parallel_map(*arguments):
            monkeypatch.setattr(extraction, "parallel_map", real)
            for number, outcome in enumerate(real(*arguments)):
                if number == n_clips:
                    function()
                yield outcome

        monkeypatch.setattr(extraction, "parallel_map", parallel_map)

    return call_after


@pytest.fixture
def no_av(monkeypatch):
    """PyAV isn't installed."""
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "genre_features.av_reader", raising=False)
