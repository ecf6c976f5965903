"""How far a model's probabilities can be believed, and the temperature that mends them."""

import numpy as np
from scipy.optimize import minimize_scalar
from torch import nn

N_BINS = 10  # of the confidence, each as wide as the others


def fit_temperature(log_probabilities, genres):
    """Find the temperature that divides the scores for the lowest loss on some clips.

    Parameters
    ----------
    log_probabilities : torch.Tensor, shape (n, genres)
        Of clips that the model wasn't trained on.
    genres : torch.Tensor, shape (n,)

    Returns
    -------
    float
        Above 1 where the model is too sure of itself, at most 20; below 1, at least 0.05, where
        it isn't sure enough. 1 if all answers are right: how sure to be, errors alone can tell.

    References
    ----------
    .. [1] Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    if (log_probabilities.argmax(dim=1) == genres).all():
        return 1.0

    def loss(log_temperature):
        scores = log_probabilities.double() / np.exp(log_temperature)
        return float(nn.functional.cross_entropy(scores, genres))

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def reliability(log_probabilities, genres, temperature=1.0):
    """Compare how sure a model is of its answers with how often they are right.

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
        and ``bins``: of each bin of confidences that holds clips its ``n``, mean ``confidence``
        and ``accuracy``.

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
    """Fit a temperature to the validation part and say what it does to every part.

    Parameters
    ----------
    answers : dict of str to (torch.Tensor, torch.Tensor)
        For each part, ``validation`` among them, log-probabilities (n, genres) and genres (n,).

    Returns
    -------
    dict
        ``temperature`` and, for each part, `reliability` ``before`` and ``after``.
    """
    temperature = fit_temperature(*answers["validation"])
    return {
        "temperature": temperature,
        **{
            part: {"before": reliability(*found), "after": reliability(*found, temperature)}
            for part, found in answers.items()
        },
    }
