"""model.pt: the weights of a trained model, with all that is needed to rebuild and use it."""

import dataclasses
import io
import zipfile
import zlib
from pathlib import Path

import torch

from common.errors import InputError, are_names
from common.files import atomic_write, check_file
from genre_features.frame import FEATURE_PARAMS, FrameSettings
from genre_lstm.model import GenreLSTM
from genre_lstm.recipes import Recipe

NAME = "model.pt"
# Raised by values of wrong types or sizes in a file that torch.load accepts.
LOAD_ERRORS = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RuntimeError)


def write_tensors(path, content):
    """Write a dict of tensors and plain values to a file."""
    # Through memory, since torch.save turns the error of a full disk into a RuntimeError.
    memory = io.BytesIO()
    torch.save(content, memory)
    with atomic_write(path) as temporary:
        temporary.write_bytes(memory.getbuffer())


def read_tensors(path):
    """Read a dict of tensors and plain values, and its ``crc32``; InputError for other files."""
    check_file(path)
    content = Path(path).read_bytes()  # its own errors name the file
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if damaged := archive.testzip():  # torch.load doesn't compare the checksums
                raise ValueError(damaged)
        tensors = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        return tensors | {"crc32": f"{zlib.crc32(content):08x}"}
    except Exception:  # of any type: damaged files call functions with any arguments
        raise InputError(
            f"{path} isn't a file of weights as the training scripts write them: it is "
            "damaged, or holds more than tensors and plain values"
        ) from None


def save_model(path, model, settings, **about):
    """Write a model's weights, recipe and frame settings.

    Parameters
    ----------
    path : path-like
    model : GenreLSTM
    settings : FrameSettings
    **about
        ``genres`` (list of str), ``temperature`` (float), ``reference`` (see
        `similarity.fit_reference`), and other plain values.
    """
    content = {
        "state": {name: tensor.cpu() for name, tensor in model.state_dict().items()},
        "recipe": dataclasses.asdict(model.recipe),
        "settings": dataclasses.asdict(settings),
        "feature_version": FEATURE_PARAMS["version"],
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
        The other content of the file: ``genres``, ``settings`` (a `FrameSettings`),
        ``temperature`` (it divides the log-probabilities), ``reference``, ``recipe``, ... And
        ``crc32``, the file's checksum as text.

    Raises
    ------
    InputError
        It is no such model, isn't finite, or was trained on features of another version.
    """
    saved = read_tensors(path)
    if saved.pop("feature_version", 1) != FEATURE_PARAMS["version"]:
        raise InputError(f"{path} was trained on features of another version: train it again")
    try:
        state = saved.pop("state")
        saved["settings"] = FrameSettings.read(saved["settings"])
        saved["temperature"] = float(saved["temperature"])
        recipe = Recipe.from_dict(saved["recipe"])
        if not (are_names(saved["genres"]) and saved["genres"] and saved["temperature"] > 1e-3):
            raise ValueError
        if saved["reference"].keys() != {"clips", "mean", "std", "bound"}:
            raise ValueError
        # A recipe can ask for more layers than fit in memory: on the meta device, they take none.
        with torch.device("meta"):
            model = GenreLSTM(len(saved["genres"]), recipe, saved["settings"])
        model.load_state_dict(state, assign=True)
        if not all(torch.isfinite(tensor).all() for tensor in model.state_dict().values()):
            raise ValueError
    except LOAD_ERRORS:
        raise InputError(
            f"{path} doesn't hold a model that the training scripts of this version write"
        ) from None
    return model.eval(), saved


def load_models(path):
    """Load the models that predict together: a file, or every model.pt in and below a folder.

    Returns
    -------
    list of (GenreLSTM, dict)
        See `load_model`.

    Raises
    ------
    InputError
        There is none, one can't be loaded, or they differ in genres or frame settings.
    """
    path = Path(path)
    files = [path] if path.is_file() else sorted(path.rglob(NAME))
    if not files:
        raise InputError(
            f"no {NAME} in or below {path}: train a model first, or name one with --weights"
        )
    models = [load_model(file) for file in files]
    first = models[0][1]
    for file, (_, saved) in zip(files, models, strict=True):
        if (saved["genres"], saved["settings"]) != (first["genres"], first["settings"]):
            raise InputError(
                f"{files[0]} and {file} differ in genres or frame settings: name one of them, or "
                "its folder, with --weights"
            )
    return models


def checksum(models):
    """Return the CRC-32 of each model's file as text, by which weights are told from others."""
    return " ".join(saved["crc32"] for _, saved in models)
