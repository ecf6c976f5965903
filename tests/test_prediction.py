"""What a user may rely on about the genre that is predicted from features."""

import numpy as np
import pytest
import torch
from helpers import make_features, make_model

from genre_features.frame import FrameSettings
from genre_lstm.prediction import predict, predict_over_time

SAVED = {"genres": ["a", "b", "c"], "temperature": 2.0, "settings": FrameSettings(frames=100)}


def make_file(n_frames):
    return make_features(1, n_frames)[0].numpy()


def test_every_genre_gets_its_probability_the_likeliest_first():
    model, features = make_model(), make_file(100)
    found = predict([(model, SAVED)], features)
    with torch.no_grad():
        expected = (model.predict(torch.from_numpy(features)[None])[0] / 2).softmax(dim=0).tolist()
    assert list(found.values()) == sorted(expected, reverse=True)
    assert found == dict(zip("abc", expected, strict=True))


@pytest.mark.parametrize(
    ("n_frames", "n_windows"), [(1, 1), (100, 1), (101, 1), (350, 6), (2000, 39)]
)
def test_windows_over_time_go_from_start_to_end_with_probabilities_in_each(n_frames, n_windows):
    edges, probabilities = predict_over_time([(make_model(), SAVED)], make_file(n_frames))
    assert edges[0] == 0
    assert edges[-1] == pytest.approx(n_frames * 512 / 22050)
    assert (np.diff(edges) > 0).all()
    assert probabilities.shape == (len(edges) - 1, 3) == (n_windows, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_several_models_give_the_mean_of_their_probabilities():
    models, features = (
        [(make_model(pooling=name), SAVED) for name in ("last", "mean")],
        make_file(9),
    )
    each = [predict([model], features) for model in models]
    for genre, probability in predict(models, features).items():
        assert probability == pytest.approx(sum(one[genre] for one in each) / 2)


def test_borders_of_windows_are_halfway_between_their_centres():
    edges, _ = predict_over_time([(make_model(), SAVED)], make_file(300))
    # Windows of 100 frames begin at 0, 50, 100, 150 and 200.
    np.testing.assert_allclose(edges * 22050 / 512, [0, 75, 125, 175, 225, 300])


def test_windows_over_time_leave_silence_out_and_keep_the_files_time():
    models, music, silence = [(make_model(), SAVED)], make_file(300), np.zeros((80, 33), np.float32)
    edges, expected = predict_over_time(models, music)
    music_and_pauses = np.concatenate([silence, music[:100], silence, music[100:]])
    moved, probabilities = predict_over_time(models, music_and_pauses)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-5)
    # In front of the first 100 frames lie 80 silent ones, and as many behind them.
    shift = [80 if edge * 22050 / 512 < 100 else 160 for edge in edges]
    np.testing.assert_allclose((moved - edges) * 22050 / 512, shift, rtol=1e-6)


def test_file_of_one_window_has_the_same_probabilities_over_time():
    features = make_file(60)
    _, probabilities = predict_over_time([(make_model(), SAVED)], features)
    expected = predict([(make_model(), SAVED)], features)
    np.testing.assert_allclose(probabilities, [[expected[genre] for genre in "abc"]], rtol=1e-5)
