"""A low-pass filter that makes recordings of different bandwidths alike."""

import functools
import itertools

import numpy as np
import scipy.signal

from genre_features.frame import SAMPLE_RATE

N_TAPS = 1025  # an odd number: the delay is a whole number of samples, and is taken out
STOPBAND = 100  # dB; with these taps the transition takes 140 Hz
FULL_SCALE = 2**15  # steps of 16-bit audio


@functools.cache
def design(cutoff):
    """Return the taps of a linear-phase filter that passes what is below `cutoff` (Hz)."""
    window = ("kaiser", scipy.signal.kaiser_beta(STOPBAND))
    return scipy.signal.firwin(N_TAPS, cutoff, window=window, fs=SAMPLE_RATE)


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
            filtered = scipy.signal.oaconvolve(samples, taps, mode="valid")
            yield (np.round(filtered * FULL_SCALE) / FULL_SCALE).astype(np.float32)
            samples = samples[len(filtered) :]
