"""model.pt: the weights of a trained model, with all that is needed to rebuild and use it."""

import dataclasses

import torch

from genre_features.frame import FrameSettings
from genre_lstm.model import GenreLSTM
from genre_lstm.recipes import INPUT_NORMS, POOLINGS, SCHEDULES, Recipe
from genre_lstm.tensors import check_tensors, read_tensors, write_tensors
from plumbing.inputs import LARGEST, InputError, are_names

NAME = "model.pt"


def save_model(path, model, settings, **about):
    """Write a model's weights, input processing and settings, and more `about` it.

    Parameters
    ----------
    path : path-like
    model : GenreLSTM
    settings : FrameSettings
    **about
        ``genres`` and ``temperature``, and other plain values.
    """
    standardisation = None
    if model.is_standardised:
        standardisation = {"mean": model.input_mean.cpu(), "deviation": model.input_deviation.cpu()}
    content = {
        "state": {name: tensor.cpu() for name, tensor in model.state_dict().items()},
        "standardisation": standardisation,
        "recipe": dataclasses.asdict(model.recipe),
        "settings": dataclasses.asdict(settings),
        **about,
    }
    write_tensors(path, content)


def load_model(path):
    """Rebuild a trained model from its ``model.pt`` alone.

    Returns
    -------
    model : GenreLSTM
        On the CPU, in evaluation mode.
    saved : dict
        What the file holds beside the weights: ``genres``, ``settings`` (a `FrameSettings`),
        ``temperature`` (it divides the log-probabilities), ``recipe``, ...

    Raises
    ------
    InputError
        The file holds no model, or one that can't give finite answers.
    """
    saved = read_tensors(path)
    try:
        recipe, saved["temperature"] = Recipe(**saved["recipe"]), float(saved["temperature"])
        # Earlier versions called the frame settings "features".
        saved["settings"] = FrameSettings.read(saved.pop("features", None) or saved["settings"])
        check_settings(recipe, saved["genres"], saved["temperature"])
        state, standardisation = saved.pop("state"), saved.pop("standardisation")
        model = build(recipe, saved["genres"], saved["settings"], state, standardisation)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError):
        raise InputError(f"{path} doesn't hold the weights of a GenreLSTM") from None
    return model.eval(), saved


def check_settings(recipe, genres, temperature):
    """Raise ValueError unless these are settings that a model can be saved with."""
    numbers = (*recipe.deltas, recipe.crop, temperature)
    if not (
        are_names(genres)
        and recipe.input_norm in INPUT_NORMS
        and recipe.pooling in POOLINGS
        and all(isinstance(number, float | int) and 0 <= number <= LARGEST for number in numbers)
        and temperature > 1e-3
    ):
        raise ValueError


def build(recipe, genres, settings, state, standardisation):
    """Return a model with the tensors of a file as its weights; ValueError unless they fit."""
    if recipe.n_layers > len(state):
        raise ValueError
    # Tensors on the meta device take no memory. The file's own replace them, so that the model
    # takes no more memory than its file, whatever the recipe says.
    with torch.device("meta"):
        model = GenreLSTM(len(genres), recipe, settings)
    n_inputs = model.lstm.input_size
    mean, deviation = torch.zeros(n_inputs), torch.ones(n_inputs)
    if standardisation:
        mean, deviation = standardisation["mean"], standardisation["deviation"]
    check_tensors(
        {**state, "input_mean": mean, "input_deviation": deviation},
        dict([*model.named_parameters(), *model.named_buffers()]),
    )
    model.load_state_dict(state, assign=True)
    model.input_mean, model.input_deviation = mean, deviation
    return model


def find_weights(path):
    """Return the model.pt meant by a path: itself, in this folder, or in a schedule's folder in it.

    Raises
    ------
    InputError
        There is none.
    """
    if path.is_file():
        return path
    candidates = [path / NAME, *(path / schedule / NAME for schedule in SCHEDULES)]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise InputError(
        f"no {NAME} in {path}: train a model first, or name a {NAME} or its folder with --weights"
    )
