"""Write a trained model as ONNX, for programs without PyTorch."""

import json
import warnings

import torch
from torch import nn

from audio_features import N_FEATURES
from script_helpers import InputError, replacing


class Classifier(nn.Module):
    """What `GenreLSTM.forward` and the temperature do, in operations that ONNX has at any length.

    Loops over windows would be written out for one length: here the windows are a batch.
    """

    def __init__(self, model, temperature):
        super().__init__()
        self.model, self.temperature = model, temperature

    def forward(self, features):
        """Return probabilities, (1, genres), of the features of a file, (1, T, 33)."""
        n_frames = torch.ops.aten._shape_as_tensor(features)[1]
        length = torch.minimum(n_frames, torch.tensor(self.model.window))
        n_windows = (2 * n_frames + length - 1) // length - 1
        last = torch.maximum(n_windows - 1, torch.tensor(1))
        starts = torch.arange(n_windows) * (n_frames - length) // last
        frames = starts[:, None] + torch.arange(length)
        windows = self.model.process(features)[0][frames]  # (windows, length, inputs)
        scores = self.model.classify(windows).mean(dim=0, keepdim=True)
        return (scores / self.temperature).softmax(dim=1)


def export_onnx(model, saved, path):
    """Write a model with its input processing and temperature to an ONNX file.

    Its input ``features`` is (1, T, 33), float32, T free: those of `audio_features.extract_file`
    at the hop length of the file's metadata, which also names the genres of the output
    ``probabilities``, (1, genres).

    Parameters
    ----------
    model : GenreLSTM
    saved : dict
        What came with the model; see `genre_lstm.load_model`.
    path : path-like

    Raises
    ------
    InputError
        The libraries for it aren't installed.
    """
    try:
        import onnx
    except ImportError:
        raise InputError(
            "ONNX needs more libraries: run pip install -r requirements-onnx.txt"
        ) from None

    classifier = Classifier(model, saved["temperature"]).eval()
    example = torch.zeros(1, 2 * model.window, N_FEATURES)
    with replacing(path) as temporary:
        with warnings.catch_warnings(action="ignore"):
            # The newer exporter takes the number of frames of the LSTM's output for a constant.
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
        metadata = {"genres": saved["genres"], **saved["features"]}
        onnx.helper.set_model_props(written, {k: json.dumps(v) for k, v in metadata.items()})
        onnx.save(written, temporary)
