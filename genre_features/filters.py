"""Window and filter banks of the features.

librosa's defaults define them, and the tests compare with it. They are computed here because
librosa imports numba, which each worker process would wait for. All are made for the bins of the
STFT: bin k lies at ``k * SAMPLE_RATE / N_FFT`` Hz.
"""

import functools
import itertools

import numpy as np

from genre_features.frame import FEATURE_PARAMS, N_FFT, SAMPLE_RATE

N_BINS = 1 + N_FFT // 2
BIN_HZ = SAMPLE_RATE / N_FFT
BREAK_HZ, BREAK_MEL = 1000, 15  # below, a mel is 66.7 Hz; above, 27 mels are a factor of 6.4
A0_HZ = 27.5
CENTRE_OCTAVE, OCTAVE_WIDTH = 5, 2  # octaves above A0; the weights that chroma gives octaves
MIN_BAND_HZ = 200  # upper end of the lowest band of contrast
CONTRAST_QUANTILE = 0.02  # of a band's bins: the loudest are its peak, the softest its valley


@functools.cache
def hann_window():
    """Return the periodic Hann window, (2048,)."""
    return np.hanning(N_FFT + 1)[:-1]


def mel_edges():
    """Return the frequencies (Hz) where mel bands begin, peak and end, (130,).

    They are evenly spaced on the scale of Slaney's Auditory Toolbox [1]_.

    References
    ----------
    .. [1] Slaney, "Auditory Toolbox", version 2, Interval Research, 1998.
    """
    top = BREAK_MEL + 27 * np.log(SAMPLE_RATE / 2 / BREAK_HZ) / np.log(6.4)
    mel = np.linspace(0, top, FEATURE_PARAMS["n_mels"] + 2)
    low, high = BREAK_HZ / BREAK_MEL * mel, BREAK_HZ * 6.4 ** ((mel - BREAK_MEL) / 27)
    return np.where(mel < BREAK_MEL, low, high)


@functools.cache
def mel_filters():
    """Return (bins, weights) of the triangular mel filters of equal area, some bands at a time.

    They weigh few neighbouring bins: the other products of one big matrix would all be zero.

    Returns
    -------
    list of (slice, numpy.ndarray, shape (bins, bands), float32)
    """
    edges, hz = mel_edges()[:, np.newaxis], BIN_HZ * np.arange(N_BINS)
    begin, peak, end = edges[:-2], edges[1:-1], edges[2:]
    triangles = np.minimum((hz - begin) / (peak - begin), (end - hz) / (end - peak))
    filters = np.maximum(triangles, 0) * 2 / (end - begin)
    groups = []
    for weights in np.array_split(filters.astype(np.float32), 8):
        bins = np.flatnonzero(weights.any(axis=0))
        bins = slice(bins[0], bins[-1] + 1)
        groups.append((bins, weights[:, bins].T))
    return groups


@functools.cache
def dct_basis():
    """Return the first vectors of the orthonormal DCT-II of the mel bands, (128, 13)."""
    n_mels = FEATURE_PARAMS["n_mels"]
    band, order = np.arange(n_mels)[:, np.newaxis] + 0.5, np.arange(FEATURE_PARAMS["n_mfcc"])
    basis = np.cos(np.pi / n_mels * band * order) * np.sqrt(2 / n_mels)
    basis[:, 0] /= np.sqrt(2)
    return basis


@functools.cache
def chroma_filters(tuning):
    """Return the weight of each bin in each pitch class, (1025, 12), C first.

    The weights are Gaussians of the distance between bin and pitch class [1]_: the wider the bin in
    semitones, the wider the Gaussian. Another Gaussian weighs the octaves.

    Parameters
    ----------
    tuning : float
        Deviation from A440, in semitones.

    References
    ----------
    .. [1] Ellis, "Chroma feature analysis and synthesis", Columbia University, 2007.
    """
    n_chroma = FEATURE_PARAMS["n_chroma"]
    hz = BIN_HZ * np.arange(1, N_BINS + 1)  # one more than there are, for the width of the last
    pitch = n_chroma * np.log2(hz / (A0_HZ * 2 ** (tuning / n_chroma)))
    pitch = np.concatenate([[pitch[0] - 1.5 * n_chroma], pitch])  # 0 Hz has no pitch
    width = np.maximum(np.diff(pitch), 1)[:, np.newaxis]
    pitch, half = pitch[:-1, np.newaxis], n_chroma / 2
    # The distance around the circle of pitch classes; pitch class 0 is A.
    distance = np.mod(pitch - np.arange(n_chroma) + half, n_chroma) - half
    weights = np.exp(-0.5 * (2 * distance / width) ** 2)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    weights *= np.exp(-0.5 * ((pitch / n_chroma - CENTRE_OCTAVE) / OCTAVE_WIDTH) ** 2)
    return np.roll(weights, -3, axis=1).astype(np.float32)


@functools.cache
def contrast_bands():
    """Return (bins, size) of the octave bands of spectral contrast, the lowest from 0 Hz.

    `size` is the number of bins whose mean is the peak, or the valley.

    Returns
    -------
    list of (slice, int)
    """
    hz = BIN_HZ * np.arange(N_BINS)
    edges = [0, *(MIN_BAND_HZ * 2**k for k in range(FEATURE_PARAMS["n_bands"] + 1))]
    bands = []
    for low, high in itertools.pairwise(edges):
        # As librosa has it: a band begins a bin early. It ends a bin early, too, but for the
        # highest, and the last bin still counts for the size.
        first = max(0, np.searchsorted(hz, low) - 1)
        stop = np.searchsorted(hz, high, side="right")
        size = max(1, round(CONTRAST_QUANTILE * (stop - first)))
        bands.append((slice(first, stop if high > hz[-1] else stop - 1), size))
    return bands
