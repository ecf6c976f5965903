"""Trained models as ONNX files, for programs without PyTorch."""

import dataclasses
import json
import warnings

import torch
from torch import nn

from common.errors import InputError
from common.files import atomic_write
from genre_features.frame import N_FEATURES
from genre_lstm.model import windows


class OnnxClassifier(nn.Module):
    """`GenreLSTM.forward` and the temperature, in operations that ONNX has for any length.

    A loop over windows would be exported for a single length, so here the windows are a batch.
    """

    def __init__(self, model, temperature):
        super().__init__()
        self.model, self.temperature = model, temperature

    def forward(self, features):
        """Return probabilities, (1, genres), of the features of a file, (1, T, 33)."""
        n_frames = torch.ops.aten._shape_as_tensor(features)[1]
        starts, length = windows(n_frames, self.model.window)
        frames = starts[:, None] + torch.arange(length)
        inputs = self.model.process(features)[0][frames]  # (windows, length, inputs)
        scores = self.model.classify(inputs).mean(dim=0, keepdim=True)
        return (scores / self.temperature).softmax(dim=1)


def export_onnx(model, saved, path):
    """Write a model with its input processing and temperature to an ONNX file.

    Its input ``features`` is (1, T, 33), float32, for any T: the features that
    `features.extract_file` computes with the settings in the file's metadata. The metadata also
    names the genres of its output ``probabilities``, (1, genres).

    Parameters
    ----------
    model : GenreLSTM
    saved : dict
        See `weights.load_model`.
    path : path-like

    Raises
    ------
    InputError
        The libraries for it aren't installed.
    """
    try:
        import onnx
    except ImportError:
        raise InputError("--export needs ONNX: run pip install -r requirements/onnx.txt") from None

    classifier = OnnxClassifier(model, saved["temperature"]).eval()
    example = torch.zeros(1, 2 * model.window, N_FEATURES)
    with atomic_write(path) as temporary:
        with warnings.catch_warnings(action="ignore"):
            # The newer exporter (dynamo) makes the number of frames a constant.
            torch.onnx.export(
                classifier,
                (example,),
                temporary,
                dynamo=False,
                input_names=["features"],
                output_names=["probabilities"],
                dynamic_axes={"features": {1: "T"}},
            )
        written = onnx.load(temporary)
        metadata = {"genres": saved["genres"], **dataclasses.asdict(saved["settings"])}
        onnx.helper.set_model_props(written, {k: json.dumps(v) for k, v in metadata.items()})
        onnx.save(written, temporary)
