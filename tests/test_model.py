"""What a user may rely on about the model and its input processing."""

import dataclasses

import numpy as np
import pytest
import torch
from helpers import make_features, make_model

from genre_features.frame import N_FEATURES, SAMPLE_RATE
from genre_lstm.model import split_windows
from genre_lstm.recipes import INPUT_NORMS, POOLINGS, RECIPES

RATE = SAMPLE_RATE / 512  # frames a second


def test_published_recipe_is_the_original_and_the_improved_one_keeps_its_layers():
    recipe = RECIPES["published"]
    assert (recipe.epochs, recipe.batch_size, recipe.learning_rate) == (1000, 35, 0.00003)
    assert (recipe.hidden_size, recipe.n_layers, recipe.validate_every) == (128, 2, 10)
    features = make_features()
    model = make_model(**dataclasses.asdict(recipe))
    frames, _ = model.lstm(features)
    assert torch.equal(model.predict(features), model.linear(frames[:, -1]).log_softmax(dim=1))
    improved = RECIPES["improved"]
    assert (improved.hidden_size, improved.n_layers) == (recipe.hidden_size, recipe.n_layers)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("input_norm", INPUT_NORMS)
def test_every_pooling_and_input_norm_gives_probabilities_at_any_length(pooling, input_norm):
    model = make_model(
        pooling=pooling, input_norm=input_norm, difference_lags=(0.1,), crop_seconds=0.5
    )
    for n_frames in (1, 3, 200):
        probabilities = model.predict(make_features(n_frames=n_frames)).exp()
        torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(2))


def test_mean_normalised_predictions_ignore_a_constant_added_to_a_track():
    features = make_features()
    offset = 10 * torch.randn(2, 1, N_FEATURES)
    model = make_model(input_norm="mean-normalised", difference_lags=(0.1,), pooling="mean")
    torch.testing.assert_close(
        model.predict(features + offset), model.predict(features), atol=1e-4, rtol=1e-4
    )
    model = make_model(input_norm="standardise", pooling="mean")
    assert not torch.allclose(model.predict(features + offset), model.predict(features), atol=1e-2)


@pytest.mark.parametrize("input_norm", ["standardise", "mean-normalised"])
def test_standardised_inputs_have_mean_zero_and_deviation_one(input_norm):
    features = 50 * make_features(n_tracks=6) + 1000
    model = make_model(input_norm=input_norm, difference_lags=(0.1, 0.3))
    model.fit_scaler((part, None) for part in features.split(4))
    inputs = model.preprocess(features).flatten(0, 1)
    assert inputs.shape[1] == 3 * N_FEATURES
    assert inputs.mean(dim=0).abs().max() < 1e-3
    assert (inputs.std(dim=0) - 1).abs().max() < 1e-2


def test_constant_inputs_become_zero_and_keep_their_scale():
    model, features = make_model(input_norm="standardise"), torch.ones(2, 5, N_FEATURES)
    model.fit_scaler([(features, None)])
    assert not model.preprocess(features).any()
    torch.testing.assert_close(model.preprocess(features + 3), 3 * features)


def test_differences_are_to_the_frame_of_their_lag_before():
    features = make_features(n_frames=40)
    inputs = make_model(difference_lags=(10 / RATE,)).preprocess(features)
    raw, differences = inputs.split(N_FEATURES, dim=2)
    assert torch.equal(raw, features)
    assert not differences[:, :10].any()
    assert torch.equal(differences[:, 10:], features[:, 10:] - features[:, :-10])


@pytest.mark.parametrize("hop_length", [512, 1709])
def test_lengths_mean_the_same_seconds_at_every_hop_length(hop_length):
    model = make_model(hop_length, difference_lags=(0.31, 1.0), crop_seconds=2.0)
    seconds = np.array([*model.lags, model.crop_frames]) * hop_length / SAMPLE_RATE
    np.testing.assert_allclose(seconds, [0.31, 1.0, 2.0], rtol=0, atol=0.5 * hop_length / 22050)


@pytest.mark.parametrize("crop", [0.0, 0.5])
def test_tracks_longer_than_a_training_clip_are_averaged_over_half_overlapping_windows(crop):
    model = make_model(crop_seconds=crop)
    features = make_features(n_frames=250)
    scores = [model(features[:, start : start + 100]) for start in (0, 50, 100, 150)]
    expected = torch.stack(scores).mean(dim=0).log_softmax(dim=1)
    torch.testing.assert_close(model.predict(features), expected)
    assert torch.equal(model.predict(features[:, :100]), model(features[:, :100]))


def test_statistics_pooling_is_the_mean_and_the_deviation_of_the_frames():
    model = make_model(pooling="statistics")
    model.linear.weight.data.zero_()
    model.linear.weight.data[0, :128], model.linear.weight.data[1, 128:] = 1.0, 1.0
    model.linear.bias.data.zero_()
    features = make_features()
    frames, _ = model.lstm(features)
    expected = torch.stack(
        [frames.mean(dim=1).sum(dim=1), frames.std(dim=1, correction=0).sum(dim=1), torch.zeros(2)],
        dim=1,
    )
    torch.testing.assert_close(model.predict(features), expected.log_softmax(dim=1))


@pytest.mark.parametrize(
    ("n_frames", "n_windows"),
    [(1, 1), (100, 1), (101, 1), (110, 1), (111, 2), (160, 2), (161, 3), (210, 3), (9999, 199)],
)
def test_windows_cover_a_track_and_a_remainder_under_a_tenth_adds_no_window(n_frames, n_windows):
    starts, length = split_windows(n_frames, 100)
    assert len(starts) == n_windows
    assert starts[0] == 0
    assert starts[-1] + length == n_frames
    assert length == (100 if n_windows > 1 else n_frames)
    steps = np.diff(starts)
    assert ((steps > 0) & (steps <= 60)).all()


def test_windows_see_the_differences_to_the_frames_before_them():
    # The mean over the frames, since the last one forgets the first.
    model = make_model(difference_lags=(0.1, 1.0), pooling="mean")
    features = make_features(n_frames=2000)
    inputs = model.preprocess(features)
    starts, log_probs = zip(*model.predict_windows(features, 100), strict=True)
    assert [len(chunk) for chunk in starts] == [16, 16, 7]
    expected = torch.stack([model(inputs[:, start : start + 100]) for start in torch.cat(starts)])
    torch.testing.assert_close(torch.cat(log_probs), expected)
