"""What a user may rely on while a training runs, and when it is stopped."""

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest
import torch
from helpers import (
    IMPROVED,
    ROOT,
    SHORT,
    TRAINED,
    assert_one_line,
    contents,
    full_disk,
    read_history,
    start_training,
    train,
)

from common.files import lock_folders
from genre_lstm import training
from genre_lstm.tensors import read_tensors
from genre_lstm.weights import load_model

ON_POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are another matter on Windows")


def test_start_says_what_is_trained_where_and_about_how_long(features, tmp_path, undrawn):
    stdout, _ = train("PiecewiseDecay", features, tmp_path, *SHORT)
    assert re.match(
        r"PiecewiseDecay: 4 epochs of 12 clips on cpu with \d+ threads?, about \d+\.\d minutes",
        stdout,
    )


def test_same_seed_repeats_history_to_the_byte_and_another_does_not(features, tmp_path, undrawn):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train("PiecewiseDecay", features, tmp_path / name, *SHORT, "--seed", seed)
    a, b, c = (
        (tmp_path / name / "result" / "PiecewiseDecay" / "history.csv").read_bytes()
        for name in "abc"
    )
    assert a == b != c


@pytest.mark.parametrize(
    ("given", "expected"), [({}, "1 with 1 threads"), ({"OMP_NUM_THREADS": "2"}, "2 with")]
)
def test_training_takes_one_thread_unless_the_environment_says_otherwise(given, expected):
    code = "import genre_lstm, os, torch\n"
    code += "print(os.environ['OMP_NUM_THREADS'], 'with', torch.get_num_threads(), 'threads')"
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    command = [sys.executable, "-c", code]
    printed = subprocess.check_output(command, env=environment | given, cwd=ROOT, text=True)
    assert printed.startswith(expected)


@pytest.mark.skipif(not torch.set_flush_denormal(False), reason="this processor keeps them")
def test_numbers_too_small_for_any_weight_do_not_slow_a_training_down(
    features, tmp_path, monkeypatch, undrawn
):
    sound_step, found = training.train_step, []

    def look(*arguments):
        found.append(float(torch.tensor(1e-30) * 1e-10))
        return sound_step(*arguments)

    monkeypatch.setattr(training, "train_step", look)
    train("PiecewiseDecay", features, tmp_path, *SHORT)
    assert set(found) == {0.0}
    assert float(torch.tensor(1e-30) * 1e-10) > 0


# Stopped trainings


