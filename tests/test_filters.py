"""What a user may rely on about the windows and filter banks: they are those of librosa."""

import librosa
import numpy as np
import pytest

from genre_features import filters
from genre_features.frame import N_FFT, SAMPLE_RATE


def test_window_is_librosas_hann_window():
    expected = librosa.filters.get_window("hann", N_FFT)
    np.testing.assert_allclose(filters.hann_window(), expected, atol=1e-15)


def test_mel_filters_are_librosas_and_taken_together_none_is_missing():
    found = np.zeros((filters.N_BINS, 128), np.float32)
    band = 0
    for bins, weights in filters.mel_filters():
        found[bins, band : band + weights.shape[1]] = weights
        band += weights.shape[1]
    expected = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT)
    np.testing.assert_allclose(found.T, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("tuning", [-0.5, -0.07, 0, 0.31, 0.49])
def test_chroma_filters_are_librosas_for_any_tuning(tuning):
    expected = librosa.filters.chroma(sr=SAMPLE_RATE, n_fft=N_FFT, tuning=tuning)
    found = filters.chroma_filters(tuning)
    np.testing.assert_allclose(found.T, expected, rtol=1e-5, atol=1e-9)


def test_a_tone_counts_for_its_pitch_class():
    for midi in range(60, 72):
        nearest = round(librosa.midi_to_hz(midi + 12) / filters.BIN_HZ)
        assert filters.chroma_filters(0.0)[nearest].argmax() == midi % 12


def test_cosine_basis_is_orthonormal():
    basis = filters.dct_basis()
    np.testing.assert_allclose(basis.T @ basis, np.eye(13), atol=1e-14)


def test_bands_of_contrast_cover_all_bins():
    bands = filters.contrast_bands()
    covered = {k for bins, _ in bands for k in range(bins.start, bins.stop)}
    assert covered == set(range(filters.N_BINS))
    assert [size for _, size in bands] == [1, 1, 1, 2, 3, 6, 9]
