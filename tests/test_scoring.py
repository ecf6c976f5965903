"""What a user may rely on about scores, and about the probabilities that a model gives."""

import numpy as np
import pytest
import torch

from genre_features.cache import GenreFeatureData
from genre_lstm.model import GenreLSTM
from genre_lstm.recipes import Recipe
from genre_lstm.scoring import Answers, answer, join, score


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
