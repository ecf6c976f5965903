"""What a user may rely on about the calibration of a model's probabilities."""

import numpy as np
import pytest
import torch
from scipy.stats import binom

from genre_lstm.calibration import calibrate, fit_temperature, reliability


def draw_scores(n_clips=4000, sharpness=1.0):
    """Draw genres from known probabilities; the scores are `sharpness` times too sure of them."""
    generator = torch.Generator().manual_seed(0)
    true = torch.randn(n_clips, 4, generator=generator).mul(2).log_softmax(dim=1)
    genres = torch.multinomial(true.exp(), 1, generator=generator)[:, 0]
    return (sharpness * true).log_softmax(dim=1), genres


@pytest.mark.parametrize("sharpness", [0.4, 0.8, 1.5, 3.0])
def test_temperature_tells_how_overconfident_the_scores_are_and_never_sharpens_them(sharpness):
    temperature = fit_temperature(*draw_scores(sharpness=sharpness))
    assert temperature == pytest.approx(max(1, sharpness), rel=0.1)
    assert temperature == 1 or sharpness > 1


def test_calibration_lowers_the_error_and_the_loss_and_keeps_the_predictions():
    scores = {"validation": draw_scores(sharpness=3.0), "test": draw_scores(1000, 3.0)}
    calibration = calibrate(scores)
    for subset in scores:
        before, after = (calibration[subset][when] for when in ("before", "after"))
        assert after["error"] < 0.5 * before["error"]
        assert after["loss"] < before["loss"]
        n_right = [sum(c["n"] * c["accuracy"] for c in x["bins"]) for x in (before, after)]
        assert n_right[0] == pytest.approx(n_right[1])


def test_error_is_the_gap_between_confidence_and_accuracy_whose_interval_is_wilsons():
    # Ten clips at a confidence of 0.8, seven of them right.
    scores = torch.tensor([[0.8, 0.2]] * 10).log()
    result = reliability(scores, torch.tensor([0] * 7 + [1] * 3))
    assert result["error"] == pytest.approx(0.1)
    assert result["loss"] == pytest.approx(-(7 * np.log(0.8) + 3 * np.log(0.2)) / 10)
    (cell,) = result["bins"]
    assert (cell["n"], cell["confidence"], cell["accuracy"]) == (10, pytest.approx(0.8), 0.7)
    # Wilson's interval of 7 in 10
    z, n = 1.959964, 10
    center = (0.7 + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(0.7 * 0.3 / n + z**2 / (4 * n**2))
    assert (cell["low"], cell["high"]) == pytest.approx((center - half, center + half))


@pytest.mark.parametrize("n_clips", [3, 19, 60, 1007])
def test_bins_hold_ten_clips_or_more_and_every_clip_once(n_clips):
    sizes = [cell["n"] for cell in reliability(*draw_scores(n_clips))["bins"]]
    assert sum(sizes) == n_clips
    assert len(sizes) == 1 or min(sizes) >= 10
    assert len(sizes) <= 10


def test_error_expected_by_chance_is_that_of_binomial_draws():
    # Ten clips at a confidence of 0.75: a single draw is off by 0.05, 0.15, ..., never by the mean.
    scores = torch.tensor([[0.75, 0.25]] * 10).log()
    n_right = np.arange(11)
    gap = np.abs(n_right / 10 - 0.75) @ binom.pmf(n_right, 10, 0.75)
    result = reliability(scores, torch.zeros(10, dtype=int))
    assert result["expected_error"] == pytest.approx(gap, rel=0.1)


def test_temperature_is_one_where_there_are_no_errors_to_fit_it_to():
    scores = torch.log(torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]))
    assert fit_temperature(scores, torch.tensor([0, 1])) == 1.0
