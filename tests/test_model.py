"""What a user may rely on about the model, its input processing and its recipes."""

import dataclasses
import zipfile

import numpy as np
import pytest
import torch
from conftest import make_clip, train

from genre_features.cache import GenreFeatureData
from genre_features.features import extract_features
from genre_features.frame import COLUMNS, SAMPLE_RATE, FrameSettings
from genre_lstm.augmentation import mask_inputs, random_crops, transpose_chroma
from genre_lstm.model import GenreLSTM
from genre_lstm.recipes import INPUT_NORMS, POOLINGS, RECIPES, Recipe
from genre_lstm.scoring import answer, score
from genre_lstm.weights import load_model
from plumbing.inputs import InputError

RATE = SAMPLE_RATE / 512  # frames a second


def make_model(hop_length=512, **settings):
    torch.manual_seed(0)
    frames = FrameSettings(hop_length=hop_length, frames=100)
    return GenreLSTM(3, Recipe(**settings), frames).eval()


def make_features(n_tracks=2, n_frames=60):
    return torch.randn(n_tracks, n_frames, 33, generator=torch.Generator().manual_seed(0))


def test_published_recipe_is_the_originals():
    recipe = RECIPES["published"]
    assert (recipe.epochs, recipe.batch_size, recipe.learning_rate) == (1000, 35, 0.00003)
    assert (recipe.hidden_size, recipe.n_layers, recipe.validate_every) == (128, 2, 10)
    features = make_features()
    model = make_model(**dataclasses.asdict(recipe))
    frames, _ = model.lstm(features)
    assert torch.equal(model(features), model.linear(frames[:, -1]).log_softmax(dim=1))


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("input_norm", INPUT_NORMS)
def test_every_pooling_and_input_norm_gives_probabilities_at_any_length(pooling, input_norm):
    model = make_model(pooling=pooling, input_norm=input_norm, deltas=(0.1,), crop=0.5)
    for n_frames in (1, 3, 200):
        probabilities = model(make_features(n_frames=n_frames)).exp()
        torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(2))


def test_track_mean_makes_the_answer_independent_of_what_is_constant_over_a_track():
    features = make_features()
    offset = 10 * torch.randn(2, 1, 33)
    model = make_model(input_norm="track-mean", deltas=(0.1,), pooling="mean")
    torch.testing.assert_close(model(features + offset), model(features), atol=1e-4, rtol=1e-4)
    model = make_model(input_norm="standardise", pooling="mean")
    assert not torch.allclose(model(features + offset), model(features), atol=1e-2)


@pytest.mark.parametrize("input_norm", ["standardise", "track-mean"])
def test_standardised_inputs_have_mean_zero_and_deviation_one_over_the_tracks(input_norm):
    features = 50 * make_features(n_tracks=6) + 1000
    model = make_model(input_norm=input_norm, deltas=(0.1, 0.3))
    model.standardise(features.split(4))
    inputs = model.process(features).flatten(0, 1)
    torch.testing.assert_close(inputs.mean(dim=0), torch.zeros(99), atol=1e-3, rtol=0)
    torch.testing.assert_close(inputs.std(dim=0), torch.ones(99), atol=1e-2, rtol=0)


def test_constant_features_do_not_become_infinite():
    model = make_model(input_norm="standardise")
    model.standardise([torch.ones(2, 5, 33)])
    assert model.process(torch.ones(2, 5, 33)).isfinite().all()


def test_deltas_are_differences_to_the_frame_so_many_seconds_before():
    features = make_features(n_frames=40)
    inputs = make_model(deltas=(10 / RATE,)).process(features)
    assert torch.equal(inputs[:, :, :33], features)
    assert not inputs[:, :10, 33:].any()
    assert torch.equal(inputs[:, 10:, 33:], features[:, 10:] - features[:, :-10])


