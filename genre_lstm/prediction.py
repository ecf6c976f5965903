"""The genre of a file, from its features."""

import numpy as np
import torch


@torch.inference_mode()
def predict(models, features):
    """Return the probability of every genre, the most likely first.

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
    >>> from genre_features.features import extract_file
    >>> from genre_lstm.weights import load_models
    >>> models = load_models("weights/reference/improved/PiecewiseDecay")
    >>> recording = extract_file("song.mp3", models[0][1]["settings"])
    >>> genre, probability = next(iter(predict(models, recording.features).items()))
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

    Parameters
    ----------
    models, features
        See `predict`.

    Returns
    -------
    edges : numpy.ndarray, shape (windows + 1,)
        Where each window begins and the last one ends (s). Windows overlap: the borders are halfway
        between the centres of neighbours.
    probabilities : numpy.ndarray, shape (windows, genres)
    """
    tracks, (first, saved) = torch.from_numpy(features)[None], models[0]
    outputs = []
    for model, about in models:
        windows = list(model.predict_windows(tracks, first.crop_frames))
        starts, log_probs = (torch.cat(tensors) for tensors in zip(*windows, strict=True))
        outputs.append((log_probs[:, 0] / about["temperature"]).softmax(1))
    borders = (starts[1:] + starts[:-1] + first.crop_frames).numpy() / 2
    edges = np.concatenate([[0], borders, [len(features)]])
    return edges * saved["settings"].seconds_per_frame, torch.stack(outputs).mean(dim=0).numpy()
