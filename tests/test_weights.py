"""What a user may rely on about model.pt, also where it is damaged or made to do harm."""

import dataclasses
import json
import os
import zipfile

import pytest
import torch
from helpers import (
    ROOT,
    SCHEDULES,
    Trap,
    assert_one_line,
    make_features,
    make_model,
    read_json,
    run,
    train,
)

from common.errors import InputError
from genre_features.frame import FrameSettings
from genre_lstm.recipes import INPUT_NORMS, POOLINGS
from genre_lstm.weights import find_weights, load_model, save_model


def write_model(path, model, **changes):
    """Write the model.pt of a model, with some of what it holds changed."""
    content = {
        "state": model.state_dict(),
        "standardisation": None,
        "recipe": dataclasses.asdict(model.recipe),
        "genres": ["a", "b", "c"],
        "settings": dataclasses.asdict(FrameSettings(frames=100)),
        "temperature": 1.0,
    }
    torch.save(content | changes, path)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("input_norm", INPUT_NORMS)
def test_loaded_model_answers_as_the_one_that_was_saved(tmp_path, pooling, input_norm):
    model = make_model(pooling=pooling, input_norm=input_norm, difference_lags=(0.1,))
    model.standardise([make_features(n_tracks=4)])
    saved = {"mean": model.input_mean, "deviation": model.input_deviation}
    saved = saved if input_norm in ("standardise", "mean-normalised") else None
    write_model(tmp_path / "model.pt", model, standardisation=saved)
    loaded, _ = load_model(tmp_path / "model.pt")
    assert not any(tensor.is_meta for tensor in (*loaded.parameters(), *loaded.buffers()))
    assert torch.equal(loaded(make_features()), model(make_features()))


def test_saved_model_comes_back_with_all_that_was_said_about_it(tmp_path):
    model, settings = (
        make_model(input_norm="standardise", difference_lags=(0.1,)),
        FrameSettings(frames=100),
    )
    model.standardise([make_features(n_tracks=4)])
    about = {"genres": ["a", "b", "c"], "temperature": 1.5, "seed": 7}
    save_model(tmp_path / "model.pt", model, settings, **about)
    loaded, saved = load_model(tmp_path / "model.pt")
    assert torch.equal(loaded(make_features()), model(make_features()))
    assert not loaded.training
    assert saved == about | {"settings": settings, "recipe": dataclasses.asdict(model.recipe)}


def test_model_of_the_earlier_format_loads(tmp_path):
    model, settings = make_model(), FrameSettings(hop_length=1709, frames=100)
    save_model(tmp_path / "model.pt", model, settings, genres=["a", "b", "c"], temperature=1.0)
    content = torch.load(tmp_path / "model.pt")
    content["features"] = content.pop("settings")
    torch.save(content, tmp_path / "earlier.pt")
    loaded, saved = load_model(tmp_path / "earlier.pt")
    assert saved["settings"] == settings
    assert "features" not in saved
    assert torch.equal(loaded(make_features()), model(make_features()))


def test_weights_are_found_by_file_folder_or_the_folder_above(tmp_path):
    for schedule in ("Constant", "ReduceLROnPlateau"):
        (tmp_path / schedule).mkdir()
        (tmp_path / schedule / "model.pt").touch()
    path = tmp_path / "ReduceLROnPlateau" / "model.pt"
    assert find_weights(path) == find_weights(path.parent) == find_weights(tmp_path) == path
    if hasattr(os, "mkfifo"):  # what is no folder is meant itself, and refused when it is read
        os.mkfifo(tmp_path / "pipe")
        assert find_weights(tmp_path / "pipe") == tmp_path / "pipe"
    with pytest.raises(InputError, match=r"no model\.pt in"):
        find_weights(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("options", "setting", "value"),
    [
        (("--shuffle",), "shuffle", True),
        (("--recipe", "improved", "--no-shuffle"), "shuffle", False),
        (("--input-norm", "batch"), "input_norm", "batch"),
        (("--difference-lags", 0.1, 0.2), "deltas", [0.1, 0.2]),
        (("--recipe", "improved", "--difference-lags"), "deltas", []),
        (("--crop-seconds", 0.5), "crop", 0.5),
        (("--pooling", "attention"), "pooling", "attention"),
    ],
)
def test_switches_take_the_place_of_the_recipes_settings(
    features, tmp_path, options, setting, value, undrawn
):
    train("PiecewiseDecay", features, tmp_path, "--epochs", 1, *options)
    _, saved = load_model(tmp_path / "weights" / "PiecewiseDecay" / "model.pt")
    found = saved["recipe"][setting]
    assert (list(found) if isinstance(value, list) else found) == value


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("recipe", ["published", "improved"])
def test_committed_weights_load_and_are_those_of_the_committed_run(recipe, schedule):
    _, saved = load_model(ROOT / "weights" / "reference" / recipe / schedule / "model.pt")
    summary = read_json(ROOT / "result" / "reference" / recipe / schedule / "summary.json")
    card = read_json(ROOT / "weights" / "reference" / recipe / schedule / "model.json")
    for content in (summary, card):
        assert FrameSettings.read(content["settings"]) == saved["settings"]
    for key in ("schedule", "recipe", "seed", "genres", "versions"):
        # JSON knows no tuples.
        assert json.loads(json.dumps(saved[key])) == summary[key] == card[key]


# Weights that are damaged or made to do harm


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 a broken archive"])
def test_file_that_holds_no_weights_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "model.pt").write_bytes(content)
    _, stderr = run("predict.py", "song.wav", "--weights", tmp_path / "model.pt", status=2)
    assert_one_line(stderr, "model.pt")