@ON_POSIX
def test_resumed_run_ends_as_one_never_stopped(improved, features, tmp_path, monkeypatch, undrawn):
    sound_step, n_steps = training.train_step, itertools.count(1)

    def stop_in_epoch_5(model, optimizer, *others, **keywords):
        # The steps by which the time is estimated have another optimizer.
        if isinstance(optimizer, torch.optim.AdamW) and next(n_steps) == 2 * 5:
            signal.raise_signal(signal.SIGINT)
        return sound_step(model, optimizer, *others, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(training, "train_step", stop_in_epoch_5)
        # Where the tests run in the background, they ignore Ctrl-C.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            _, stderr = train("PiecewiseDecay", features, tmp_path, *IMPROVED, status=130)
        finally:
            signal.signal(signal.SIGINT, before)
    assert "Stopped after epoch 4" in stderr.splitlines()[-1]
    train("PiecewiseDecay", features, tmp_path, *IMPROVED, "--resume")
    whole, stopped = (folder / "result" / "PiecewiseDecay" for folder in (improved, tmp_path))
    assert (whole / "history.csv").read_bytes() == (stopped / "history.csv").read_bytes()
    states = [
        torch.load(folder / "weights" / "PiecewiseDecay" / "model.pt")["state"]
        for folder in (improved, tmp_path)
    ]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@ON_POSIX
def test_ctrl_c_leaves_the_curves_so_far_and_a_checkpoint_to_resume(features, tmp_path):
    process = start_training(features, tmp_path, "--batch-size", 5)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in stderr
    n_epochs = int(re.search(r"Stopped after epoch (\d+): .*--resume", stderr.splitlines()[-1])[1])
    for name in ("graph_train_loss.png", "graph_train_accuracy.png", "graph_lr.png"):
        assert (tmp_path / "result" / "PiecewiseDecay" / name).exists()
    assert len(read_history(tmp_path, "PiecewiseDecay")) == n_epochs < 1000
    state = read_tensors(tmp_path / "weights" / "PiecewiseDecay" / "checkpoint.pt")
    assert len(state["history"]) in (n_epochs - 1, n_epochs)  # the last may be not yet saved


@pytest.mark.parametrize(
    ("spoilt", "found"),
    [(1, "the loss of batch 2 of 3 isn't"), (3, "the weights after batch 3 of 3 aren't")],
)
def test_diverging_run_says_in_which_batch_and_keeps_the_last_checkpoint(
    features, tmp_path, monkeypatch, spoilt, found
):
    sound_step, n_steps = training.train_step, itertools.count(1)

    def diverge_in_epoch_3(model, optimizer, *others, **options):
        step = sound_step(model, optimizer, *others, **options)
        # The steps by which the time is estimated have another optimizer.
        if isinstance(optimizer, torch.optim.AdamW) and next(n_steps) == 2 * 3 + spoilt:
            model.linear.bias.data[0] = float("nan")
        return step

    monkeypatch.setattr(training, "train_step", diverge_in_epoch_3)
    _, stderr = train("PiecewiseDecay", features, tmp_path, *SHORT, status=2)
    for words in ("epoch 3", found, "--learning-rate"):
        assert words in stderr.splitlines()[-1]
    state = read_tensors(tmp_path / "weights" / "PiecewiseDecay" / "checkpoint.pt")
    assert len(state["history"]) == 2
    assert all(tensor.isfinite().all() for tensor in state["model"].values())
    assert not contents(tmp_path / "result" / "PiecewiseDecay")


@pytest.mark.parametrize(
    "message",
    ["CUDA out of memory. Tried", "can't allocate memory", "not enough memory: you tried"],
)
def test_lack_of_memory_is_said_in_one_line(features, tmp_path, monkeypatch, message):
    def run_out(*_):
        raise RuntimeError(message)

    monkeypatch.setattr(training, "train_step", run_out)
    _, stderr = train("PiecewiseDecay", features, tmp_path, status=2)
    assert_one_line(stderr, "not enough memory", "--batch-size")


@pytest.mark.parametrize(("options", "full"), [((), "checkpoint.pt"), (("--resume",), "model.pt")])
def test_full_disk_is_said_in_one_line_and_the_files_are_as_before(
    trained, features, tmp_path, options, full
):
    folder = shutil.copytree(trained, tmp_path / "trained")
    weights = folder / "weights" / "PiecewiseDecay"
    before = contents(weights)
    with full_disk(100_000):  # less than the weights have
        _, stderr = train("PiecewiseDecay", features, folder, *TRAINED, *options, status=2)
    assert "Traceback" not in stderr
    assert_one_line(stderr.splitlines()[-1], weights / full)
    assert contents(weights) == before
    load_model(weights / "model.pt")
    assert len(read_tensors(weights / "checkpoint.pt")["history"]) == 25


def test_second_training_into_a_folder_is_told_who_is_at_work_there(features, tmp_path):
    weights = tmp_path / "weights" / "PiecewiseDecay"
    with lock_folders(weights):
        _, stderr = train("PiecewiseDecay", features, tmp_path, "--epochs", 1, status=2)
    assert_one_line(stderr, f"process {os.getpid()}", "is writing to", weights)


# Bad input


def test_missing_features_are_said_in_one_line(tmp_path):
    _, stderr = train("ReduceLROnPlateau", tmp_path / "none", tmp_path, status=2)
    assert_one_line(stderr, tmp_path / "none", "GenreFeatureData.py")


def test_batch_normalisation_of_a_single_frame_is_refused_in_one_line(features, tmp_path, undrawn):
    options = ("--epochs", 1, "--input-norm", "batch", "--crop-seconds", 0.01, "--batch-size")
    _, stderr = train("PiecewiseDecay", features, tmp_path, *options, 11, status=2)  # 11 and 1 clip
    assert_one_line(stderr, "--input-norm batch", "--batch-size")
    train("PiecewiseDecay", features, tmp_path, *options, 10)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has what is asked for")
def test_device_that_is_not_there_is_said_in_one_line(features, tmp_path):
    _, stderr = train("PiecewiseDecay", features, tmp_path, "--device", "cuda", status=2)
    assert_one_line(stderr, "cuda")
