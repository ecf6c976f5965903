"""What a user may rely on about scores."""

import numpy as np
import pytest
import torch

from genre_features.cache import GenreFeatureData
from genre_lstm.model import GenreLSTM
from genre_lstm.recipes import Recipe
from genre_lstm.scoring import evaluate, score_groups


@pytest.mark.parametrize("batch_size", [1, 4, 6, 100])
def test_every_clip_is_scored_whatever_the_batch_size(features, batch_size):
    data = GenreFeatureData(features).load()
    torch.manual_seed(0)
    model = GenreLSTM(3, Recipe(batch_size=batch_size), data.settings)
    scores, predictions = evaluate(model, data, "validation")
    with torch.no_grad():
        log_probs = model.predict(torch.from_numpy(np.array(data.inputs["validation"])))
    targets = torch.from_numpy(data.targets["validation"])
    torch.testing.assert_close(predictions.log_probs, log_probs)
    assert torch.equal(predictions.targets, targets)
    assert scores["n"] == np.sum(scores["confusion"]) == len(targets) == 6
    assert scores["correct"] == int((log_probs.argmax(dim=1) == targets).sum())
    loss = float(torch.nn.functional.nll_loss(log_probs, targets))
    assert scores["loss"] == pytest.approx(loss)


def test_confusion_has_true_genres_in_rows_and_recall_is_its_diagonal(features):
    data = GenreFeatureData(features).load()
    data.targets["validation"][:] = [0, 0, 0, 2, 2, 2]
    model = GenreLSTM(3, Recipe(), data.settings)
    model.linear.bias.data[:] = torch.tensor([0.0, 0.0, 1e6])  # always the third genre
    scores, _ = evaluate(model, data, "validation")
    assert scores["confusion"] == [[0, 0, 3], [0, 0, 0], [0, 0, 3]]
    assert scores["recall"] == {"blip": 0.0, "hiss": None, "hum": 1.0}
    assert scores["accuracy"] == 0.5


def test_groups_count_alike_whatever_their_sizes_and_are_drawn_whole():
    # 18 clips of one artist, and one each of two others: drawn with replacement, three artists
    # are all right in 1 of 27 draws and all wrong in 8 of 27.
    right, groups = np.array([True] * 18 + [False] * 2), np.array(["a"] * 18 + ["b", "c"])
    assert score_groups(right, groups) == (pytest.approx(1 / 3), 0, 1)
    assert score_groups(right[::-1], groups[::-1]) == score_groups(right, groups)


def test_interval_of_clips_that_are_a_group_each_is_that_of_their_accuracy():
    mean, low, high = score_groups(np.arange(400) % 5 > 0, np.arange(400))
    assert mean == pytest.approx(0.8)
    for bound, sign in ((low, -1), (high, 1)):  # normal approximation
        assert bound == pytest.approx(0.8 + sign * 1.96 * 0.02, abs=0.004)
