"""What a user may rely on about scores, and about the probabilities that a model gives."""

import numpy as np
import pytest
import torch

from genre_features.cache import GenreFeatureData
from genre_lstm.model import GenreLSTM
from genre_lstm.recipes import Recipe
from genre_lstm.scoring import Answers, answer, calibrate, fit_temperature, join, reliability, score


@pytest.mark.parametrize("batch_size", [1, 4, 6, 100])
def test_every_clip_is_scored_whatever_the_batch_size(features, batch_size):
    data = GenreFeatureData(features).load()
    torch.manual_seed(0)
    model = GenreLSTM(3, Recipe(batch_size=batch_size), data.settings)
    found = score(answer(model, data, "validation"), data.genres)
    with torch.no_grad():
        answers = model(torch.from_numpy(np.array(data.inputs["validation"])))
    truth = torch.from_numpy(data.targets["validation"])
    assert found["n"] == np.sum(found["confusion"]) == len(truth) == 6
    assert found["correct"] == int((answers.argmax(dim=1) == truth).sum())
    assert found["loss"] == pytest.approx(float(torch.nn.functional.nll_loss(answers, truth)))


def test_confusion_has_true_genres_in_rows_and_recall_is_its_diagonal_share(features):
    data = GenreFeatureData(features).load()

    model = GenreLSTM(3, Recipe(), data.settings)
    model.linear.bias.data[:] = torch.tensor([0.0, 0.0, 1e6])  # always hum
    found = score(answer(model, data, "validation"), data.genres)
    assert found["confusion"] == [[0, 0, 2], [0, 0, 2], [0, 0, 2]]
    assert found["recall"] == {"blip": 0.0, "hiss": 0.0, "hum": 1.0}
    assert found["accuracy"] == pytest.approx(1 / 3)


def test_genre_without_clips_has_no_recall():
    answers = Answers(torch.tensor([[0.9, 0.1], [0.2, 0.8]]).log(), torch.tensor([0, 0]))
    found = score([answers], ["jazz", "pop"])
    assert found["recall"] == {"jazz": 0.5, "pop": None}
    assert found["confusion"] == [[1, 1], [0, 0]]


def test_answers_of_batches_are_joined_in_their_order():
    first = Answers(torch.zeros(2, 3), torch.tensor([0, 1]))
    second = Answers(torch.ones(1, 3), torch.tensor([2]))
    joined = join([first, second])
    assert joined.genres.tolist() == [0, 1, 2]
    assert joined.log_probabilities.tolist() == [[0] * 3, [0] * 3, [1] * 3]


# Calibration


def make_answers(n_clips=4000, sharpness=1.0):
    """Draw genres from known probabilities; the scores are `sharpness` times too sure of them."""
    generator = torch.Generator().manual_seed(0)
    true = torch.randn(n_clips, 4, generator=generator).mul(2).log_softmax(dim=1)
    genres = torch.multinomial(true.exp(), 1, generator=generator)[:, 0]
    return (sharpness * true).log_softmax(dim=1), genres


@pytest.mark.parametrize("sharpness", [0.4, 1.0, 3.0])
def test_temperature_finds_how_much_too_sure_the_scores_are(sharpness):
    assert fit_temperature(*make_answers(sharpness=sharpness)) == pytest.approx(sharpness, rel=0.1)


def test_calibration_lowers_the_error_and_the_loss_and_keeps_the_answers():
    answers = {"validation": make_answers(sharpness=3.0), "test": make_answers(1000, 3.0)}
    found = calibrate(answers)
    for part in answers:
        assert found[part]["after"]["error"] < 0.5 * found[part]["before"]["error"]
        assert found[part]["after"]["loss"] < found[part]["before"]["loss"]
        of_bins = [
            sum(cell["n"] * cell["accuracy"] for cell in found[part][when]["bins"])
            for when in ("before", "after")
        ]
        assert of_bins[0] == pytest.approx(of_bins[1])


def test_error_is_the_gap_between_confidence_and_accuracy():
    # Ten clips at a confidence of 0.8, seven of them right.
    scores = torch.tensor([[0.8, 0.2]] * 10).log()
    found = reliability(scores, torch.tensor([0] * 7 + [1] * 3))
    assert found["error"] == pytest.approx(0.1)
    assert found["bins"] == [{"n": 10, "confidence": pytest.approx(0.8), "accuracy": 0.7}]
    assert found["loss"] == pytest.approx(-(7 * np.log(0.8) + 3 * np.log(0.2)) / 10)


def test_model_that_is_always_right_gets_a_finite_temperature():
    scores = torch.tensor([[9.0, 0.0], [0.0, 9.0]]).log_softmax(dim=1)
    assert 0.04 < fit_temperature(scores, torch.tensor([0, 1])) < 21


def test_temperature_stays_at_one_where_there_are_no_errors_to_tell_it_by():
    scores = torch.log(torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]))
    assert fit_temperature(scores, torch.tensor([0, 1])) == 1.0
