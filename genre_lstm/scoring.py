"""The scores of a model on the clips of a subset."""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from genre_lstm.batches import batches


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
