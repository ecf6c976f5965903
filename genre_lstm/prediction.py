"""The genre of a file, from its features."""

import numpy as np
import torch

from genre_lstm.device import is_out_of_memory

SHORT = 5  # s; experiments/robustness.py measures how they fare


@torch.inference_mode()
def classify(model, saved, features):
    """Return the probability of every genre, the most likely first.

    Parameters
    ----------
    model : GenreLSTM
    saved : dict
        See `weights.load_model`.
    features : numpy.ndarray, shape (T, 33)
        Those of a file, with the frame settings that the model was trained with.

    Returns
    -------
    dict of str to float

    Raises
    ------
    MemoryError
    """
    try:
        scores = model(torch.from_numpy(features)[None])[0] / saved["temperature"]
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise MemoryError from None
        raise
    ranking = sorted(zip(scores.softmax(0).tolist(), saved["genres"], strict=True), reverse=True)
    return {genre: probability for probability, genre in ranking}


def caveats(answer, seconds):
    """Return what speaks against an answer of `classify` to a file of some seconds, in words."""
    reasons = []
    if max(answer.values()) < 0.5:
        reasons.append("unsure: below 50%, an answer is more likely wrong than right")
    if seconds < SHORT:
        reasons.append(f"shorter than {SHORT} s: right less often than with longer audio")
    return reasons


@torch.inference_mode()
def classify_over_time(model, saved, features):
    """Return the probabilities of every genre in windows as long as a training example.

    Parameters
    ----------
    model, saved, features
        See `classify`.

    Returns
    -------
    edges : numpy.ndarray, shape (windows + 1,)
        Where each window begins and the last one ends (s). Windows overlap: the borders are halfway
        between the centres of neighbours.
    shares : numpy.ndarray, shape (windows, genres)
    """
    windows = model.classify_windows(torch.from_numpy(features)[None], model.crop_length)
    starts, scores = (torch.cat(some) for some in zip(*windows, strict=True))
    shares = (scores[:, 0] / saved["temperature"]).softmax(1).numpy()
    borders = (starts[1:] + starts[:-1] + model.crop_length).numpy() / 2
    edges = np.concatenate([[0], borders, [len(features)]])
    return edges * saved["settings"].seconds_per_frame, shares
