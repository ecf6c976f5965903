"""What a user may rely on about the tuning of a recording."""

import librosa
import numpy as np
import pytest

from genre_features.features import power_spectrogram
from genre_features.frame import HOP_LENGTH, N_FFT, SAMPLE_RATE
from genre_features.tuning import estimate_tuning, spectral_peaks


@pytest.mark.parametrize("noise", [0, 0.01, 1])
@pytest.mark.parametrize("cents", [-49, -23, 0, 8, 49])
def test_tuning_is_librosas_and_within_a_few_cents_of_the_truth(cents, noise):
    time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    pitches = 2 ** (np.array([0, 4, 7, 12]) / 12 + cents / 1200) * 220  # Hz
    signal = np.sin(2 * np.pi * np.outer(pitches, time)).sum(axis=0) / 8
    signal += noise * np.random.default_rng(0).standard_normal(len(time))
    power = power_spectrogram(np.pad(signal, N_FFT // 2).astype(np.float32), HOP_LENGTH)
    tuning = estimate_tuning(*spectral_peaks(power))
    expected = librosa.estimate_tuning(S=power.T, sr=SAMPLE_RATE)
    assert tuning == pytest.approx(expected, abs=1e-12)
    if noise < 1 and abs(cents) < 40:  # half a semitone is 50 cents, either way
        assert 100 * tuning == pytest.approx(cents, abs=7)


def test_silence_is_in_tune():
    assert estimate_tuning(*spectral_peaks(np.zeros((3, 1025), np.float32))) == 0
