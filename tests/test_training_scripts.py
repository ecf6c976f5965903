"""What a user may rely on about the two training scripts, which differ in their schedule alone."""

import shlex
import shutil

import numpy as np
import pytest
import torch
from helpers import (
    SCHEDULES,
    read_history,
    read_json,
    read_summary,
    run,
    train,
    write_cache,
    write_clip,
)
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from genre_features.cache import GenreFeatureData
from genre_lstm.augmentation import mixup
from genre_lstm.recipes import Recipe, recipe_options
from genre_lstm.weights import load_model

RATES = [(0.01, 0.001), (0.01, 0.01)]  # of each schedule in two epochs

# The training


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"weight_decay": 0.2},
        {"max_grad_norm": 0.05},
        {"class_weighted": True},
        {"mixup_alpha": 0.5},
        {"shuffle": True},
    ],
    ids=str,
)
@pytest.mark.parametrize(("schedule", "rates"), [*zip(SCHEDULES, RATES, strict=True)])
def test_training_takes_the_textbooks_steps_and_logs_their_means(
    features, tmp_path, undrawn, settings, schedule, rates
):
    options = recipe_options(Recipe(**settings))
    uneven = make_uneven(features, tmp_path / "uneven")
    line = ("--epochs", 2, "--batch-size", 4, "--learning-rate", 0.01, "--seed", 3, *options)
    train(uneven, tmp_path, *line, schedule=schedule)
    trained, _ = load_model(tmp_path / "weights" / schedule / "model.pt")

    data = GenreFeatureData(uneven).load()
    inputs = torch.from_numpy(np.array(data.inputs["train"]))
    targets = torch.from_numpy(data.targets["train"])
    torch.manual_seed(3)
    lstm = nn.LSTM(inputs.shape[2], 128, 2, batch_first=True)
    linear = nn.Linear(128, 3)
    parameters = [*lstm.parameters(), *linear.parameters()]
    adam = torch.optim.AdamW(parameters, weight_decay=settings.get("weight_decay", 0))
    weights = torch.ones(3)
    if "class_weighted" in settings:
        weights = len(targets) / (3 * torch.bincount(targets))
    for rate, row in zip(rates, read_history(tmp_path, schedule), strict=True):
        adam.param_groups[0]["lr"] = rate
        total, n_correct = 0.0, 0
        order = torch.randperm(len(inputs)) if "shuffle" in settings else torch.arange(len(inputs))
        for rows in order.split(4):
            batch, pairs = inputs[rows], [(1.0, targets[rows])]
            if "mixup_alpha" in settings:
                batch, *both, lam = mixup(batch, targets[rows], 0.5)
                pairs = [(lam, both[0]), (1 - lam, both[1])]
            scores = linear(lstm(batch)[0][:, -1])
            loss = sum(
                lam * (weights[y] * nn.functional.cross_entropy(scores, y, reduction="none")).mean()
                for lam, y in pairs
            )
            adam.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, settings.get("max_grad_norm", torch.inf))
            adam.step()
            _, y = max(pairs, key=lambda pair: pair[0])
            n_correct += int((scores.argmax(dim=1) == y).sum())
            total += loss.item() * len(rows)
        assert float(row["train_loss"]) == pytest.approx(total / len(inputs), rel=1e-3)
        assert float(row["train_accuracy"]) == pytest.approx(n_correct / len(inputs))
    expected = nn.utils.parameters_to_vector(parameters)
    found = nn.utils.parameters_to_vector(trained.parameters())
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)


def make_uneven(features, folder):
    """Copy a cache without its first two training clips; return the new folder."""
    shutil.copytree(features, folder)
    (folder / "features.json").unlink()
    for path in folder.glob("data_train_*.npy"):
        np.save(path, np.load(path)[2:])
    return folder


def test_lstm_learns_to_tell_genres_that_differ(trained):
    for schedule in SCHEDULES:
        assert read_summary(trained, schedule)["validation"]["accuracy"] >= 5 / 6


# The schedules


def test_piecewise_rate_is_a_tenth_from_30_percent_and_a_hundredth_from_60_percent(trained):
    rates = [float(row["learning_rate"]) for row in read_history(trained)]
    assert rates == pytest.approx([0.001] * 8 + [0.0001] * 7 + [0.00001] * 10)


def test_plateau_rate_is_a_tenth_after_ten_validations_without_progress_then_cools_down(
    tmp_path, monkeypatch, undrawn
):
    step, losses = ReduceLROnPlateau.step, []
    monkeypatch.setattr(
        ReduceLROnPlateau, "step", lambda self, loss: losses.append(loss) or step(self, loss)
    )
    # The loss cannot fall by a rate this low, except for rounding.
    write_cache(tmp_path)
    options = ("--epochs", 72, "--learning-rate", 1e-12, "--validate-every", 2)
    train(tmp_path, tmp_path, *options, schedule="ReduceLROnPlateau")
    rows = read_history(tmp_path, "ReduceLROnPlateau")
    rates = [float(row["learning_rate"]) for row in rows[::2]]
    # The first validation, 10 within the patience, the drop; 10 of cooldown, 10 of patience.
    assert rates == pytest.approx([1e-12] * 12 + [1e-13] * 21 + [1e-14] * 3, rel=1e-3)
    assert losses == [float(row["val_loss"]) for row in rows[1::2]]  # the mean over the clips


# Where they write


def test_last_line_is_the_command_that_predicts_with_the_weights(features, tmp_path, undrawn):
    shutil.copytree(features, tmp_path / "gtzan" / "demo")
    script = "lstm_genre_classifier_pytorch_PiecewiseDecay.py"
    options = ("--demo", "--recipe", "improved", "--crop-seconds", 0.5, "--epochs", 1)
    stdout, _ = run(script, *options, "--device", "cpu", cwd=tmp_path)
    summary = read_json(tmp_path / "result/demo/improved/PiecewiseDecay/summary.json")
    assert summary["settings"]["hop_length"] == 3 * 512  # a frame about every 77.5 ms
    python, script, song, *words = shlex.split(stdout.splitlines()[-1].partition("Next: ")[2])
    assert (python, script, song) == ("python", "predict.py", "song.mp3")
    write_clip(tmp_path / song, "hum", 3)
    prediction, _ = run(script, song, *words, cwd=tmp_path)
    assert prediction.startswith("song.mp3: ")
