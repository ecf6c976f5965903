"""The genre of a file, from its features."""

import numpy as np
import torch

from common.errors import InputError
from genre_features.audio import is_below_cutoff
from genre_features.silence import silent_frames
from genre_lstm.device import report_out_of_memory
from genre_lstm.similarity import is_unlike_training

MIN_SECONDS = 5  # experiments/robustness.py measures how shorter files fare


def classify(path, models, recording):
    """Predict the genre of a file, silent stretches left out, and say what speaks against it.

    Parameters
    ----------
    path : Path
    models : list of (GenreLSTM, dict)
        See `weights.load_models`; their probabilities are averaged.
    recording : Recording
        What `features.extract_file` read of the file, with the models' frame settings.

    Returns
    -------
    dict
        ``file``, ``genre``, ``probabilities`` (dict of str to float, the most likely genre first),
        ``seconds``, ``notes`` (list of str), and ``unlike_training``: whether the file is unlike
        the training clips, None if that can't be judged.

    Raises
    ------
    InputError
        The file is silent, or too long for the memory.
    """
    settings = models[0][1]["settings"]
    features = recording.features[~silent_frames(recording.features, settings)]
    if not len(features):
        raise InputError(f"{path} is silent: there is nothing to classify")
    with report_out_of_memory(f"{path} is too long: split it"):
        probabilities = predict(models, features)
    genre, probability = next(iter(probabilities.items()))
    caveats, unlike = find_caveats(path, features, models[0][1])
    if probability < 0.5:
        caveats.append("unsure: below 50%, a prediction is more likely wrong than right")
    return {
        "file": str(path),
        "genre": genre,
        "probabilities": probabilities,
        "seconds": recording.seconds,
        "notes": recording.notes + caveats,
        "unlike_training": unlike,
    }


def find_caveats(path, features, saved):
    """Say how a file differs from the training clips, and whether its sound is unlike theirs.

    The sound of a short file, or of one sampled at a low rate, can't be judged: it counts as None.
    """
    settings, unlike = saved["settings"], None
    is_short = len(features) * settings.seconds_per_frame < MIN_SECONDS
    is_narrow = is_below_cutoff(path, settings.lowpass)
    if not is_short and not is_narrow:
        unlike = is_unlike_training(saved["reference"], features, settings)
    caveats = {
        "unlike the training music: the genres may not fit": unlike,
        f"shorter than {MIN_SECONDS} s: right less often than with longer audio": is_short,
        f"sampled below {2 * (settings.lowpass or 0)} Hz: less reliable": is_narrow,
    }
    return [text for text, applies in caveats.items() if applies], unlike


@torch.inference_mode()
def predict(models, features):
    """Return the probability of every genre, the most likely first; see also `classify`.

    Parameters
    ----------
    models : list of (GenreLSTM, dict)
        See `weights.load_models`; their probabilities are averaged.
    features : numpy.ndarray, shape (T, 33)
        Those of a file, with the frame settings that the models were trained with.

    Returns
    -------
    dict of str to float

    Examples
    --------
    >>> from genre_features.cache import GenreFeatureData
    >>> from genre_lstm.weights import load_models
    >>> models = load_models("weights/PiecewiseDecay")
    >>> data = GenreFeatureData("gtzan").load()
    >>> genre, probability = next(iter(predict(models, data.inputs["test"][0]).items()))
    """
    tracks = torch.from_numpy(features)[None]
    probabilities = torch.stack(
        [(model.predict(tracks)[0] / saved["temperature"]).softmax(0) for model, saved in models]
    ).mean(dim=0)
    genres = models[0][1]["genres"]
    ranking = sorted(zip(probabilities.tolist(), genres, strict=True), reverse=True)
    return {genre: probability for probability, genre in ranking}


@torch.inference_mode()
def predict_over_time(models, features):
    """Return the probabilities of every genre in windows as long as a training example.

    Silent stretches are left out, as by `classify`: a window goes on behind them.

    Parameters
    ----------
    models, features
        See `predict`; the file mustn't be silent all through.

    Returns
    -------
    edges : numpy.ndarray, shape (windows + 1,)
        Where in the file each window begins and the last one ends (s). Windows overlap: the borders
        are halfway between the centres of neighbours.
    probabilities : numpy.ndarray, shape (windows, genres)
    """
    (first, saved), outputs = models[0], []
    heard = np.flatnonzero(~silent_frames(features, saved["settings"]))
    tracks = torch.from_numpy(features[heard])[None]
    for model, about in models:
        windows = list(model.predict_windows(tracks, first.crop_frames))
        starts, log_probs = (torch.cat(tensors) for tensors in zip(*windows, strict=True))
        outputs.append((log_probs[:, 0] / about["temperature"]).softmax(1))
    borders = (starts[1:] + starts[:-1] + first.crop_frames).numpy() / 2
    edges = np.interp([0, *borders, len(heard)], range(len(heard) + 1), [*heard, heard[-1] + 1])
    return edges * saved["settings"].seconds_per_frame, torch.stack(outputs).mean(dim=0).numpy()
