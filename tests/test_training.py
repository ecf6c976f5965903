"""What a user may rely on when a model is trained, scored and saved."""

import csv
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from conftest import (
    GENRES,
    ROOT,
    SCHEDULES,
    assert_one_line,
    contents,
    run,
    run_module,
    train,
    training_line,
)

import lstm_genre_classifier_pytorch_PiecewiseDecay as piecewise
import lstm_genre_classifier_pytorch_ReduceLROnPlateau as plateau
from genre_features.cache import GenreFeatureData
from genre_lstm import training
from genre_lstm.model import GenreLSTM
from genre_lstm.recipes import Recipe
from genre_lstm.results import HISTORY
from genre_lstm.scoring import answer, score
from genre_lstm.tensors import read_tensors
from genre_lstm.training import balance, batches
from genre_lstm.weights import load_model

RESULT_FILES = {
    "history.csv",
    "summary.json",
    "predictions.csv",
    "graph_train_loss.png",
    "graph_train_accuracy.png",
    "graph_val_loss.png",
    "graph_val_accuracy.png",
    "graph_lr.png",
    "confusion_mat.png",
    "reliability.png",
}
SHORT = ("--epochs", 4, "--batch-size", 5)


def read_history(folder, schedule):
    with (folder / "result" / schedule / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def read_summary(folder, schedule):
    path = folder / "result" / schedule / "summary.json"
    return json.loads(path.read_text(encoding="utf-8"))


def start_training(features, folder, *arguments):
    """Start PiecewiseDecay in a process of its own, and wait for its first checkpoint."""
    line = training_line("PiecewiseDecay", features, folder, *arguments)
    process = subprocess.Popen(
        [sys.executable, *line],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background, they and their children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while process.poll() is None:
        if (folder / "weights" / "PiecewiseDecay" / "checkpoint.pt").exists():
            break
        time.sleep(0.01)
    return process


# The schedules


@pytest.mark.parametrize("epochs", [10, 25, 1000])
def test_piecewise_rate_is_a_tenth_from_30_percent_and_a_hundredth_from_60_percent(epochs):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([parameter], lr=2.0)
    scheduler = piecewise.make_scheduler(optimizer, epochs)
    rates = []
    for _ in range(epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    expected = [
        2.0 if 10 * done < 3 * epochs else 0.2 if 10 * done < 6 * epochs else 0.02
        for done in range(epochs)
    ]
    assert rates == pytest.approx(expected)


def test_plateau_rate_is_a_tenth_after_ten_validations_without_progress_then_cools_down():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([parameter], lr=2.0)
    scheduler = plateau.make_scheduler(optimizer, 1000)
    rates = []
    for loss in [3.0, 2.0] + [2.0] * 32:
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    # Two that fall, 10 within its patience, the drop, 10 of cooldown, 10 of patience, the next.
    assert rates == pytest.approx([2.0] * 12 + [0.2] * 21 + [0.02])


def test_history_shows_the_schedule_epoch_by_epoch(trained):
    rates = [float(row["learning_rate"]) for row in read_history(trained, "PiecewiseDecay")]
    assert rates == pytest.approx([0.01] * 8 + [0.001] * 7 + [0.0001] * 10)
    rates = [float(row["learning_rate"]) for row in read_history(trained, "ReduceLROnPlateau")]
    assert rates == pytest.approx([0.01] * 25)  # three validations are within its patience


def test_plateau_is_stepped_once_a_validation_with_the_mean_loss(features, tmp_path, monkeypatch):
    losses = []
    step = "torch.optim.lr_scheduler.ReduceLROnPlateau.step"
    monkeypatch.setattr(step, lambda self, loss: losses.append(loss))
    train("ReduceLROnPlateau", features, tmp_path, "--epochs", 21, "--batch-size", 4)
    found = [row["val_loss"] for row in read_history(tmp_path, "ReduceLROnPlateau")]
    assert losses == [float(loss) for loss in found if loss]
    assert len(losses) == 3  # epochs 10 and 20, and the last


def test_run_without_a_schedule_keeps_the_rate_constant(features, tmp_path):
    places = ("--weights", tmp_path / "weights", "--result", tmp_path / "result")
    run_module("experiments.constant_rate", "--features", features, *SHORT, *places)
    rates = {row["learning_rate"] for row in read_history(tmp_path, "Constant")}
    assert [float(rate) for rate in rates] == [3e-5]


# Scores


@pytest.mark.parametrize("batch_size", [1, 4, 6, 100])
def test_every_clip_is_scored_whatever_the_batch_size(features, batch_size):
    data = GenreFeatureData(features).load()
    torch.manual_seed(0)
    model = GenreLSTM(3, Recipe(batch_size=batch_size), data.settings)
    found = score(answer(model, data, "validation"), data.genres)
    with torch.no_grad():
        answers = model(torch.from_numpy(np.array(data.inputs["validation"])))
    truth = torch.from_numpy(data.targets["validation"])
    assert found["n"] == np.sum(found["confusion"]) == len(truth) == 6
    assert found["correct"] == int((answers.argmax(dim=1) == truth).sum())
    assert found["loss"] == pytest.approx(float(torch.nn.functional.nll_loss(answers, truth)))


def test_confusion_has_true_genres_in_rows_and_recall_is_its_diagonal_share(features):
    data = GenreFeatureData(features).load()

    model = GenreLSTM(3, Recipe(), data.settings)
    model.linear.bias.data[:] = torch.tensor([0.0, 0.0, 1e6])  # always hum
    found = score(answer(model, data, "validation"), data.genres)
    assert found["confusion"] == [[0, 0, 2], [0, 0, 2], [0, 0, 2]]
    assert found["recall"] == {"blip": 0.0, "hiss": 0.0, "hum": 1.0}
    assert found["accuracy"] == pytest.approx(1 / 3)


def test_every_clip_is_trained_on_in_file_order_with_the_last_partial_batch(features):
    data = GenreFeatureData(features).load()
    drawn = list(batches(data, "train", 5, "cpu"))
    assert [len(genres) for _, genres in drawn] == [5, 5, 2]
    inputs = torch.cat([features for features, _ in drawn])
    assert torch.equal(inputs, torch.from_numpy(np.array(data.inputs["train"])))
    assert torch.cat([genres for _, genres in drawn]).tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_an_lstm_learns_to_tell_genres_that_differ(trained):
    for schedule in SCHEDULES:
        assert read_summary(trained, schedule)["validation"]["accuracy"] >= 5 / 6


# Files


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_weights_curves_and_figures_are_written(trained, schedule):
    assert set(contents(trained / "result" / schedule)) == RESULT_FILES
    found = set(contents(trained / "weights" / schedule))
    assert found == {"model.pt", "model.json", "checkpoint.pt"}
    summary = read_summary(trained, schedule)
    assert summary["schedule"] == schedule
    assert summary["genres"] == GENRES
    assert summary["recipe"]["batch_size"] == 5
    assert summary["final_epoch"] == summary["scored_epoch"] == 25
    for part, n_clips in (("validation", 6), ("test", 3)):
        scores = summary[part]
        assert scores["n"] == n_clips
        assert scores["correct"] == np.trace(scores["confusion"])
        assert list(scores["recall"]) == GENRES


def test_history_has_a_row_an_epoch_and_validates_every_tenth_and_the_last(trained):
    rows = read_history(trained, "PiecewiseDecay")
    assert list(rows[0]) == list(HISTORY)
    assert [int(row["epoch"]) for row in rows] == list(range(1, 26))
    assert [int(row["epoch"]) for row in rows if row["val_loss"]] == [10, 20, 25]
    summary = read_summary(trained, "PiecewiseDecay")
    assert float(rows[-1]["val_loss"]) == summary["validation"]["loss"]
    assert float(rows[-1]["val_accuracy"]) == summary["validation"]["accuracy"]
    best = max(float(row["val_accuracy"]) for row in rows if row["val_accuracy"])
    assert summary["best_val_accuracy"] == best
    assert float(rows[summary["best_epoch"] - 1]["val_accuracy"]) == best


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_model_pt_alone_rebuilds_the_model_and_its_scores(trained, features, schedule):
    model, saved = load_model(trained / "weights" / schedule / "model.pt")
    data = GenreFeatureData(features).load()
    assert saved["genres"] == GENRES
    assert saved["settings"] == data.settings
    summary = read_summary(trained, schedule)
    for part in ("validation", "test"):
        assert score(answer(model, data, part), data.genres) == summary[part] | {
            "loss": pytest.approx(summary[part]["loss"])
        }


def test_balanced_loss_counts_every_genre_the_same_however_many_clips_it_has():
    genres = torch.tensor([0] * 8 + [1] * 3 + [2])
    log_probabilities = torch.randn(12, 3, generator=torch.Generator().manual_seed(0)).log_softmax(
        1
    )
    losses = torch.nn.functional.nll_loss(log_probabilities, genres, reduction="none")
    genre_weights = balance(genres.numpy(), 3)
    of_genres = torch.stack([losses[genres == genre].mean() for genre in range(3)])
    balanced = torch.nn.functional.nll_loss(log_probabilities, genres, genre_weights)
    torch.testing.assert_close(balanced, of_genres.mean())


def test_same_seed_repeats_history_to_the_byte_and_another_does_not(features, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train("PiecewiseDecay", features, tmp_path / name, *SHORT, "--seed", seed)
    a, b, c = (
        (tmp_path / name / "result" / "PiecewiseDecay" / "history.csv").read_bytes()
        for name in "abc"
    )
    assert a == b != c


@pytest.mark.skipif(os.name != "posix", reason="signals are another matter on Windows")
def test_resumed_run_ends_as_one_never_stopped(features, tmp_path):
    options = ("--recipe", "improved", "--epochs", 80, "--batch-size", 5)
    train("PiecewiseDecay", features, tmp_path / "whole", *options)
    process = start_training(features, tmp_path / "stopped", *options)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    train("PiecewiseDecay", features, tmp_path / "stopped", *options, "--resume")
    whole, stopped = (
        tmp_path / name / "result" / "PiecewiseDecay" for name in ("whole", "stopped")
    )
    assert (whole / "history.csv").read_bytes() == (stopped / "history.csv").read_bytes()
    states = [
        torch.load(tmp_path / name / "weights" / "PiecewiseDecay" / "model.pt")["state"]
        for name in ("whole", "stopped")
    ]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.skipif(os.name != "posix", reason="signals are another matter on Windows")
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


def test_start_says_what_is_trained_where_and_about_how_long(features, tmp_path):
    stdout, _ = train("PiecewiseDecay", features, tmp_path, *SHORT)
    assert re.match(
        r"PiecewiseDecay: 4 epochs of 12 clips on cpu with \d+ threads, about \d+\.\d minutes",
        stdout,
    )


# Bad input


def test_missing_features_are_said_in_one_line(tmp_path):
    _, stderr = train("ReduceLROnPlateau", tmp_path / "none", tmp_path, status=2)
    assert_one_line(stderr, tmp_path / "none", "GenreFeatureData.py")


def test_resume_without_a_checkpoint_is_refused(features, tmp_path):
    _, stderr = train("PiecewiseDecay", features, tmp_path, "--resume", status=2)
    assert_one_line(stderr, "nothing to resume", "checkpoint.pt")


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


@pytest.mark.parametrize(("options", "full"), [((), "checkpoint.pt"), (("--resume",), "model.pt")])
def test_full_disk_is_said_in_one_line_and_the_files_are_as_before(
    trained, features, tmp_path, options, full
):
    resource = pytest.importorskip("resource", reason="Windows limits no file's size")
    folder = shutil.copytree(trained, tmp_path / "trained")
    weights = folder / "weights" / "PiecewiseDecay"
    before = contents(weights)
    options = ("--epochs", 25, "--batch-size", 5, "--learning-rate", 0.01, *options)
    limit = (100_000, 100_000)  # bytes, less than the weights have
    done = subprocess.run(
        [sys.executable, *training_line("PiecewiseDecay", features, folder, *options)],
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert_one_line(done.stderr.splitlines()[-1], weights / full)
    assert contents(weights) == before
    load_model(weights / "model.pt")
    assert len(read_tensors(weights / "checkpoint.pt")["history"]) == 25


def test_file_that_is_no_checkpoint_is_refused(trained, features, tmp_path):
    folder = shutil.copytree(trained, tmp_path / "trained") / "weights" / "PiecewiseDecay"
    (folder / "model.pt").replace(folder / "checkpoint.pt")
    _, stderr = train("PiecewiseDecay", features, tmp_path / "trained", "--resume", status=2)
    assert_one_line(stderr, "checkpoint.pt", "--resume")


@pytest.mark.parametrize(
    "change",
    [
        {"history": 25},
        {"history": [{"epoch": 1}]},
        {"history": "e" * 25},
        {"seconds": float("nan")},
        {"seconds": 10**400},
        {"model": {"linear.bias": torch.full((3,), float("nan"))}},
    ],
    ids=" ".join,
)
def test_checkpoint_that_cannot_be_gone_on_from_is_refused(trained, features, tmp_path, change):
    folder = shutil.copytree(trained, tmp_path / "trained")
    path = folder / "weights" / "PiecewiseDecay" / "checkpoint.pt"
    torch.save(torch.load(path) | change, path)
    options = ("--epochs", 25, "--batch-size", 5, "--learning-rate", 0.01, "--resume")
    _, stderr = train("PiecewiseDecay", features, folder, *options, status=2)
    assert_one_line(stderr, "checkpoint.pt holds no checkpoint", "--resume")


@pytest.mark.parametrize("misfit", ["genres", "recipe", "checksums"])
def test_weights_that_do_not_fit_are_refused_and_kept(trained, features, tmp_path, misfit):
    folder = shutil.copytree(trained, tmp_path / "trained")
    before = (folder / "weights" / "PiecewiseDecay" / "model.pt").read_bytes()
    options = ["--epochs", 25, "--batch-size", 5, "--learning-rate", 0.01]
    features = shutil.copytree(features, tmp_path / "features")
    if misfit == "checksums":
        inputs = np.load(features / "data_train_input.npy")
        np.save(features / "data_train_input.npy", inputs + 1)
    elif misfit == "genres":
        manifest = json.loads((features / "features.json").read_text(encoding="utf-8"))
        manifest["genres"] = ["a", "b", "c"]
        (features / "features.json").write_text(json.dumps(manifest))
    else:
        options[1] = 30
    _, stderr = train("PiecewiseDecay", features, folder, *options, "--resume", status=2)
    assert_one_line(stderr, "checkpoint.pt", misfit, "--resume")
    assert (folder / "weights" / "PiecewiseDecay" / "model.pt").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 a broken archive"])
def test_file_that_holds_no_weights_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "model.pt").write_bytes(content)
    _, stderr = run("predict.py", "song.wav", "--weights", tmp_path / "model.pt", status=2)
    assert_one_line(stderr, "model.pt")


def test_weights_that_would_run_code_are_refused(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    torch.save({"state": Trap()}, tmp_path / "model.pt")
    _, stderr = run("predict.py", "song.wav", "--weights", tmp_path / "model.pt", status=2)
    assert_one_line(stderr, "model.pt")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has what is asked for")
def test_device_that_is_not_there_is_said_in_one_line(features, tmp_path):
    _, stderr = train("PiecewiseDecay", features, tmp_path, "--device", "cuda", status=2)
    assert_one_line(stderr, "cuda")
