"""Extract features as the original project does: librosa's four functions, clip after clip.

    python -m benchmarks.original gtzan features.npy

This is what the extraction is measured against.
"""

import sys
from pathlib import Path

import librosa
import numpy as np

from genre_features.frame import HOP_LENGTH, frames_per_clip


def extract_clip(path):
    """Return the features of a clip, (frames, 33)."""
    signal, rate = librosa.load(path)
    options = {"y": signal, "sr": rate, "hop_length": HOP_LENGTH}
    features = [
        librosa.feature.mfcc(n_mfcc=13, **options),
        librosa.feature.spectral_centroid(**options),
        librosa.feature.chroma_stft(**options),
        librosa.feature.spectral_contrast(**options),
    ]
    return np.concatenate(features).T


def main():
    dataset, output = map(Path, sys.argv[1:])
    clips = [extract_clip(path)[: frames_per_clip()] for path in sorted(dataset.rglob("*.au"))]
    np.save(output, np.stack(clips).astype(np.float32))


if __name__ == "__main__":
    main()
