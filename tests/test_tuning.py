"""What a user may rely on about the tuning of a recording."""

import librosa
import numpy as np
import pytest

from genre_features.features import power_spectrogram
from genre_features.frame import HOP_LENGTH, N_FFT, SAMPLE_RATE
from genre_features.tuning import estimate_tuning, spectral_peaks


def spectrogram(cents, noise=0.01):
    """Return the power of a chord that is so much higher than one of A440, over some noise."""
    time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    pitches = 2 ** (np.array([0, 4, 7, 12]) / 12 + cents / 1200) * 220
    signal = np.sin(2 * np.pi * np.outer(pitches, time)).sum(axis=0) / 8
    signal += noise * np.random.default_rng(0).standard_normal(len(time))
    return power_spectrogram(np.pad(signal, N_FFT // 2).astype(np.float32), HOP_LENGTH)


@pytest.mark.parametrize("noise", [0, 0.01, 1])
@pytest.mark.parametrize("cents", [-49, -23, 0, 8, 49])
def test_tuning_is_the_one_that_librosa_estimates(cents, noise):
    power = spectrogram(cents, noise)
    expected = librosa.estimate_tuning(S=power.T, sr=SAMPLE_RATE)
    assert estimate_tuning(*spectral_peaks(power)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("cents", [-40, -10, 0, 25])
def test_tuning_is_within_a_few_cents_of_the_truth(cents):
    found = estimate_tuning(*spectral_peaks(spectrogram(cents, noise=0)))
    assert 100 * found == pytest.approx(cents, abs=6)


def test_silence_is_in_tune():
    assert estimate_tuning(*spectral_peaks(np.zeros((3, 1025), np.float32))) == 0


def test_a_peak_takes_five_bytes():
    deviation, strength = spectral_peaks(spectrogram(0))
    assert deviation.itemsize + strength.itemsize == 5
