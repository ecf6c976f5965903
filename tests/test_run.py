"""What a user may rely on while a training runs, and when it is stopped."""

import importlib
import itertools
import os
import re
import shutil
import signal
from unittest import mock

import pytest
import torch
from helpers import (
    IMPROVED,
    PICTURES,
    SHORT,
    assert_one_line,
    contents,
    is_drawn,
    read_history,
    read_summary,
    train,
    write_cache,
)

import genre_lstm
from genre_lstm import checkpoint, results
from genre_lstm.run import TrainingRun


def at_batch(number, action):
    """Patch trainings to call `action(run)` after a batch of the session, counted from 1."""
    log_batch, count = TrainingRun.log_batch, itertools.count(1)

    def log(run, *arguments):
        log_batch(run, *arguments)
        if next(count) == number:
            action(run)

    return mock.patch.object(TrainingRun, "log_batch", log)


def test_output_without_a_terminal_names_the_run_and_has_a_line_per_validation(
    features, tmp_path, undrawn
):
    options = ("--epochs", 5, "--validate-every", 2)
    stdout, stderr = train(features, tmp_path, *options)
    assert re.match(r"PiecewiseDecay: 5 epochs of 12 clips on cpu .*: .*graph_loss.png", stdout)
    lines = stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"epoch {n} of 5" for n in (2, 4, 5)]


def test_history_and_curves_grow_while_the_training_runs_and_its_end_leaves_all_files(
    features, tmp_path, monkeypatch
):
    monkeypatch.setattr("genre_lstm.run.REDRAW_SECONDS", 0)
    seen = []

    def look(run):
        assert (run.result / "graph_loss.png").exists()
        seen.append(len(read_history(tmp_path)))

    options = ("--epochs", 2, "--batch-size", 12, "--validate-every", 1)
    with at_batch(2, look):
        train(features, tmp_path, *options)
    assert seen == [1]
    assert set(contents(tmp_path / "weights" / "PiecewiseDecay")) == {"model.pt"}
    result = tmp_path / "result" / "PiecewiseDecay"
    assert set(contents(result)) == {*PICTURES, "history.csv", "summary.json", "predictions.csv"}
    assert all(is_drawn(result / name) for name in PICTURES)


def test_same_seed_repeats_history_to_the_byte_and_another_does_not(features, tmp_path, undrawn):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(features, tmp_path / name, *SHORT, "--seed", seed)
    _, stderr = train(features, tmp_path / "c", *SHORT, "--seed", 2)
    assert f"Replacing the finished run in {tmp_path / 'c' / 'result'}" in stderr
    a, b, c = (
        (tmp_path / name / "result" / "PiecewiseDecay" / "history.csv").read_bytes()
        for name in "abc"
    )
    assert a == b != c


@pytest.mark.parametrize(("environment", "n_threads"), [({}, 1), ({"OMP_NUM_THREADS": "2"}, 2)])
def test_training_uses_one_thread_unless_the_environment_says_otherwise(
    monkeypatch, environment, n_threads
):
    monkeypatch.setattr(os, "environ", environment)
    torch.set_num_threads(2)  # torch's default on two cores
    importlib.reload(genre_lstm)
    try:
        assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(1)


# Stopped trainings


@pytest.mark.skipif(os.name != "posix", reason="signals are another matter on Windows")
def test_run_stopped_by_ctrl_c_has_curves_and_when_resumed_ends_as_one_never_stopped(
    improved, features, tmp_path, figures
):
    # Where the tests run in the background, they ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with at_batch(2 * 5, lambda run: signal.raise_signal(signal.SIGINT)):
            _, stderr = train(features, tmp_path, *IMPROVED, status=130)
    finally:
        signal.signal(signal.SIGINT, before)
    assert re.fullmatch(r"Stopped after epoch 4: .*--resume\.", stderr.splitlines()[-1])
    assert "Traceback" not in stderr
    assert set(figures) == {name for name in PICTURES if name.startswith("graph_")}
    assert len(read_history(tmp_path)) == 4
    train(features, tmp_path, *IMPROVED, "--resume")
    weights, results = (
        [contents(place / kind / "PiecewiseDecay") for place in (improved, tmp_path)]
        for kind in ("weights", "result")
    )
    assert weights[0] == weights[1]
    assert set(weights[0]) == {"model.pt"}  # no checkpoint is left
    for name in ("history.csv", "predictions.csv"):
        assert results[0][name] == results[1][name]


