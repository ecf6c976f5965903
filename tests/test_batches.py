"""What a user may rely on about batches and the weights of genres."""

import dataclasses

import numpy as np
import pytest
import torch

from genre_features.cache import GenreFeatureData
from genre_lstm import batches as batches_module
from genre_lstm.augmentation import augment
from genre_lstm.batches import EpochStats, batches, class_weights, preload
from genre_lstm.model import GenreLSTM
from genre_lstm.recipes import RECIPES


@pytest.fixture
def data(features):
    return GenreFeatureData(features).load()


def test_every_clip_comes_once_in_file_order_with_the_last_partial_batch(data):
    data.inputs["train"] = data.inputs["train"].astype(float)  # as in the original's files
    drawn = list(batches(data, "train", 5, "cpu"))
    assert [len(targets) for _, targets in drawn] == [5, 5, 2]
    inputs = torch.cat([features for features, _ in drawn])
    assert inputs.dtype == torch.float32
    assert torch.equal(inputs.double(), torch.from_numpy(data.inputs["train"]))
    assert torch.cat([targets for _, targets in drawn]).tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_shuffled_batches_hold_every_clip_once_in_another_order_each_time(data):
    torch.manual_seed(0)
    orders = []
    for _ in range(2):
        drawn = list(batches(data, "train", 5, "cpu", shuffle=True))
        inputs = torch.cat([features for features, _ in drawn]).numpy()
        rows = [(data.inputs["train"] == clip).all(axis=(1, 2)).argmax() for clip in inputs]
        assert sorted(rows) == list(range(12))
        assert torch.cat([targets for _, targets in drawn]).tolist() == [row // 4 for row in rows]
        orders.append(rows)
    assert orders[0] != orders[1] != list(range(12))


def test_preloaded_features_give_the_same_batches(data, features):
    preloaded = GenreFeatureData(features).load()
    preload(preloaded, "cpu")  # stands for a GPU
    assert isinstance(preloaded.inputs["train"], torch.Tensor)
    drawn = []
    for either in (data, preloaded):
        torch.manual_seed(0)
        drawn.append(list(batches(either, "train", 5, "cpu", shuffle=True)))
    for one, other in zip(*drawn, strict=True):
        assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))


def test_features_too_large_for_a_gpu_are_copied_batch_by_batch(data, monkeypatch):
    monkeypatch.setattr(batches_module, "MAX_PRELOAD", 1000)
    preload(data, "meta")
    assert not isinstance(data.inputs["train"], torch.Tensor)
    assert next(iter(batches(data, "train", 5, "meta")))[0].is_meta


def test_no_step_waits_for_the_device(data):
    preload(data, "meta")  # whose tensors have no values that could be read
    recipe = dataclasses.replace(RECIPES["improved"], crop_seconds=0.5)
    model, stats = GenreLSTM(3, recipe, data.settings).to("meta"), EpochStats()
    for batch in batches(data, "train", 5, "meta", shuffle=True):
        inputs, targets, _, _ = augment(model, *batch)
        log_probs = model(inputs)
        loss = log_probs.mean()
        loss.backward()
        stats.add(loss, log_probs, targets, len(targets))
    assert stats.loss_sum.is_meta


def test_class_weights_make_all_genres_count_the_same():
    targets = np.array([0] * 8 + [1] * 3 + [2])
    weights = class_weights(targets, 4)
    totals = [float(weights[targets[targets == i]].sum()) for i in range(3)]
    assert totals == pytest.approx([12 / 4] * 3)
    assert weights.isfinite().all()
