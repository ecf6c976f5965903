"""What a user may rely on when copies of recordings are looked for."""

import numpy as np
from helpers import make_clip

from genre_features.fingerprint import find_copies, make_fingerprint


def test_copies_are_grouped_whatever_their_gain_polarity_and_delay():
    noise = np.random.default_rng(0).standard_normal((2, 88200))
    hum, blip = make_clip("hum", 0, 4), make_clip("blip", 1, 4)
    delayed = np.concatenate([np.zeros(1323), -0.01 * noise[0]])
    signals = [noise[0], hum, noise[1], delayed, blip, 0.5 * blip[2000:], make_clip("hum", 2, 4)]
    signals += [np.zeros(9999), np.zeros(22050), np.ones(1)]  # silence isn't a copy
    fingerprints = [make_fingerprint(signal.astype(np.float32)) for signal in signals]
    assert find_copies(fingerprints) == [[0, 3], [4, 5]]
    assert find_copies([]) == []
