"""What a user may rely on about model.pt, also where it is damaged or made to do harm."""

import copy
import dataclasses
import json
import zlib

import pytest
import torch
from helpers import (
    ROOT,
    SCHEDULES,
    Trap,
    assert_one_line,
    full_disk,
    make_features,
    make_model,
    read_json,
    run,
)

from common.errors import InputError
from genre_features.frame import FEATURE_PARAMS, FrameSettings
from genre_lstm.recipes import INPUT_NORMS, POOLINGS
from genre_lstm.weights import load_model, load_models, read_tensors, save_model, write_tensors

SETTINGS = FrameSettings(frames=100)
REFERENCE = dict.fromkeys(("clips", "mean", "std", "bound"), 0.0)
ABOUT = {"genres": ["a", "b", "c"], "temperature": 1.5, "reference": REFERENCE, "seed": 7}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.pt"


def write_model(path, about=ABOUT, settings=SETTINGS, **recipe):
    """Write the model.pt of a model with a scaler; return the model."""
    model = make_model(**recipe)
    model.fit_scaler([(make_features(n_tracks=4), None)])
    save_model(path, model, settings, **about)
    return model


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("input_norm", INPUT_NORMS)
def test_loaded_model_predicts_as_the_saved_one(path, pooling, input_norm):
    model = write_model(path, pooling=pooling, input_norm=input_norm, difference_lags=(0.1,))
    loaded, saved = load_model(path)
    assert not loaded.training
    assert torch.equal(loaded.predict(make_features()), model.predict(make_features()))
    assert int(saved.pop("crc32"), 16) == zlib.crc32(path.read_bytes())
    assert saved == ABOUT | {"settings": SETTINGS, "recipe": dataclasses.asdict(model.recipe)}


def test_models_of_a_file_a_folder_or_all_below_it_are_loaded(tmp_path):
    files = [tmp_path / "a" / schedule / "model.pt" for schedule in SCHEDULES]
    for file in files:
        write_model(file)
    for place, n_models in ((files[0], 1), (files[0].parent, 1), (tmp_path, 2)):
        assert len(load_models(place)) == n_models
    write_model(tmp_path / "b" / "model.pt", about=ABOUT | {"genres": ["x", "y", "z"]})
    with pytest.raises(InputError, match=r"model\.pt differ in genres.*--weights"):
        load_models(tmp_path)
    with pytest.raises(InputError, match=r"no model\.pt in or below"):
        load_models(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("recipe", "folder", "schedule"),
    [
        *(("published", schedule, schedule) for schedule in SCHEDULES),
        *((recipe, "PiecewiseDecay-0", "PiecewiseDecay") for recipe in ("improved", "ten_genres")),
    ],
)
def test_shipped_weights_are_those_of_the_shipped_results(recipe, folder, schedule):
    _, saved = load_model(ROOT / "weights" / "reference" / recipe / folder / "model.pt")
    summary = read_json(ROOT / "result" / "reference" / recipe / schedule / "summary.json")
    assert FrameSettings.read(summary["settings"]) == saved["settings"]
    for key in ("schedule", "recipe", "seed", "genres", "versions"):
        assert json.loads(json.dumps(saved[key])) == summary[key]  # JSON knows no tuples


@pytest.mark.parametrize("name", ["improved", "ten_genres"])
def test_five_models_are_shipped_that_predict_together(name):
    models = load_models(ROOT / "weights" / "reference" / name)
    assert sorted(saved["seed"] for _, saved in models) == [0, 1, 2, 3, 4]


# Files of tensors


def test_full_disk_keeps_the_old_file(path):
    write_tensors(path, {"a": 1})
    with full_disk(10_000), pytest.raises(InputError, match=r"model\.pt.*make room"):
        write_tensors(path, {"a": torch.zeros(10_000)})
    assert read_tensors(path)["a"] == 1


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 a broken archive"])
def test_file_without_weights_prints_one_line_error(path, content):
    path.write_bytes(content)
    _, stderr = run("predict.py", "song.wav", "--weights", path, status=2)
    assert_one_line(stderr, path, "damaged")


def test_tensors_that_are_no_dict_are_refused(path):
    torch.save([torch.zeros(3)], path)
    with pytest.raises(InputError, match=r"model\.pt isn't a file of weights"):
        load_model(path)


def test_flipped_bit_is_noticed_wherever_it_is(path):
    write_model(path)
    content = path.read_bytes()
    start = content.index(b"data.pkl")
    for place in range(start + 100, len(content), len(content) // 20):
        damaged = bytearray(content)
        damaged[place] ^= 4
        path.write_bytes(damaged)
        if content[place:].startswith(b"\0"):  # padding between members isn't read
            continue
        with pytest.raises(InputError, match=r"model\.pt"):
            load_model(path)


def test_code_in_a_file_is_not_run(path):
    torch.save({"state": Trap(path.parent / "sprung")}, path)
    with pytest.raises(InputError, match=r"model\.pt"):
        load_model(path)
    assert not (path.parent / "sprung").exists()


# Models that can't be used


def test_model_saved_before_a_setting_was_added_has_the_default_of_it(path):
    write_model(path)
    content = torch.load(path)
    del content["recipe"]["mixup_alpha"], content["feature_version"]
    torch.save(content, path)
    assert load_model(path)[0].recipe.mixup_alpha == 0


def test_model_of_another_version_of_the_features_is_refused(path, monkeypatch):
    write_model(path)
    monkeypatch.setitem(FEATURE_PARAMS, "version", 2)
    with pytest.raises(InputError, match=r"model\.pt was trained on features of another version"):
        load_model(path)


@pytest.mark.parametrize("place", [None, "settings"])
def test_every_setting_is_required(path, place):
    write_model(path, about={key: value for key, value in ABOUT.items() if key != "seed"})
    whole = torch.load(path)
    for key in (whole if place is None else whole[place]).keys() - {"feature_version"}:
        content = copy.deepcopy(whole)
        (content if place is None else content[place]).pop(key)
        torch.save(content, path)
        with pytest.raises(InputError, match=r"model\.pt doesn't hold a model"):
            load_model(path)


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": {"hidden_size": 10**10}},
        {"recipe": {"difference_lags": [float("inf")]}},
        {"recipe": {"crop_seconds": "long"}},
        {"recipe": {"pooling": "best"}},
        {"recipe": {"shuffle": 1}},
        {"recipe": {"colour": "red"}},
        {"settings": {"hop_length": 0}},
        {"state": {"linear.bias": torch.zeros(4)}},
        {"state": {"linear.bias": torch.full((3,), float("nan"))}},
        {"state": {"unknown": torch.zeros(3)}},
        {"temperature": float("nan")},
        {"genres": ["a", "a", "a"]},
        {"genres": ["a", "b"]},
        {"state": None},
        {"reference": {}},
    ],
    ids=str,
)
def test_impossible_model_is_refused(path, change):
    write_model(path)
    content = torch.load(path)
    for key, value in change.items():
        content[key] = content[key] | value if isinstance(value, dict) and value else value
    torch.save(content, path)
    with pytest.raises(InputError, match=rf"^{path} doesn't hold a model.*$"):
        load_model(path)
