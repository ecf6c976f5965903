"""What a user may rely on about the names of recipes."""

import dataclasses

import pytest

from genre_lstm.recipes import RECIPES, Recipe, recipe_title


@pytest.mark.parametrize(
    ("recipe", "title"),
    [
        (RECIPES["published"], "published recipe"),
        (RECIPES["improved"], "improved recipe"),
        (Recipe(epochs=60, learning_rate=0.001), "published, 60 epochs, learning rate 0.001"),
        (dataclasses.replace(RECIPES["improved"], batch_size=5), "improved, batch size 5"),
    ],
)
def test_title_names_the_recipe_and_every_changed_setting(recipe, title):
    assert recipe_title(recipe) == title
