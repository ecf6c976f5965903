"""Calibration: temperature scaling, and the reliability of a model's probabilities."""

import numpy as np
from torch import nn

MAX_BINS = 10
MIN_CLIPS = 10  # in a bin: the accuracy of fewer is too uncertain
N_DRAWS = 500  # simulations of the calibration error of exact probabilities


def fit_temperature(log_probs, targets):
    """Find the temperature that, dividing the log-probabilities, gives the lowest loss.

    It is never below 1. On clips that the recipe was chosen on, or that share artists with training
    clips, a model looks underconfident; a lower temperature would make it overconfident on other
    music.

    Parameters
    ----------
    log_probs : torch.Tensor, shape (n, genres)
        Those of held-out clips.
    targets : torch.Tensor, shape (n,)

    Returns
    -------
    float
        Above 1 (up to 20) if the model is overconfident. 1 if it isn't, or if every prediction is
        right: the temperature can't be fitted without errors.

    References
    ----------
    .. [1] Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    from scipy.optimize import minimize_scalar  # imported here: it takes half a second

    if (log_probs.argmax(dim=1) == targets).all():
        return 1.0

    def loss(temperature):
        return float(nn.functional.cross_entropy(log_probs.double() / temperature, targets))

    temperature = float(minimize_scalar(loss, bounds=(1, 20), method="bounded").x)
    return temperature if loss(temperature) < loss(1) else 1.0


def reliability(log_probs, targets, temperature=1.0):
    """Compare a model's confidence with its accuracy.

    Parameters
    ----------
    log_probs : torch.Tensor, shape (n, genres)
    targets : torch.Tensor, shape (n,)
    temperature : float

    Returns
    -------
    dict
        ``loss`` (mean negative log-likelihood, nats), ``bins`` and two errors. Each bin holds
        about as many clips as the others, from the least to the most confident [1]_: ``n``, mean
        ``confidence``, ``accuracy``, and its 95 % Wilson interval from ``low`` to ``high``.
        ``error`` is the expected calibration error, the mean difference of confidence and accuracy
        over the bins, weighted by their clips; ``expected_error`` is that of a perfectly
        calibrated model, by chance alone, on as many clips.

    References
    ----------
    .. [1] Nguyen and O'Connor, "Posterior calibration and exploratory analysis for natural
       language processing models", EMNLP 2015.
    """
    scores = log_probs.double() / temperature
    confidence, predicted = (values.numpy() for values in scores.softmax(dim=1).max(dim=1))
    is_right = predicted == targets.numpy()
    n_bins = max(1, min(MAX_BINS, len(targets) // MIN_CLIPS))
    bins = np.array_split(np.argsort(confidence, kind="stable"), n_bins)
    rng = np.random.default_rng(0)
    gaps = [abs(confidence[rows].mean() - is_right[rows].mean()) for rows in bins]
    by_chance = [chance_gap(confidence[rows], rng) for rows in bins]
    sizes = [len(rows) for rows in bins]
    return {
        "loss": float(nn.functional.cross_entropy(scores, targets)),
        "error": float(np.average(gaps, weights=sizes)),
        "expected_error": float(np.average(by_chance, weights=sizes)),
        "bins": [describe_bin(confidence[rows], is_right[rows]) for rows in bins],
    }


def chance_gap(confidence, rng):
    """Return the mean gap between confidence and accuracy of exact probabilities."""
    right = rng.random((N_DRAWS, len(confidence))) < confidence
    return np.abs(right.mean(axis=1) - confidence.mean()).mean()


def describe_bin(confidence, is_right):
    """Return the content of a bin, see `reliability`."""
    n, n_right = len(is_right), int(is_right.sum())
    low, high = wilson_interval(n_right, n)
    mean = float(confidence.mean())
    return {"n": n, "confidence": mean, "accuracy": n_right / n, "low": low, "high": high}


def wilson_interval(n_right, n):
    """Return the ends of the 95 % Wilson interval of an accuracy, of `n` predictions."""
    from scipy.stats import binomtest  # imported here, as above

    interval = binomtest(n_right, n).proportion_ci(0.95, method="wilson")
    return interval.low, interval.high


def calibrate(predictions):
    """Fit a temperature to the validation subset; score the reliability without and with it.

    Parameters
    ----------
    predictions : dict of str to Predictions
        Those of each subset, ``validation`` among them.

    Returns
    -------
    dict
        ``temperature`` and, for each subset, its `reliability` ``before`` and ``after``.
    """
    temperature = fit_temperature(*predictions["validation"])
    calibration = {"temperature": temperature}
    for subset, (log_probs, targets) in predictions.items():
        before, after = (reliability(log_probs, targets, t) for t in (1.0, temperature))
        calibration[subset] = {"before": before, "after": after}
    return calibration
