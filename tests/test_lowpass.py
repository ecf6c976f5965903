"""What a user may rely on when the features are computed from low-passed audio."""

import numpy as np
import pytest
import scipy.signal
from helpers import (
    assert_one_line,
    extract,
    features_by_librosa,
    predict,
    run,
    train,
    write_clip,
)

from genre_features.features import extract_features
from genre_features.frame import COLUMNS, SAMPLE_RATE, FrameSettings
from genre_features.lowpass import convolve, design, lowpass

CUTOFF = 9000


@pytest.fixture(scope="module")
def noise():
    """Four seconds of white noise."""
    random = np.random.default_rng(0)
    return (0.1 * random.standard_normal(4 * SAMPLE_RATE)).astype(np.float32)


def level(signal, low, high):
    """Return the level of a signal between two frequencies (dB)."""
    hz, power = scipy.signal.welch(signal, SAMPLE_RATE, nperseg=4096)
    return 10 * np.log10(power[(low < hz) & (hz < high)].mean())


def test_only_the_noise_of_16_bits_is_left_above_the_cutoff(noise):
    filtered = lowpass(noise, CUTOFF)
    assert filtered.dtype == np.float32
    assert len(filtered) == len(noise)
    assert level(filtered, 100, 8900) == pytest.approx(level(noise, 100, 8900), abs=0.05)
    of_rounding = 10 * np.log10(2**-30 / 12 / (SAMPLE_RATE / 2))  # per Hz
    assert level(filtered, 9150, 11000) == pytest.approx(of_rounding, abs=1)


@pytest.mark.parametrize("cutoff", [1000, CUTOFF, 11000])
def test_filter_is_the_one_that_scipy_designs(cutoff):
    window = ("kaiser", scipy.signal.kaiser_beta(100))
    expected = scipy.signal.firwin(1025, cutoff, window=window, fs=SAMPLE_RATE)
    np.testing.assert_allclose(design(cutoff), expected, atol=1e-14)


@pytest.mark.parametrize("n_samples", [1025, 8191, 8192, 8193, 30_000])
def test_convolution_in_blocks_is_the_whole_one(noise, n_samples):
    samples, taps = noise[:n_samples].astype(float), design(CUTOFF)
    expected = np.convolve(samples, taps, mode="valid")
    np.testing.assert_allclose(convolve(samples, taps), expected, atol=1e-12)


@pytest.mark.parametrize("hop_length", [512, 1709])
def test_features_are_librosas_of_the_signal_filtered_by_scipy(noise, hop_length):
    window = ("kaiser", scipy.signal.kaiser_beta(100))
    taps = scipy.signal.firwin(1025, CUTOFF, window=window, fs=SAMPLE_RATE)
    signal = np.convolve(noise, taps, mode="same")
    signal = (np.round(signal * 2**15) / 2**15).astype(np.float32)
    expected = features_by_librosa(signal, hop_length)
    features = extract_features(noise, FrameSettings(hop_length=hop_length, lowpass=CUTOFF))
    for kind, columns in COLUMNS.items():
        np.testing.assert_allclose(
            features[:, columns].T, expected[kind], rtol=1e-3, atol=1e-3, err_msg=kind
        )


def test_recordings_that_differ_above_the_cutoff_alone_get_the_same_features(noise):
    settings = FrameSettings(lowpass=CUTOFF)
    recordings = (noise, lowpass(noise, 9500))
    means = [extract_features(signal)[4:-4].mean(axis=0) for signal in recordings]
    highest = COLUMNS["spectral_contrast"].stop - 1  # band of the contrast
    assert abs(means[0] - means[1])[highest] > 3  # dB
    means = [extract_features(signal, settings)[4:-4].mean(axis=0) for signal in recordings]
    assert abs(means[0] - means[1])[highest] < 0.1


def test_cutoff_travels_with_the_features_and_the_weights(corpus, tmp_path, undrawn):
    extract(corpus, tmp_path / "features", "--lowpass", 8000)
    train("PiecewiseDecay", tmp_path / "features", tmp_path, "--epochs", 1)
    write_clip(tmp_path / "clip.wav", "hum", 0, 6.0, rate=15000)
    (line,), _ = predict(tmp_path / "clip.wav", "--weights", tmp_path / "weights")
    assert "below 16000 Hz" in line


def test_audio_whose_rate_cannot_fill_the_band_is_named(tmp_path):
    for number in (0, 10, 30):
        rate = 16000 if number == 30 else 22050
        write_clip(tmp_path / "hum" / f"hum.{number:05}.wav", "hum", number, rate=rate)
        write_clip(tmp_path / "hiss" / f"hiss.{number:05}.wav", "hiss", number)
    _, stderr = extract(tmp_path, tmp_path / "out", "--lowpass", CUTOFF)
    assert "hum.00030.wav" in stderr
    assert "hum.00010.wav" not in stderr


@pytest.mark.parametrize("cutoff", [10, 11025, 44100, "high"])
def test_impossible_cutoff_is_refused(tmp_path, cutoff):
    _, stderr = run("GenreFeatureData.py", "--lowpass", cutoff, cwd=tmp_path, status=2)
    assert_one_line(stderr.splitlines()[-1], "--lowpass")
