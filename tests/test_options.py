"""What a user may rely on about the training scripts' options."""

import dataclasses
import sys
from pathlib import Path

import pytest

from genre_lstm.options import parse_options
from genre_lstm.recipes import RECIPES, Recipe, recipe_options


@pytest.fixture
def parse(monkeypatch):
    """Return a function that reads options as a training script does."""

    def parse(*words):
        monkeypatch.setattr(sys, "argv", ["train.py", *map(str, words)])
        return parse_options("Train.")

    return parse


@pytest.mark.parametrize(
    ("words", "features", "place"),
    [
        ((), "gtzan", "."),
        (("--recipe", "improved"), "gtzan", "improved"),
        (("--demo",), "gtzan/demo", "demo"),
        (("--demo", "--recipe", "improved"), "gtzan/demo", "demo/improved"),
        (("--demo", "--features", "f", "--weights", "weights/w", "--result", "result/w"), "f", "w"),
    ],
    ids=" ".join,
)
def test_every_recipe_and_the_demo_have_their_own_folders_unless_others_are_named(
    parse, words, features, place
):
    options = parse(*words)
    assert options.features == Path(features)
    assert options.weights == Path("weights", place)
    assert options.result == Path("result", place)


def test_defaults_are_the_published_recipe_and_seed_0_on_the_fastest_device(parse):
    options = parse()
    assert options.recipe == RECIPES["published"] == Recipe()
    assert (options.seed, options.device, options.resume) == (0, "auto", False)


def test_settings_change_or_switch_off_those_of_the_named_recipe(parse):
    words = ("--recipe", "improved", "--epochs", 3, "--no-shuffle", "--difference-lags")
    changed = {"epochs": 3, "shuffle": False, "difference_lags": ()}
    assert parse(*words).recipe == dataclasses.replace(RECIPES["improved"], **changed)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Recipe)[1:]])
def test_every_setting_of_the_recipe_is_an_option(parse, name):
    changed = {str: "attention", bool: True, int: 3, float: 0.5, tuple: (0.1, 0.2)}
    (field,) = (field for field in dataclasses.fields(Recipe) if field.name == name)
    value = "batch" if name == "input_norm" else changed[field.type]
    for base in RECIPES.values():
        for recipe in (dataclasses.replace(base, **{name: value}), base):
            assert parse(*recipe_options(recipe)).recipe == recipe


@pytest.mark.parametrize(
    "words",
    [
        ("--epochs", 0),
        ("--dropout", 1),
        ("--batch-size", 2.5),
        ("--learning-rate", "nan"),
        ("--difference-lags", -1),
        ("--crop-seconds", "long"),
        ("--seed", -1),
        ("--pooling", "best"),
        ("--device", "tpu"),
    ],
    ids=lambda words: " ".join(map(str, words)),
)
def test_impossible_value_is_refused_with_the_option_it_was_given_to(parse, capsys, words):
    with pytest.raises(SystemExit) as stop:
        parse(*words)
    assert stop.value.code == 2
    assert f"argument {words[0]}:" in capsys.readouterr().err.splitlines()[-1]