def test_weights_that_would_run_code_are_refused(tmp_path):
    torch.save({"state": Trap(tmp_path / "sprung")}, tmp_path / "model.pt")
    _, stderr = run("predict.py", "song.wav", "--weights", tmp_path / "model.pt", status=2)
    assert_one_line(stderr, "model.pt")
    assert not (tmp_path / "sprung").exists()


def assert_refused(path, words="(isn't|doesn't hold|can't be used)"):
    with pytest.raises(InputError, match=rf"^{path} {words}.*$"):
        load_model(path)


@pytest.mark.parametrize("place", ["content", "recipe", "settings", "standardisation"])
def test_missing_and_unknown_keys_are_named(tmp_path, place):
    path, model = tmp_path / "model.pt", make_model(input_norm="standardise")
    standardisation = {"mean": torch.zeros(33), "deviation": torch.ones(33)}
    write_model(path, model, standardisation=standardisation)
    load_model(path)
    whole = torch.load(path)
    for key in whole if place == "content" else whole[place]:
        content = torch.load(path)
        holder = content if place == "content" else content[place]
        if key != "lowpass":  # earlier versions had none
            value = holder.pop(key)
            torch.save(content, tmp_path / "other.pt")
            assert_refused(tmp_path / "other.pt", f"can't be used: its {place} lacks {key}$")
            holder[key] = value
        holder[f"{key}\n"] = 1
        torch.save(content, tmp_path / "other.pt")
        assert_refused(
            tmp_path / "other.pt", rf"can't be used: its {place} has '{key}\\n', unknown"
        )


@pytest.mark.parametrize(
    ("input_norm", "standardisation"),
    [
        ("standardise", None),
        ("mean-normalised", {}),
        ("none", {"mean": torch.zeros(33), "deviation": torch.ones(33)}),
    ],
)
def test_standardisation_is_there_if_and_only_if_the_recipe_has_one(
    tmp_path, input_norm, standardisation
):
    model = make_model(input_norm=input_norm)
    write_model(tmp_path / "model.pt", model, standardisation=standardisation)
    assert_refused(tmp_path / "model.pt", "can't be used: .*standardisation")


@pytest.mark.parametrize(
    "recipe",
    [
        {"hidden_size": 10_000},
        {"hidden_size": 10**10},
        {"n_layers": 10**9},
        {"n_layers": 0},
        {"difference_lags": [0.1] * 1000},
        {"difference_lags": [float("inf")]},
        {"crop_seconds": "long"},
        {"pooling": "best"},
        {"input_norm": None},
        {"dropout": 2.0},
        {"colour": "red"},
    ],
    ids=" ".join,
)
def test_model_takes_no_more_memory_than_its_file_whatever_the_recipe_says(tmp_path, recipe):
    model = make_model()
    write_model(tmp_path / "model.pt", model, recipe=dataclasses.asdict(model.recipe) | recipe)
    assert_refused(tmp_path / "model.pt")


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": float("nan")},
        {"temperature": 0.0},
        {"temperature": 10**400},
        {"genres": "abc"},
        {"genres": ["a", "a", "a"]},
        {"genres": ["a", "b"]},
        {"settings": dataclasses.asdict(FrameSettings(hop_length=0))},
        {"settings": dataclasses.asdict(FrameSettings(frames=0))},
        {"settings": dataclasses.asdict(FrameSettings(sample_rate=44100))},
        {"settings": dataclasses.asdict(FrameSettings(n_fft=1024))},
        {"settings": dataclasses.asdict(FrameSettings(lowpass=20_000))},
        {"settings": [512]},
        {"recipe": None},
        {"state": {}},
        {"state": None},
    ],
    ids=" ".join,
)
def test_weights_that_make_no_model_are_refused_in_one_line(tmp_path, change):
    write_model(tmp_path / "model.pt", make_model(), **change)
    assert_refused(tmp_path / "model.pt")


@pytest.mark.parametrize(
    ("mean", "deviation"),
    [(torch.zeros(33), torch.zeros(33)), (torch.zeros(1), torch.ones(33)), (0.0, torch.ones(33))],
)
def test_standardisation_that_cannot_be_divided_by_or_does_not_fit_is_refused(
    tmp_path, mean, deviation
):
    standardisation = {"mean": mean, "deviation": deviation}
    model = make_model(input_norm="standardise")
    write_model(tmp_path / "model.pt", model, standardisation=standardisation)
    assert_refused(tmp_path / "model.pt")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e38])
def test_weights_that_give_no_finite_answer_are_refused_in_one_line(tmp_path, value):
    model = make_model()
    model.lstm.weight_hh_l0.data[0, 0] = value
    write_model(tmp_path / "model.pt", model)
    assert_refused(tmp_path / "model.pt")


def test_tensor_that_unfolds_to_more_than_its_file_is_refused(tmp_path):
    # One number stands for all of a matrix of 4 TB.
    state = dict(make_model().state_dict()) | {
        "lstm.weight_hh_l0": torch.ones(1).expand(10**6, 10**6)
    }
    write_model(tmp_path / "model.pt", make_model(), state=state)
    assert_refused(tmp_path / "model.pt")


def test_archive_that_unpacks_to_more_than_its_size_is_refused(tmp_path):
    write_model(tmp_path / "stored.pt", make_model())
    with (
        zipfile.ZipFile(tmp_path / "stored.pt") as stored,
        zipfile.ZipFile(tmp_path / "model.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in stored.namelist():
            packed.writestr(name, stored.read(name) + bytes(10**6))
    assert_refused(tmp_path / "model.pt")
