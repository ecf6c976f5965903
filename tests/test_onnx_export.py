"""What a user may rely on about models exported to ONNX."""

import dataclasses
import json
import sys

import numpy as np
import pytest
import torch
from helpers import FRAMES, GENRES, assert_one_line, make_features, predict

from genre_lstm.prediction import predict as predict_features
from genre_lstm.weights import load_models, write_tensors

onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def weights(improved, tmp_path_factory):
    """A folder of two models that predict together."""
    folder = tmp_path_factory.mktemp("models")
    content = torch.load(improved / "weights" / "PiecewiseDecay" / "model.pt")
    for name, temperature in (("a", 1.0), ("b", 3.0)):
        write_tensors(folder / name / "model.pt", content | {"temperature": temperature})
    return folder


@pytest.fixture(scope="module")
def exported(weights, tmp_path_factory):
    """The models of `weights` as ONNX."""
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    predict("--export", path, "--weights", weights)
    return path


@pytest.mark.parametrize("n_frames", [7, FRAMES, FRAMES + 1, 3 * FRAMES + 11])
def test_exported_models_predict_as_the_weights_at_any_length_and_hold_their_settings(
    weights, exported, n_frames
):
    session = onnxruntime.InferenceSession(exported)
    models = load_models(weights)
    features = make_features(1, n_frames).numpy()
    (probabilities,) = session.run(["probabilities"], {"features": features})
    expected = predict_features(models, features[0])
    np.testing.assert_allclose(probabilities[0], [expected[name] for name in GENRES], atol=1e-4)
    metadata = session.get_modelmeta().custom_metadata_map
    settings = dataclasses.asdict(models[0][1]["settings"])
    assert {k: json.loads(v) for k, v in metadata.items()} == {"genres": GENRES, **settings}


def test_missing_onnx_prints_the_install_command(weights, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    _, stderr = predict("--export", tmp_path / "model.onnx", "--weights", weights, status=2)
    assert_one_line(stderr, "pip install onnx")
    assert not list(tmp_path.iterdir())