@pytest.mark.parametrize("n_saved", [0, 1])
def test_run_stopped_while_an_epoch_is_saved_counts_only_those_that_are(
    features, tmp_path, undrawn, n_saved
):
    write = checkpoint.write_tensors
    stop = mock.Mock(side_effect=[*[mock.DEFAULT] * n_saved, KeyboardInterrupt], wraps=write)
    with mock.patch.object(checkpoint, "write_tensors", stop):
        _, stderr = train(features, tmp_path, *SHORT, status=130)
    assert stderr.count("Stopped after epoch 1: continue with --resume.") == n_saved
    assert stderr.count("--resume") == n_saved
    train(features, tmp_path, *SHORT, *["--resume"] * n_saved)


def test_training_goes_on_while_a_program_on_windows_has_its_table_open(
    features, tmp_path, undrawn
):
    write = results.write_history
    in_use = mock.Mock(side_effect=[*[PermissionError] * 3, *[mock.DEFAULT] * 2], wraps=write)
    with mock.patch.object(results, "write_history", in_use):
        train(features, tmp_path, *SHORT)
    assert len(read_history(tmp_path)) == 4


def test_diverged_run_is_refused_and_keeps_the_earlier_weights(
    trained, features, tmp_path, undrawn
):
    folder = shutil.copytree(trained, tmp_path / "trained")
    before = contents(folder / "weights" / "PiecewiseDecay")

    def spoil(run):
        run.model.linear.bias.data[0] = float("nan")

    with at_batch(3 * 2 + 3, spoil):  # the last batch of epoch 3
        _, stderr = train(features, folder, *SHORT, status=2)
    assert "diverged in epoch 3: lower --learning-rate" in stderr.splitlines()[-1]
    after = contents(folder / "weights" / "PiecewiseDecay")
    assert after == before | {"checkpoint.pt": after["checkpoint.pt"]}
    assert not (folder / "result" / "PiecewiseDecay" / "summary.json").exists()


def test_learning_rate_that_makes_the_loss_explode_is_refused(features, tmp_path, undrawn):
    options = (*IMPROVED, "--learning-rate", 1e5)
    _, stderr = train(features, tmp_path, *options, status=2)
    assert "diverged" in stderr.splitlines()[-1]
    assert not (tmp_path / "weights" / "PiecewiseDecay" / "model.pt").exists()


@pytest.mark.parametrize(
    "message",
    ["CUDA out of memory. Tried", "can't allocate memory", "not enough memory: you tried"],
)
def test_lack_of_memory_prints_one_line_error(features, tmp_path, message):
    def run_out(run):
        raise RuntimeError(message)

    with at_batch(1, run_out):
        _, stderr = train(features, tmp_path, status=2)
    assert_one_line(stderr, "not enough memory", "--batch-size")


def test_run_that_learnt_nothing_or_cannot_be_tested_says_so(tmp_path, undrawn):
    write_cache(tmp_path, n_clips=12, n_genres=3)
    for kind in ("input", "target"):
        (tmp_path / f"data_test_{kind}.npy").unlink()
    options = ("--epochs", 1, "--learning-rate", 1e-12)
    stdout, _ = train(tmp_path, tmp_path, *options)
    assert "no better than always predicting the most frequent genre" in stdout
    assert "no test subset" in stdout
    assert set(read_summary(tmp_path)) & {"validation", "test"} == {"validation"}
