"""model.pt: the weights of a trained model, with all that is needed to rebuild and use it."""

import dataclasses
import reprlib

import torch

from common.errors import MAX_NUMBER, InputError, are_names
from genre_features.frame import FrameSettings
from genre_lstm.model import GenreLSTM
from genre_lstm.recipes import INPUT_NORMS, POOLINGS, SCHEDULES, Recipe
from genre_lstm.tensors import check_tensors, read_tensors, write_tensors

NAME = "model.pt"
NEEDED = {"state", "standardisation", "recipe", "settings", "genres", "temperature"}
ABOUT = {"schedule", "seed", "versions"}


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
        # Earlier versions called the frame settings "features", and had no low-pass filter.
        if "features" in saved:
            saved["settings"] = saved.pop("features")
        check_keys("content", saved, NEEDED, ABOUT)
        check_keys("recipe", saved["recipe"], names_in(Recipe))
        check_keys(
            "settings", saved["settings"], names_in(FrameSettings) - {"lowpass"}, {"lowpass"}
        )
        saved["settings"] = FrameSettings.read(saved["settings"])
        recipe, saved["temperature"] = Recipe(**saved["recipe"]), float(saved["temperature"])
        check_settings(recipe, saved["genres"], saved["temperature"])
        state, standardisation = saved.pop("state"), saved.pop("standardisation")
        model = build(recipe, saved["genres"], saved["settings"], state, standardisation)
    except InputError as error:
        raise InputError(f"{path} can't be used: {error}") from None
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError):
        raise InputError(f"{path} doesn't hold the weights of a GenreLSTM") from None
    return model.eval(), saved


def names_in(settings):
    """Return the names of the fields of a dataclass."""
    return {field.name for field in dataclasses.fields(settings)}


def check_keys(what, found, needed, optional=frozenset()):
    """Raise InputError if `what` was found lacks a needed key, or has one that isn't known.

    A default in the place of a missing setting would change the answers in silence.
    """
    if missing := needed - found.keys():
        raise InputError(f"its {what} lacks {', '.join(sorted(missing))}")
    if unknown := found.keys() - needed - optional:
        names = ", ".join(sorted(map(reprlib.repr, unknown)))
        raise InputError(f"its {what} has {names}, unknown to this version")


def check_settings(recipe, genres, temperature):
    """Raise ValueError unless these are settings that a model can be saved with."""
    numbers = (*recipe.difference_lags, recipe.crop_seconds, temperature)
    if not (
        are_names(genres)
        and recipe.input_norm in INPUT_NORMS
        and recipe.pooling in POOLINGS
        and all(isinstance(number, float | int) and 0 <= number <= MAX_NUMBER for number in numbers)
        and temperature > 1e-3
    ):
        raise ValueError


def build(recipe, genres, settings, state, standardisation):
    """Return a model with the tensors of a file as its weights.

    Raises
    ------
    InputError, ValueError
        They don't fit.
    """
    if 4 * recipe.n_layers > len(state):  # a layer has four tensors
        raise ValueError
    # Tensors on the meta device take no memory. The file's own replace them, so that the model
    # takes no more memory than its file, whatever the recipe says.
    with torch.device("meta"):
        model = GenreLSTM(len(genres), recipe, settings)
    n_inputs = model.lstm.input_size
    mean, deviation = torch.zeros(n_inputs), torch.ones(n_inputs)
    if model.is_standardised:
        check_keys("standardisation", standardisation or {}, {"mean", "deviation"})
        mean, deviation = standardisation["mean"], standardisation["deviation"]
    elif standardisation is not None:
        raise InputError(f"it has a standardisation, but an input_norm of {recipe.input_norm}")
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
    if path.exists() and not path.is_dir():
        return path
    candidates = [path / NAME, *(path / schedule / NAME for schedule in SCHEDULES)]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise InputError(
        f"no {NAME} in {path}: train a model first, or name a {NAME} or its folder with --weights"
    )
