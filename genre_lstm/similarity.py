"""How much a recording resembles the training clips, whatever genre is predicted for it."""

import numpy as np
import torch

from genre_features.frame import COLUMNS

LAGS = (0.08, 0.31)  # s, of the changes that are measured: within a note, and within a beat
N_NEIGHBOURS = 5  # one close training clip could be chance
QUANTILE = 0.95  # of the training clips' distances: one clip in 20 is called unlike the others
MAX_CLIPS = 2000  # training clips that are stored, drawn at random from more


def clip_statistics(features, settings):
    """Describe a recording by statistics of its MFCC.

    They are the means of MFCC 1 to 12, and the standard deviations of MFCC 0 to 12 and of their
    changes over `LAGS`. The mean of MFCC 0, the level, is left out.

    Parameters
    ----------
    features : numpy.ndarray, shape (T, 33)
    settings : FrameSettings

    Returns
    -------
    numpy.ndarray, shape (51,), float32
    """
    mfcc = np.asarray(features[:, COLUMNS["mfcc"]], dtype=np.float64)
    statistics = [mfcc[:, 1:].mean(axis=0), mfcc.std(axis=0)]
    for seconds in LAGS:
        lag = min(settings.frames_in(seconds), len(mfcc) - 1)
        changes = mfcc[lag:] - mfcc[: len(mfcc) - lag]
        statistics.append(changes.std(axis=0))
    return np.concatenate(statistics).astype(np.float32)


def fit_reference(data):
    """Return the statistics of the training clips that `is_unlike_training` compares with.

    Parameters
    ----------
    data : GenreFeatureData

    Returns
    -------
    dict of str to torch.Tensor
        ``clips`` (n, 51), standardised; their ``mean`` and ``std`` (51,); and the ``bound`` (),
        the 95 % quantile of the training clips' distances to the others.
    """
    clips = data.inputs["train"]
    if isinstance(clips, torch.Tensor):  # on a GPU; see `batches.preload`
        clips = clips.cpu().numpy()
    rows = np.sort(np.random.default_rng(0).permutation(len(clips))[:MAX_CLIPS])
    statistics = np.stack([clip_statistics(clips[row], data.settings) for row in rows])
    statistics = torch.from_numpy(statistics)
    std, mean = torch.std_mean(statistics, dim=0, unbiased=False)
    std = torch.where(std > 1e-6, std, 1.0)
    clips = (statistics - mean) / std
    distances = torch.cdist(clips, clips).fill_diagonal_(torch.inf)
    nearest = distances.sort(dim=1).values[:, min(N_NEIGHBOURS, len(clips) - 1) - 1]
    bound = nearest.quantile(QUANTILE) if len(clips) > 1 else torch.tensor(0.0)
    return {"clips": clips, "mean": mean, "std": std, "bound": bound}


def distance_to_training(reference, features, settings):
    """Return how far a recording lies from the training clips.

    This is the distance to the fifth nearest of them, a common score for novelty [1]_.

    Parameters
    ----------
    reference : dict of str to torch.Tensor
        See `fit_reference`.
    features : numpy.ndarray, shape (T, 33)
    settings : FrameSettings

    Returns
    -------
    float

    References
    ----------
    .. [1] Ramaswamy et al., "Efficient algorithms for mining outliers from large data sets",
       SIGMOD 2000.
    """
    statistics = torch.from_numpy(clip_statistics(features, settings))
    point = (statistics - reference["mean"]) / reference["std"]
    distances = (reference["clips"] - point).norm(dim=1).sort().values
    return float(distances[min(N_NEIGHBOURS, len(distances)) - 1])


def is_unlike_training(reference, features, settings):
    """Whether a recording lies further from the training clips than 95 % of them do."""
    return distance_to_training(reference, features, settings) > float(reference["bound"])
