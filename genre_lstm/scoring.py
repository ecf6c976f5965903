"""The scores of a model on the clips of a subset."""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from genre_lstm.batches import batches

N_DRAWS = 10_000  # of the bootstrap


class Predictions(NamedTuple):
    """A model's predictions for the clips of a subset, in file order."""

    log_probs: torch.Tensor  # (n, genres)
    targets: torch.Tensor  # (n,), the true genres


@torch.no_grad()
def evaluate(model, data, subset):
    """Score a model on every clip of a subset.

    Parameters
    ----------
    model : GenreLSTM
    data : GenreFeatureData
    subset : str

    Returns
    -------
    scores : dict
        ``n``, ``correct``, ``accuracy``, ``loss`` (mean negative log-likelihood, nats), ``recall``
        of each genre (None where it has no clips), and ``confusion`` (counts; rows are true).
    predictions : Predictions
    """
    model.eval()
    loss, outputs, device = 0.0, [], model.input_mean.device
    for features, targets in batches(data, subset, model.recipe.batch_size, device):
        log_probs, targets = model.predict(features).cpu(), targets.cpu()
        loss += float(nn.functional.nll_loss(log_probs, targets, reduction="sum"))
        outputs.append((log_probs, targets))
    predictions = Predictions(*(torch.cat(tensors) for tensors in zip(*outputs, strict=True)))

    confusion = np.zeros((len(data.genres), len(data.genres)), dtype=int)
    np.add.at(confusion, (predictions.targets, predictions.log_probs.argmax(dim=1)), 1)
    n_clips, n_correct = int(confusion.sum()), int(confusion.trace())
    scores = {
        "n": n_clips,
        "correct": n_correct,
        "accuracy": n_correct / n_clips,
        "loss": loss / n_clips,
        "recall": {
            genre: float(row[i] / row.sum()) if row.any() else None
            for i, (genre, row) in enumerate(zip(data.genres, confusion, strict=True))
        },
        "confusion": confusion.tolist(),
    }
    return scores, predictions


def score_groups(right, groups):
    """Return the mean over groups of their accuracy, with a 95 % interval.

    Clips of one artist are alike, so an interval that counts each as a draw of its own is too
    narrow. Here whole groups are drawn with replacement. With few groups, the interval is still
    too narrow; with one, it has no width.

    Parameters
    ----------
    right : numpy.ndarray, shape (N,), bool
        Whether each clip's prediction is right.
    groups : numpy.ndarray, shape (N,)
        The group of each clip, such as its artist.

    Returns
    -------
    mean, low, high : float

    References
    ----------
    The percentile interval of B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap",
    chapter 13, 1993; with groups as in C. A. Field, A. H. Welsh, "Bootstrapping clustered data",
    Journal of the Royal Statistical Society B 69(3), 2007.
    """
    _, rows = np.unique(groups, return_inverse=True)
    accuracies = np.bincount(rows, right) / np.bincount(rows)
    rng, n = np.random.default_rng(0), len(accuracies)
    means = [accuracies[rng.integers(n, size=(10, n))].mean(axis=1) for _ in range(N_DRAWS // 10)]
    return float(accuracies.mean()), *np.quantile(means, (0.025, 0.975)).tolist()


def summarise_groups(predictions, data, subset):
    """Return the scores of a subset by group, for ``summary.json``.

    Parameters
    ----------
    predictions : Predictions
    data : GenreFeatureData
        With groups.
    subset : str

    Returns
    -------
    dict
        ``n``, the number of groups, and that of each genre (``n_by_genre``); ``accuracy``, the mean
        over the groups, and its 95 % ``interval``; see `score_groups`.
    """
    groups, targets = np.array(data.groups[subset]), predictions.targets.numpy()
    right = predictions.log_probs.argmax(dim=1).numpy() == targets
    accuracy, *interval = score_groups(right, groups)
    return {
        "n": len(np.unique(groups)),
        "n_by_genre": {
            genre: len(np.unique(groups[targets == i])) for i, genre in enumerate(data.genres)
        },
        "accuracy": accuracy,
        "interval": interval,
    }
