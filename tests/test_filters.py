"""What a user may rely on about the filter banks: they are librosa's."""

import librosa
import numpy as np
import pytest

from genre_features import filters
from genre_features.frame import N_FFT, SAMPLE_RATE


def test_mel_filters_taken_together_are_librosas():
    groups = [np.zeros((filters.N_BINS, len(weights.T))) for _, weights in filters.mel_filters()]
    for group, (bins, weights) in zip(groups, filters.mel_filters(), strict=True):
        group[bins] = weights
    expected = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT)
    np.testing.assert_allclose(np.concatenate(groups, axis=1).T, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("tuning", [-0.5, -0.07, 0, 0.31, 0.49])
def test_chroma_filters_are_librosas_for_any_tuning(tuning):
    expected = librosa.filters.chroma(sr=SAMPLE_RATE, n_fft=N_FFT, tuning=tuning)
    actual = filters.chroma_filters(tuning)
    np.testing.assert_allclose(actual.T, expected, rtol=1e-5, atol=1e-9)


def test_a_tone_counts_for_its_pitch_class():
    for midi in range(60, 72):
        nearest = round(librosa.midi_to_hz(midi + 12) / filters.BIN_HZ)
        assert filters.chroma_filters(0.0)[nearest].argmax() == midi % 12
