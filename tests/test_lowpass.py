"""What a user may rely on when the features are computed from low-passed audio."""

import numpy as np
import pytest
import scipy.signal
from helpers import assert_one_line, extract, predict, run, train, write_clip

from genre_features.features import extract_features
from genre_features.frame import SAMPLE_RATE, FrameSettings
from genre_features.lowpass import lowpass

CUTOFF = 9000
KAISER_BETA = scipy.signal.kaiser_beta(100)  # dB


@pytest.fixture(scope="module")
def noise():
    """Four seconds of white noise."""
    return 0.1 * np.random.default_rng(0).standard_normal(4 * SAMPLE_RATE, np.float32)


@pytest.mark.parametrize("cutoff", [1000, CUTOFF, 11000])
@pytest.mark.parametrize("n_samples", [1, 1025, 8192, 8193, 88200])
def test_filter_is_scipys_with_a_kaiser_window(noise, cutoff, n_samples):
    taps = scipy.signal.firwin(1025, cutoff, window=("kaiser", KAISER_BETA), fs=SAMPLE_RATE)
    expected = scipy.signal.convolve(noise[:n_samples], taps)[512:][:n_samples]
    filtered = lowpass(noise[:n_samples], cutoff)
    np.testing.assert_allclose(filtered, expected, atol=0.51 / 2**15)  # rounded to 16 bits
    assert not (filtered * 2**15 % 1).any()


def test_recordings_that_differ_above_the_cutoff_alone_get_the_same_features(noise):
    settings = FrameSettings(lowpass=CUTOFF)
    recordings = (noise, lowpass(noise, 9500))
    means = [extract_features(signal)[4:-4].mean(axis=0) for signal in recordings]
    assert abs(means[0] - means[1])[-1] > 3  # dB: the contrast of the highest band
    means = [extract_features(signal, settings)[4:-4].mean(axis=0) for signal in recordings]
    assert abs(means[0] - means[1])[-1] < 0.1


def test_cutoff_travels_with_the_features_and_the_weights(corpus, tmp_path, undrawn):
    extract(corpus, tmp_path / "features", "--lowpass", 8000)
    train(tmp_path / "features", tmp_path, "--epochs", 1)
    write_clip(tmp_path / "clip.wav", "hum", 0, 6.0, rate=15000)
    (line,), _ = predict(tmp_path / "clip.wav", "--weights", tmp_path / "weights")
    assert "below 16000 Hz" in line


@pytest.mark.parametrize("cutoff", [10, 11025, 44100, "high"])
def test_impossible_cutoff_is_refused(tmp_path, cutoff):
    _, stderr = run("GenreFeatureData.py", "--lowpass", cutoff, cwd=tmp_path, status=2)
    assert_one_line(stderr.splitlines()[-1], "--lowpass")