def test_lengths_mean_the_same_seconds_at_every_hop_length():
    signal = np.concatenate([make_clip("hum", 0, 4.0), make_clip("hiss", 0, 4.0)])
    centroids = {}
    for hop_length in (512, 1709):
        rate = SAMPLE_RATE / hop_length
        model = make_model(hop_length, deltas=(0.31, 1.0), crop=2.0)
        for lag, seconds in zip(model.lags, (0.31, 1.0), strict=True):
            assert abs(lag / rate - seconds) <= 0.5 / rate
        assert abs(model.crop_length / rate - 2.0) <= 0.5 / rate
        settings = FrameSettings(hop_length=hop_length)
        features = torch.from_numpy(extract_features(signal, settings))[None]
        jump = model.process(features)[0, :, 2 * 33 + COLUMNS["spectral_centroid"].start]
        # The centroid jumps in the middle, and its difference stays up for the second of its lag.
        centroids[hop_length] = float((jump > 2000).sum()) / rate
    assert centroids[512] == pytest.approx(1.0, abs=0.1)
    assert centroids[1709] == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("crop", [0.0, 0.5])
def test_tracks_longer_than_a_training_clip_get_the_mean_over_half_overlapping_windows(crop):
    model = make_model(crop=crop)
    features = make_features(n_frames=250)
    windows = [model.classify(features[:, start : start + 100]) for start in (0, 50, 100, 150)]
    expected = torch.stack(windows).mean(dim=0).log_softmax(dim=1)
    torch.testing.assert_close(model(features), expected)
    assert torch.equal(model(features[:, :100]), model.classify(features[:, :100]))


def test_transposition_rotates_the_chroma_and_leaves_the_rest():
    features = make_features(n_tracks=20)
    columns = COLUMNS["chroma"]
    torch.manual_seed(0)
    rotated = transpose_chroma(features)
    shifts = set()
    for before, after in zip(features, rotated, strict=True):
        fits = [
            shift
            for shift in range(12)
            if torch.equal(before[:, columns].roll(shift, dims=1), after[:, columns])
        ]
        shifts.add(*fits)
    assert len(shifts) > 3
    others = [i for i in range(33) if not columns.start <= i < columns.stop]
    assert torch.equal(rotated[:, :, others], features[:, :, others])


def test_statistics_pooling_sees_the_mean_and_the_spread_of_the_frames():
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
    torch.testing.assert_close(model(features), expected.log_softmax(dim=1))


def test_masked_inputs_are_missing_for_a_whole_example():
    torch.manual_seed(0)
    masked = mask_inputs(torch.ones(200, 7, 33), 0.1)
    assert torch.equal(masked.min(dim=1).values, masked.max(dim=1).values)
    assert 0.07 < float((masked == 0).float().mean()) < 0.13


def test_random_crops_are_windows_of_their_tracks():
    inputs = torch.arange(100.0).expand(8, 100)[:, :, None]
    crops = random_crops(inputs, 30)
    starts = crops[:, 0, 0]
    assert len(set(starts.tolist())) > 3
    assert torch.equal(crops[:, :, 0], starts[:, None] + torch.arange(30))
    assert torch.equal(random_crops(inputs, 200), inputs)


def test_improved_recipe_trains_and_its_weights_rebuild_its_scores(features, tmp_path):
    options = ("--recipe", "improved", "--epochs", 6, "--batch-size", 5, "--crop", 0.3)
    train("ReduceLROnPlateau", features, tmp_path / "whole", *options)
    model, saved = load_model(tmp_path / "whole" / "weights" / "ReduceLROnPlateau" / "model.pt")
    assert saved["recipe"]["crop"] == 0.3
    assert model.input_deviation[COLUMNS["spectral_centroid"].start] > 1
    data = GenreFeatureData(features).load()
    found = score(answer(model, data, "validation"), data.genres)
    result = tmp_path / "whole" / "result" / "ReduceLROnPlateau"
    last = result.joinpath("history.csv").read_text().splitlines()[-1].split(",")
    assert found["loss"] == pytest.approx(float(last[3]), rel=1e-5)
    assert found["accuracy"] == pytest.approx(float(last[4]))


@pytest.mark.parametrize(
    ("options", "setting", "value"),
    [
        (("--shuffle",), "shuffle", True),
        (("--recipe", "improved", "--no-shuffle"), "shuffle", False),
        (("--input-norm", "batch"), "input_norm", "batch"),
        (("--deltas", 0.1, 0.2), "deltas", [0.1, 0.2]),
        (("--recipe", "improved", "--deltas"), "deltas", []),
        (("--crop", 0.5), "crop", 0.5),
        (("--pooling", "attention"), "pooling", "attention"),
    ],
)
def test_switches_take_the_place_of_the_recipes_settings(
    features, tmp_path, options, setting, value
):
    train("PiecewiseDecay", features, tmp_path, "--epochs", 1, *options)
    _, saved = load_model(tmp_path / "weights" / "PiecewiseDecay" / "model.pt")
    found = saved["recipe"][setting]
    assert (list(found) if isinstance(value, list) else found) == value


