"""The scores of a model, and how far its probabilities can be trusted."""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from genre_lstm.training import batches, device_of

N_BINS = 10  # of the confidence, all of the same width


class Answers(NamedTuple):
    """A model's answers to the clips of a batch or a part, in file order."""

    log_probabilities: torch.Tensor  # (n, genres)
    genres: torch.Tensor  # (n,), the true ones


@torch.no_grad()
def answer(model, data, part):
    """Return a model's `Answers` to every clip of a part, batch by batch, as a list."""
    model.eval()
    return [
        Answers(model(features).cpu(), genres.cpu())
        for features, genres in batches(data, part, model.recipe.batch_size, device_of(model))
    ]


def join(answers):
    """Return the `Answers` of several batches as one."""
    return Answers(*(torch.cat(tensors) for tensors in zip(*answers, strict=True)))


def score(answers, genres):
    """Score the answers to the clips of a part.

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


def fit_temperature(log_probabilities, genres):
    """Find the temperature that, dividing the log-probabilities, gives the lowest loss.

    Parameters
    ----------
    log_probabilities : torch.Tensor, shape (n, genres)
        Those of clips that the model wasn't trained on.
    genres : torch.Tensor, shape (n,)

    Returns
    -------
    float
        Above 1 (up to 20) if the model is overconfident, below 1 (down to 0.05) if it is
        underconfident. 1 if all answers are right: the temperature can't be fitted without errors.

    References
    ----------
    .. [1] Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    from scipy.optimize import minimize_scalar  # imported here: it is needed once, at the end

    if (log_probabilities.argmax(dim=1) == genres).all():
        return 1.0

    def loss(log_temperature):
        scores = log_probabilities.double() / np.exp(log_temperature)
        return float(nn.functional.cross_entropy(scores, genres))

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def reliability(log_probabilities, genres, temperature=1.0):
    """Compare a model's confidence in its answers with how often they are right.

    Parameters
    ----------
    log_probabilities : torch.Tensor, shape (n, genres)
    genres : torch.Tensor, shape (n,)
    temperature : float

    Returns
    -------
    dict
        ``loss`` (mean negative log-likelihood, nats), ``error`` (expected calibration error: the
        mean difference of confidence and accuracy over the bins, weighted by their clips [1]_)
        and ``bins``: ``n``, mean ``confidence`` and ``accuracy`` of each bin of confidences that
        isn't empty.

    References
    ----------
    .. [1] Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning", AAAI
       2015.
    """
    scores = log_probabilities.double() / temperature
    confidence, answer = (values.numpy() for values in scores.softmax(dim=1).max(dim=1))
    is_right = answer == genres.numpy()
    places = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    bins = [
        {
            "n": int(chosen.sum()),
            "confidence": float(confidence[chosen].mean()),
            "accuracy": float(is_right[chosen].mean()),
        }
        for chosen in (places == place for place in range(N_BINS))
        if chosen.any()
    ]
    differences = [b["n"] * abs(b["confidence"] - b["accuracy"]) for b in bins]
    return {
        "loss": float(nn.functional.cross_entropy(scores, genres)),
        "error": sum(differences) / len(genres),
        "bins": bins,
    }


def calibrate(answers):
    """Fit a temperature to the validation part, and compare confidence and accuracy with it.

    Parameters
    ----------
    answers : dict of str to Answers
        Those of each part, ``validation`` among them.

    Returns
    -------
    dict
        ``temperature`` and, for each part, its `reliability` ``before`` and ``after``.
    """
    temperature = fit_temperature(*answers["validation"])
    return {
        "temperature": temperature,
        **{
            part: {
                "before": reliability(*part_answers),
                "after": reliability(*part_answers, temperature),
            }
            for part, part_answers in answers.items()
        },
    }
