"""What a user may rely on about the files that a training leaves."""

import argparse
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import (
    GENRES,
    PICTURES,
    SCHEDULES,
    SHORT,
    TRAINED,
    read_history,
    read_manifest,
    read_rows,
    read_summary,
    train,
)

from common.files import write_json
from genre_features.cache import GenreFeatureData
from genre_features.frame import COLUMNS
from genre_lstm.results import HISTORY, format_scores, prediction_rows
from genre_lstm.scoring import Predictions, evaluate
from genre_lstm.weights import load_model


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_summary_holds_the_settings_and_scores_of_the_run(trained, schedule):
    summary = read_summary(trained, schedule)
    assert summary["schedule"] == schedule
    assert summary["genres"] == GENRES
    assert summary["recipe"]["batch_size"] == 5
    assert summary["optimizer"] == "AdamW"
    assert summary["scored_epoch"] == 25
    for subset, n_clips in (("validation", 6), ("test", 3)):
        scores = summary[subset]
        assert scores["n"] == n_clips
        assert scores["correct"] == np.trace(scores["confusion"])
        assert list(scores["recall"]) == GENRES


def test_figures_have_the_format_asked_for(features, tmp_path, figures):
    train(features, tmp_path, *SHORT, "--format", "pdf")
    assert set(figures) == {f"{Path(name).stem}.pdf" for name in PICTURES}


def test_history_has_a_row_an_epoch_and_validates_every_tenth_and_the_last(trained):
    rows = read_history(trained)
    assert list(rows[0]) == list(HISTORY)
    assert [int(row["epoch"]) for row in rows] == list(range(1, 26))
    assert [int(row["epoch"]) for row in rows if row["val_loss"]] == [10, 20, 25]
    summary = read_summary(trained)
    assert float(rows[-1]["val_loss"]) == summary["validation"]["loss"]
    assert float(rows[-1]["val_accuracy"]) == summary["validation"]["accuracy"]
    best = max(float(row["val_accuracy"]) for row in rows if row["val_accuracy"])
    assert summary["best_val_accuracy"] == best
    assert float(rows[summary["best_epoch"] - 1]["val_accuracy"]) == best


@pytest.mark.parametrize("fixture", ["trained", "improved"])
def test_model_pt_alone_rebuilds_the_model_and_its_scores(features, fixture, request):
    folder = request.getfixturevalue(fixture)
    model, saved = load_model(folder / "weights" / "PiecewiseDecay" / "model.pt")
    data = GenreFeatureData(features).load()
    assert saved["genres"] == GENRES
    assert saved["settings"] == data.settings
    assert model.input_std[COLUMNS["spectral_centroid"].start] > 1
    summary = read_summary(folder)
    for subset in ("validation", "test"):
        assert evaluate(model, data, subset)[0] == summary[subset] | {
            "loss": pytest.approx(summary[subset]["loss"])
        }


@pytest.mark.parametrize("fixture", ["trained", "improved"])
def test_predictions_have_a_row_for_every_clip(features, fixture, request):
    folder = request.getfixturevalue(fixture)
    rows = read_rows(folder / "result" / "PiecewiseDecay" / "predictions.csv")
    tracks, summary = read_manifest(features)["tracks"], read_summary(folder)
    found = [(row["subset"], row["track"]) for row in rows]
    assert found == [(subset, name) for subset in ("validation", "test") for name in tracks[subset]]
    confusion = {subset: np.zeros((3, 3), int) for subset in ("validation", "test")}
    for row in rows:
        assert row["true"] == row["track"].split(".")[0]
        probabilities = [float(row[f"p_{genre}"]) for genre in GENRES]
        assert sum(probabilities) == pytest.approx(1, abs=1e-5)
        assert row["predicted"] == GENRES[np.argmax(probabilities)]
        confusion[row["subset"]][GENRES.index(row["true"]), GENRES.index(row["predicted"])] += 1
    for subset, counts in confusion.items():
        assert counts.tolist() == summary[subset]["confusion"]


def test_probabilities_in_the_predictions_are_divided_by_the_temperature():
    scores = torch.tensor([[0.2, 0.8], [0.9, 0.1]]).log()
    data = argparse.Namespace(tracks={"test": ["x", "y"]}, groups={}, genres=["a", "b"])
    predictions = Predictions(scores, torch.tensor([0, 0]))
    rows = list(prediction_rows("test", data, predictions, 2.0))
    assert [(row["track"], row["true"], row["predicted"]) for row in rows] == [
        ("x", "a", "b"),
        ("y", "a", "a"),
    ]
    # The square roots of 0.2 and 0.8 are as 1 to 2, those of 0.9 and 0.1 as 3 to 1.
    assert [float(row["p_a"]) for row in rows] == pytest.approx([1 / 3, 3 / 4], abs=1e-5)


def test_scores_by_group_are_in_the_summary_and_printed_where_groups_are_known(
    features, trained, tmp_path, undrawn
):
    shutil.copytree(features, tmp_path / "features")
    artists = {"hum.00010": "X", "hum.00011": "X", "hiss.00010": "X"}  # the others': unknown
    content = read_manifest(features) | {"groups": artists}
    write_json(tmp_path / "features" / "features.json", content)
    stdout, _ = train(tmp_path / "features", tmp_path, *TRAINED)
    summary = read_summary(tmp_path)
    groups = summary["validation"].pop("groups")
    assert groups["n"] == 4
    assert groups["n_by_genre"] == {"blip": 2, "hiss": 2, "hum": 1}
    low, high = groups["interval"]
    assert 0 <= low <= groups["accuracy"] <= high <= 1
    rows = read_rows(tmp_path / "result" / "PiecewiseDecay" / "predictions.csv")
    group_of = {row["track"]: row["group"] for row in rows}
    assert (group_of["hum.00010"], group_of["hiss.00011"]) == ("X", "hiss.00011")
    words = f"{groups['accuracy']:.1%} as the mean over 4 groups, 95% interval {100 * low:.0f} to"
    assert words in stdout
    assert summary["test"].pop("groups")["n"] == 3
    without = read_summary(trained)
    for subset in ("validation", "test"):
        assert summary[subset] == without[subset]


def test_scores_are_printed_with_up_to_ten_recalls():
    scores = {"accuracy": 0.75, "correct": 3, "n": 4}
    few = format_scores(scores | {"recall": {"jazz": 1.0, "pop": 0.5, "ska": None}})
    assert few == "75.0% (3 of 4 clips), recall pop 0.50, jazz 1.00"
    groups = {"n": 2, "accuracy": 0.8, "interval": [0.6, 0.9]}
    by_group = format_scores(scores | {"recall": {"jazz": 1.0}, "groups": groups})
    assert by_group == (
        "75.0% (3 of 4 clips; 80.0% as the mean over 2 groups, 95% interval 60 to 90%), "
        "recall jazz 1.00"
    )
    many = format_scores(scores | {"recall": {f"g{i}": i / 12 for i in range(12)}})
    assert "lowest recall g0 0.00, g1 0.08" in many
    assert many.count(",") == 10
