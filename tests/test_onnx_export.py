"""What a user may rely on about models exported to ONNX."""

import json
import sys

import numpy as np
import pytest
from helpers import FRAMES, GENRES, assert_one_line, predict

from genre_lstm.prediction import classify
from genre_lstm.weights import load_model

onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def exported(weights, tmp_path_factory):
    """The model of `weights` as ONNX."""
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    predict("--export", path, "--weights", weights)
    return path


@pytest.mark.parametrize("n_frames", [7, FRAMES, FRAMES + 1, 3 * FRAMES + 11])
def test_exported_model_answers_as_the_weights_do_at_any_length(weights, exported, n_frames):
    session = onnxruntime.InferenceSession(exported)
    model, saved = load_model(weights / "PiecewiseDecay" / "model.pt")
    assert json.loads(session.get_modelmeta().custom_metadata_map["genres"]) == GENRES
    features = np.random.default_rng(0).standard_normal((n_frames, 33)).astype(np.float32)
    (found,) = session.run(["probabilities"], {"features": features[None]})
    answer = classify(model, saved, features)
    np.testing.assert_allclose(found[0], [answer[genre] for genre in GENRES], atol=1e-4)


def test_exported_model_says_how_its_features_are_made(weights, exported):
    metadata = onnxruntime.InferenceSession(exported).get_modelmeta().custom_metadata_map
    _, saved = load_model(weights / "PiecewiseDecay" / "model.pt")
    for name in ("sample_rate", "n_fft", "hop_length", "frames", "lowpass"):
        assert json.loads(metadata[name]) == getattr(saved["settings"], name)


def test_without_onnx_it_is_said_how_to_install_it(weights, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    _, stderr = predict("--export", tmp_path / "model.onnx", "--weights", weights, status=2)
    assert_one_line(stderr, "requirements/onnx.txt")
    assert not list(tmp_path.iterdir())
