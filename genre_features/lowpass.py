"""A low-pass filter that gives recordings the same bandwidth."""

import functools
import itertools

import numpy as np

from genre_features.frame import SAMPLE_RATE

N_TAPS = 1025  # odd: the delay is a whole number of samples, and is removed
STOPBAND_DB = 100  # attenuation; with this number of taps the transition band is 140 Hz wide
BLOCK = 8192  # samples of each FFT
FULL_SCALE = 2**15  # steps of 16-bit audio


@functools.cache
def design(cutoff):
    """Return the taps of a linear-phase filter that passes what is below `cutoff` (Hz).

    It is an ideal filter's response, cut off by a Kaiser window [1]_.

    References
    ----------
    .. [1] Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", ISCAS
       1974.
    """
    beta = 0.1102 * (STOPBAND_DB - 8.7)
    delay = np.arange(N_TAPS) - N_TAPS // 2
    taps = np.sinc(2 * cutoff / SAMPLE_RATE * delay) * np.kaiser(N_TAPS, beta)
    return taps / taps.sum()


def convolve(samples, taps):
    """Return the convolution of samples and taps where they overlap fully, by overlap-save."""
    n_valid, step = len(samples) - len(taps) + 1, BLOCK - len(taps) + 1
    padded = np.pad(samples, (0, -n_valid % step))
    blocks = np.lib.stride_tricks.sliding_window_view(padded, BLOCK)[::step]
    spectra = np.fft.rfft(blocks) * np.fft.rfft(taps, BLOCK)
    return np.fft.irfft(spectra)[:, len(taps) - 1 :].ravel()[:n_valid]


def lowpass(signal, cutoff):
    """Filter a signal, and round it to 16 bits.

    The rounding leaves the same noise above the cutoff in every recording. Without it, spectral
    contrast would still tell how far below hearing the rest of a recording lies.

    Parameters
    ----------
    signal : numpy.ndarray, shape (samples,)
        Mono audio at 22,050 Hz.
    cutoff : int
        Hz.

    Returns
    -------
    numpy.ndarray, shape (samples,), float32
    """
    return np.concatenate(list(stream_lowpass([signal], cutoff)))


def stream_lowpass(pieces, cutoff):
    """Yield what `lowpass` returns for a signal that comes in pieces."""
    taps, edge = design(cutoff), np.zeros(N_TAPS // 2)
    samples = edge
    for piece in itertools.chain(pieces, [edge]):
        samples = np.concatenate([samples, piece])
        if len(samples) >= N_TAPS:
            filtered = convolve(samples, taps)
            yield (np.round(filtered * FULL_SCALE) / FULL_SCALE).astype(np.float32)
            samples = samples[len(filtered) :]
