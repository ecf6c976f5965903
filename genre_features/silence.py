"""Silence in recordings."""

import numpy as np

SILENCE_DB = 60  # below the loudest frame
NEAR_SILENCE_DB = -90  # re full scale
FRAME = 551  # samples, 25 ms
MIN_FRAMES = 20  # 0.5 s; shorter rests are music


def silent_fraction(signal):
    """Return the fraction of a signal that is silent for 0.5 s or more at a time."""
    frames = np.pad(signal, (0, -len(signal) % FRAME)).reshape(-1, FRAME)
    levels = 10 * np.log10(np.square(frames, dtype=float).mean(axis=1) + 1e-20)
    silent = levels < max(levels.max() - SILENCE_DB, NEAR_SILENCE_DB)
    edges = np.flatnonzero(np.diff(silent, prepend=False, append=False)).reshape(-1, 2)
    lengths = edges[:, 1] - edges[:, 0]
    return lengths[lengths >= min(MIN_FRAMES, len(frames))].sum() / len(frames)