# Weights that are damaged or made to do harm


def write_model(path, model, **changes):
    """Write the model.pt of a model, with some of what it holds changed."""
    content = {
        "state": model.state_dict(),
        "standardisation": None,
        "recipe": dataclasses.asdict(model.recipe),
        "genres": ["a", "b", "c"],
        "settings": dataclasses.asdict(FrameSettings(frames=100)),
        "temperature": 1.0,
    }
    torch.save(content | changes, path)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("input_norm", INPUT_NORMS)
def test_loaded_model_answers_as_the_one_that_was_saved(tmp_path, pooling, input_norm):
    model = make_model(pooling=pooling, input_norm=input_norm, deltas=(0.1,))
    model.standardise([make_features(n_tracks=4)])
    saved = {"mean": model.input_mean, "deviation": model.input_deviation}
    write_model(tmp_path / "model.pt", model, standardisation=saved)
    loaded, _ = load_model(tmp_path / "model.pt")
    assert not any(tensor.is_meta for tensor in (*loaded.parameters(), *loaded.buffers()))
    assert torch.equal(loaded(make_features()), model(make_features()))


def refuse(path):
    with pytest.raises(InputError, match=rf"^{path} (isn't|doesn't hold).*$"):
        load_model(path)


@pytest.mark.parametrize(
    "recipe",
    [
        {"hidden_size": 10_000},
        {"hidden_size": 10**10},
        {"n_layers": 10**9},
        {"n_layers": 0},
        {"deltas": [0.1] * 1000},
        {"deltas": [float("inf")]},
        {"crop": "long"},
        {"pooling": "best"},
        {"input_norm": None},
        {"dropout": 2.0},
        {"colour": "red"},
    ],
    ids=" ".join,
)
def test_model_takes_no_more_memory_than_its_file_whatever_the_recipe_says(tmp_path, recipe):
    model = make_model()
    write_model(tmp_path / "model.pt", model, recipe=dataclasses.asdict(model.recipe) | recipe)
    refuse(tmp_path / "model.pt")


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": float("nan")},
        {"temperature": 0.0},
        {"temperature": 10**400},
        {"genres": "abc"},
        {"genres": ["a", "a", "a"]},
        {"genres": ["a", "b"]},
        {"settings": dataclasses.asdict(FrameSettings(hop_length=0))},
        {"settings": dataclasses.asdict(FrameSettings(frames=0))},
        {"settings": {"hop_length": 512}},
        {"standardisation": {"mean": torch.zeros(33), "deviation": torch.zeros(33)}},
        {"standardisation": {"mean": torch.zeros(1), "deviation": torch.ones(33)}},
        {"state": {}},
        {"state": None},
    ],
    ids=" ".join,
)
def test_weights_that_make_no_model_are_refused_in_one_line(tmp_path, change):
    write_model(tmp_path / "model.pt", make_model(), **change)
    refuse(tmp_path / "model.pt")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e38])
def test_weights_that_give_no_finite_answer_are_refused_in_one_line(tmp_path, value):
    model = make_model()
    model.lstm.weight_hh_l0.data[0, 0] = value
    write_model(tmp_path / "model.pt", model)
    refuse(tmp_path / "model.pt")


def test_tensor_that_unfolds_to_more_than_its_file_is_refused(tmp_path):
    # One number stands for all of a matrix of 4 TB.
    state = dict(make_model().state_dict()) | {
        "lstm.weight_hh_l0": torch.ones(1).expand(10**6, 10**6)
    }
    write_model(tmp_path / "model.pt", make_model(), state=state)
    refuse(tmp_path / "model.pt")


def test_archive_that_unpacks_to_more_than_its_size_is_refused(tmp_path):
    write_model(tmp_path / "stored.pt", make_model())
    with (
        zipfile.ZipFile(tmp_path / "stored.pt") as stored,
        zipfile.ZipFile(tmp_path / "model.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in stored.namelist():
            packed.writestr(name, stored.read(name) + bytes(10**6))
    refuse(tmp_path / "model.pt")
