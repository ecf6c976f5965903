"""What a user may rely on about an epoch of training."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from helpers import SCHEDULES, make_features, make_model, read_summary, write_cache

from genre_features.cache import GenreFeatureData
from genre_lstm import training
from genre_lstm.model import GenreLSTM
from genre_lstm.recipes import RECIPES, Recipe
from genre_lstm.training import (
    balance,
    batches,
    find_divergence,
    hold,
    mean_loss,
    seconds_per_epoch,
    train_epoch,
    train_step,
)


def test_every_clip_is_trained_on_in_file_order_with_the_last_partial_batch(features):
    data = GenreFeatureData(features).load()
    drawn = list(batches(data, "train", 5, "cpu"))
    assert [len(genres) for _, genres in drawn] == [5, 5, 2]
    inputs = torch.cat([features for features, _ in drawn])
    assert torch.equal(inputs, torch.from_numpy(np.array(data.inputs["train"])))
    assert torch.cat([genres for _, genres in drawn]).tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_shuffled_batches_hold_every_clip_once_in_another_order_each_time(features):
    data = GenreFeatureData(features).load()
    torch.manual_seed(0)
    epochs = [list(batches(data, "train", 5, "cpu", shuffle=True)) for _ in range(2)]
    firsts = []
    for drawn in epochs:
        inputs = torch.cat([features for features, _ in drawn]).numpy()
        rows = [(data.inputs["train"] == clip).all(axis=(1, 2)).argmax() for clip in inputs]
        assert sorted(rows) == list(range(12))
        assert torch.cat([genres for _, genres in drawn]).tolist() == [row // 4 for row in rows]
        firsts.append(rows)
    assert firsts[0] != firsts[1] != list(range(12))


def test_features_held_on_a_device_give_the_same_batches_and_weights_to_the_bit(features):
    found = []
    for is_held in (False, True):
        data = GenreFeatureData(features).load()
        if is_held:
            hold(data, "cpu")  # stands for a GPU
            assert all(isinstance(inputs, torch.Tensor) for inputs in data.inputs.values())
        torch.manual_seed(0)
        drawn = list(batches(data, "train", 5, "cpu", shuffle=True))
        recipe = dataclasses.replace(RECIPES["improved"], batch_size=5, crop_seconds=0.5)
        model = GenreLSTM(3, recipe, data.settings)
        train_epoch(model, torch.optim.AdamW(model.parameters()), data)
        found.append([*itertools.chain(*drawn), *model.parameters(), torch.get_rng_state()])
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))


def test_no_step_reads_anything_back_from_the_device(features):
    data = GenreFeatureData(features).load()
    hold(data, "meta")  # its tensors have no values to be read
    recipe = dataclasses.replace(RECIPES["improved"], batch_size=5, crop_seconds=0.5)
    model = GenreLSTM(3, recipe, data.settings).to("meta").train()
    optimizer = torch.optim.AdamW(model.parameters())
    genre_weights = balance(data.targets["train"], 3).to("meta")
    for batch in batches(data, "train", 5, "meta", shuffle=True):
        loss, _ = train_step(model, optimizer, *batch, genre_weights)
        assert loss.is_meta
    assert len(optimizer.state) == len(list(model.parameters()))


def test_features_too_large_for_a_device_stay_in_their_files(features, monkeypatch):
    data = GenreFeatureData(features).load()
    monkeypatch.setattr(training, "MAX_PRELOAD", 1000)
    hold(data, "meta")
    assert all(isinstance(inputs, np.memmap) for inputs in data.inputs.values())


def test_caches_of_double_precision_are_trained_on_in_single(tmp_path):
    write_cache(tmp_path, dtype=np.float64)
    data = GenreFeatureData(tmp_path).load()
    assert {features.dtype for features, _ in batches(data, "train", 2, "cpu")} == {torch.float32}


def test_balanced_loss_counts_every_genre_the_same_however_many_clips_it_has():
    genres = torch.tensor([0] * 8 + [1] * 3 + [2])
    log_probabilities = torch.randn(12, 3, generator=torch.Generator().manual_seed(0)).log_softmax(
        1
    )
    losses = torch.nn.functional.nll_loss(log_probabilities, genres, reduction="none")
    genre_weights = balance(genres.numpy(), 3)
    of_genres = torch.stack([losses[genres == genre].mean() for genre in range(3)])
    balanced = mean_loss(log_probabilities, genres, genre_weights)
    torch.testing.assert_close(balanced, of_genres.mean())


def test_a_clip_of_a_rare_genre_weighs_the_same_in_batches_of_any_size_and_mixture():
    genres = torch.tensor([2, 0, 0, 0, 0, 0, 1, 1])
    genre_weights = balance(genres.numpy(), 3)
    scores = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    log_probabilities = scores.log_softmax(1)
    whole = mean_loss(log_probabilities, genres, genre_weights)
    for size in (1, 2, 4):  # batches of one genre and of several
        pairs = zip(log_probabilities.split(size), genres.split(size), strict=True)
        subsets = torch.stack([mean_loss(*pair, genre_weights) for pair in pairs])
        torch.testing.assert_close(subsets.mean(), whole)


def test_a_step_tells_the_loss_and_right_answers_before_it_and_lowers_the_loss():
    model, features, genres = make_model().train(), make_features(6), torch.tensor([0, 1, 2] * 2)
    answers = model.classify(features)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = [train_step(model, optimizer, features, genres) for _ in range(2)]
    torch.testing.assert_close(losses[0][0], torch.nn.functional.nll_loss(answers, genres))
    assert int(losses[0][1]) == int((answers.argmax(dim=1) == genres).sum())
    assert losses[1][0] < losses[0][0]


@pytest.mark.parametrize("clip_norm", [0.0, 0.01])
def test_gradients_are_clipped_where_the_recipe_says_so(clip_norm):
    model = make_model(max_grad_norm=clip_norm).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    train_step(model, optimizer, make_features(6), torch.tensor([0] * 6))
    norm = torch.cat([tensor.grad.flatten() for tensor in model.parameters()]).norm()
    assert (float(norm) <= 0.0101) == bool(clip_norm)


def test_an_epoch_sums_up_its_batches_by_their_clips(features):
    data = GenreFeatureData(features).load()
    torch.manual_seed(0)
    model = GenreLSTM(3, Recipe(batch_size=5), data.settings)
    epoch = train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.0), data)
    model.eval().requires_grad_(False)
    found = [(model(inputs), genres) for inputs, genres in batches(data, "train", 5, "cpu")]
    scores, genres = (torch.cat(tensors) for tensors in zip(*found, strict=True))
    assert len(epoch.losses) == 3
    assert epoch.loss == pytest.approx(float(torch.nn.functional.nll_loss(scores, genres)))
    assert epoch.accuracy == pytest.approx(float((scores.argmax(dim=1) == genres).float().mean()))


def test_divergence_is_told_by_the_first_loss_or_else_the_weights():
    model = make_model()
    assert find_divergence(model, torch.ones(3)) is None
    losses = torch.tensor([1.0, float("nan"), float("nan")])
    assert find_divergence(model, losses) == "the loss of batch 2 of 3 isn't finite"
    model.linear.bias.data[0] = float("inf")
    assert "the weights after batch 3 of 3" in find_divergence(model, torch.ones(3))


def test_the_estimate_of_the_time_leaves_weights_and_random_numbers_as_they_were(features):
    data = GenreFeatureData(features).load()
    model = GenreLSTM(3, Recipe(batch_size=5, dropout=0.5, mixup_alpha=0.5), data.settings)
    before = [tensor.clone() for tensor in (*model.parameters(), torch.get_rng_state())]
    assert seconds_per_epoch(model, data) > 0
    after = [*model.parameters(), torch.get_rng_state()]
    assert all(torch.equal(*pair) for pair in zip(before, after, strict=True))


def test_an_lstm_learns_to_tell_genres_that_differ(trained):
    for schedule in SCHEDULES:
        assert read_summary(trained, schedule)["validation"]["accuracy"] >= 5 / 6
