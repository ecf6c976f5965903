"""What a user may rely on about the benchmarks."""

import numpy as np
from helpers import write_clip

from benchmarks import __main__ as benchmarks
from benchmarks.references import librosa_features
from genre_features.audio import load_signal
from genre_features.features import extract_features


def test_two_sides_run_in_turn_and_are_compared_by_their_medians():
    calls = []

    def side(name, *values):
        remaining = iter(values)
        return lambda: calls.append(name) or next(remaining)

    row = benchmarks.Row("this", "that", side("ours", 1, 9, 2), side("theirs", 5, 7, 6), goal=2.5)
    line = benchmarks.measure(row, times=3)
    assert line == "| this | that | 2 s (1) | 6 s (5) | 3 | ≥ 2.5: met |"
    assert calls == ["ours", "theirs"] * 3


def test_both_sides_of_the_extraction_compute_the_same_features(tmp_path):
    write_clip(tmp_path / "clip.au", "blip", 0, seconds=2.0)
    ours = extract_features(load_signal(tmp_path / "clip.au", 30))
    theirs = librosa_features(tmp_path / "clip.au")
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
