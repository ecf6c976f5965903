"""What a user may rely on about the probabilities that a model gives."""

import numpy as np
import pytest
import torch

from genre_lstm.calibration import calibrate, fit_temperature, reliability


def make_answers(n_clips=4000, sharpness=1.0):
    """Draw genres from known probabilities; the scores are `sharpness` times too sure of them."""
    generator = torch.Generator().manual_seed(0)
    true = torch.randn(n_clips, 4, generator=generator).mul(2).log_softmax(dim=1)
    genres = torch.multinomial(true.exp(), 1, generator=generator)[:, 0]
    return (sharpness * true).log_softmax(dim=1), genres


@pytest.mark.parametrize("sharpness", [1.5, 3.0])
def test_temperature_finds_how_much_too_sure_the_scores_are(sharpness):
    assert fit_temperature(*make_answers(sharpness=sharpness)) == pytest.approx(sharpness, rel=0.1)


@pytest.mark.parametrize("sharpness", [0.4, 0.8])
def test_scores_that_look_too_modest_are_never_sharpened(sharpness):
    assert fit_temperature(*make_answers(sharpness=sharpness)) == 1.0


def test_calibration_lowers_the_error_and_the_loss_and_keeps_the_answers():
    answers = {"validation": make_answers(sharpness=3.0), "test": make_answers(1000, 3.0)}
    found = calibrate(answers)
    for subset in answers:
        assert found[subset]["after"]["error"] < 0.5 * found[subset]["before"]["error"]
        assert found[subset]["after"]["loss"] < found[subset]["before"]["loss"]
        of_bins = [
            sum(cell["n"] * cell["accuracy"] for cell in found[subset][when]["bins"])
            for when in ("before", "after")
        ]
        assert of_bins[0] == pytest.approx(of_bins[1])


def test_error_is_the_gap_between_confidence_and_accuracy():
    # Ten clips at a confidence of 0.8, seven of them right.
    scores = torch.tensor([[0.8, 0.2]] * 10).log()
    found = reliability(scores, torch.tensor([0] * 7 + [1] * 3))
    assert found["error"] == pytest.approx(0.1)
    (cell,) = found["bins"]
    assert (cell["n"], cell["confidence"], cell["accuracy"]) == (10, pytest.approx(0.8), 0.7)
    assert found["loss"] == pytest.approx(-(7 * np.log(0.8) + 3 * np.log(0.2)) / 10)


@pytest.mark.parametrize("n_clips", [3, 19, 60, 1007])
def test_bins_hold_ten_clips_or_more_and_every_clip_once(n_clips):
    sizes = [cell["n"] for cell in reliability(*make_answers(n_clips))["bins"]]
    assert sum(sizes) == n_clips
    assert len(sizes) == 1 or min(sizes) >= 10
    assert len(sizes) <= 10


def test_interval_of_a_bin_is_wilsons():
    scores = torch.tensor([[0.8, 0.2]] * 10).log()
    (cell,) = reliability(scores, torch.tensor([0] * 7 + [1] * 3))["bins"]
    z, share, n = 1.959964, 0.7, 10
    center = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    assert (cell["low"], cell["high"]) == pytest.approx((center - half, center + half))


def test_exact_confidence_makes_the_error_that_is_expected_by_chance():
    few, many = (reliability(*make_answers(n)) for n in (60, 4000))
    assert many["error"] < 2 * many["expected_error"]
    # A gap falls with the root of the number of clips in a bin: from 10 to 400 of them.
    assert few["expected_error"] / many["expected_error"] == pytest.approx(np.sqrt(40), rel=0.2)
    assert reliability(*make_answers(4000, 3.0))["error"] > 5 * many["expected_error"]


def test_model_that_is_always_right_gets_a_finite_temperature():
    scores = torch.tensor([[9.0, 0.0], [0.0, 9.0]]).log_softmax(dim=1)
    assert 1 <= fit_temperature(scores, torch.tensor([0, 1])) < 21


def test_temperature_stays_at_one_where_there_are_no_errors_to_tell_it_by():
    scores = torch.log(torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]))
    assert fit_temperature(scores, torch.tensor([0, 1])) == 1.0
