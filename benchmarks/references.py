"""The references: librosa's functions as the original project calls them, and a bare nn.LSTM.

python -m benchmarks.references librosa gtzan          # extract the features of a data set
python -m benchmarks.references lstm features flush    # or keep denormals; print s per epoch
"""

import sys
import time
from pathlib import Path

import numpy as np


def librosa_features(path):
    """Return the features of a clip, (frames, 33)."""
    import librosa

    signal, rate = librosa.load(path)
    options = {"y": signal, "sr": rate, "hop_length": 512}
    features = [
        librosa.feature.mfcc(n_mfcc=13, **options),
        librosa.feature.spectral_centroid(**options),
        librosa.feature.chroma_stft(**options),
        librosa.feature.spectral_contrast(**options),
    ]
    return np.concatenate(features).T


def bare_epoch(folder, denormals):
    """Train two epochs as the published recipe does; return the seconds of one."""
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(denormals == "flush")
    inputs, targets = (
        torch.from_numpy(np.load(f"{folder}/data_train_{kind}.npy")).split(35)
        for kind in ("input", "target")
    )
    lstm, linear = torch.nn.LSTM(33, 128, num_layers=2, batch_first=True), torch.nn.Linear(128, 6)
    optimizer = torch.optim.Adam([*lstm.parameters(), *linear.parameters()], lr=3e-5)
    start = time.perf_counter()
    for batch, batch_targets in [*zip(inputs, targets, strict=True)] * 2:
        loss = torch.nn.functional.cross_entropy(linear(lstm(batch)[0][:, -1]), batch_targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (time.perf_counter() - start) / 2


if __name__ == "__main__":
    if sys.argv[1] == "librosa":
        features = [librosa_features(path) for path in sorted(Path(sys.argv[2]).rglob("*.au"))]
    else:
        print(bare_epoch(*sys.argv[2:]))
