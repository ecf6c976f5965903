"""The scores of a model: its answers to the clips of a subset, and how many are right."""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from genre_lstm.device import device_of
from genre_lstm.training import batches


class Answers(NamedTuple):
    """A model's answers to the clips of a batch or a subset, in file order."""

    log_probabilities: torch.Tensor  # (n, genres)
    genres: torch.Tensor  # (n,), the true ones


@torch.no_grad()
def answer(model, data, subset):
    """Return a model's `Answers` to every clip of a subset, batch by batch, as a list."""
    model.eval()
    return [
        Answers(model(features).cpu(), genres.cpu())
        for features, genres in batches(data, subset, model.recipe.batch_size, device_of(model))
    ]


def join(answers):
    """Return the `Answers` of several batches as one."""
    return Answers(*(torch.cat(tensors) for tensors in zip(*answers, strict=True)))


def score(answers, genres):
    """Score the answers to the clips of a subset.

    Parameters
    ----------
    answers : list of Answers
    genres : list of str
        The names of the genres.

    Returns
    -------
    dict
        ``n``, ``correct``, ``accuracy``, ``loss`` (mean negative log-likelihood, nats), ``recall``
        of each genre (None where it has no clips), and ``confusion`` (counts; rows are true).
    """
    confusion, loss = np.zeros((len(genres), len(genres)), dtype=int), 0.0
    for log_probabilities, true in answers:
        loss += float(nn.functional.nll_loss(log_probabilities, true, reduction="sum"))
        np.add.at(confusion, (true, log_probabilities.argmax(dim=1)), 1)
    n_clips, n_correct = int(confusion.sum()), int(confusion.trace())
    return {
        "n": n_clips,
        "correct": n_correct,
        "accuracy": n_correct / n_clips,
        "loss": loss / n_clips,
        "recall": {
            genre: float(row[i] / row.sum()) if row.any() else None
            for i, (genre, row) in enumerate(zip(genres, confusion, strict=True))
        },
        "confusion": confusion.tolist(),
    }
