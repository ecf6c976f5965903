"""What a user may rely on about scores."""

import numpy as np
import pytest
import torch

from genre_features.cache import GenreFeatureData
from genre_lstm.model import GenreLSTM
from genre_lstm.recipes import Recipe
from genre_lstm.scoring import evaluate


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
