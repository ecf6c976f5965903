"""Trained models as ONNX files, for programs without PyTorch."""

import dataclasses
import json
import warnings

import torch
from torch import nn

from common.errors import InputError
from common.files import atomic_write
from genre_features.frame import N_FEATURES
from genre_lstm.model import split_windows


class OnnxClassifier(nn.Module):
    """`prediction.predict` in operations that ONNX has for any length.

    A loop over windows would be exported for a single length, so here the windows are a batch.
    """

    def __init__(self, models):
        super().__init__()
        self.models = nn.ModuleList(model for model, _ in models)
        self.temperatures = [saved["temperature"] for _, saved in models]

    def forward(self, features):
        """Return probabilities, (1, genres), of the features of a file, (1, T, 33)."""
        n_frames = torch.ops.aten._shape_as_tensor(features)[1]
        starts, length = split_windows(n_frames, self.models[0].clip_frames)
        frames = starts[:, None] + torch.arange(length)
        probabilities = []
        for model, temperature in zip(self.models, self.temperatures, strict=True):
            inputs = model.preprocess(features)[0][frames]  # (windows, length, n_inputs)
            log_probs = model(inputs).mean(dim=0, keepdim=True)
            probabilities.append((log_probs / temperature).softmax(dim=1))
        return torch.stack(probabilities).mean(dim=0)


def export_onnx(models, path):
    """Write models that predict together, with their input processing, to one ONNX file.

    Its input ``features`` is (1, T, 33), float32, for any T: the features that
    `features.extract_file` computes with the settings in the file's metadata. The metadata also
    names the genres of its output ``probabilities``, (1, genres).

    Parameters
    ----------
    models : list of (GenreLSTM, dict)
        See `weights.load_models`.
    path : path-like

    Raises
    ------
    InputError
        The libraries for it aren't installed.
    """
    try:
        import onnx
    except ImportError:
        raise InputError("--export needs ONNX: run pip install onnx onnxruntime") from None

    model, saved = models[0]
    example = torch.zeros(1, 2 * model.clip_frames, N_FEATURES)
    with atomic_write(path) as temporary, warnings.catch_warnings(action="ignore"):
        # The newer exporter (dynamo) makes the number of frames a constant.
        torch.onnx.export(
            OnnxClassifier(models).eval(),
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
