"""What a user may rely on about the recipes and their names."""

import dataclasses

import pytest

from genre_lstm.recipes import RECIPES, Recipe, changed_settings, recipe_title


@pytest.mark.parametrize("name", RECIPES)
def test_unchanged_recipe_is_called_by_its_name(name):
    assert RECIPES[name].name == name
    assert recipe_title(RECIPES[name]) == f"{name} recipe"


@pytest.mark.parametrize(
    ("recipe", "title"),
    [
        (Recipe(epochs=60), "published, 60 epochs"),
        (Recipe(epochs=60, learning_rate=0.001), "published, 60 epochs, learning rate 0.001"),
        (dataclasses.replace(RECIPES["improved"], batch_size=5), "improved, batch size 5"),
    ],
)
def test_title_names_the_recipe_and_every_changed_setting(recipe, title):
    assert recipe_title(recipe) == title


def test_changed_settings_are_those_that_differ_and_no_others():
    assert changed_settings(Recipe(), Recipe()) == {}
    assert changed_settings(Recipe(crop_seconds=8.0), Recipe()) == {"crop_seconds": 8.0}


def test_improved_recipe_keeps_the_two_layers_of_the_published_one():
    for setting in ("hidden_size", "n_layers"):
        assert getattr(RECIPES["improved"], setting) == getattr(RECIPES["published"], setting)
