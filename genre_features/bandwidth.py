"""The bandwidth of recordings: up to which frequency a recording chain has let sound through."""

import collections

import numpy as np
import scipy.signal

from genre_features.frame import N_FFT, SAMPLE_RATE

FULL = SAMPLE_RATE / 2  # Hz, the bandwidth of a recording in which nothing is cut off
DROP = 25  # dB below the octave below
LOWEST = 2000  # Hz; below, single instruments drop as steeply
WIDTH = 100  # Hz, over which levels are averaged
BIN_HZ = 500  # Hz; bandwidths in the same band of this width count as one


def effective_bandwidth(signal):
    """Find the highest frequency whose level is within 25 dB of the octave below it.

    Parameters
    ----------
    signal : numpy.ndarray, shape (samples,)
        Mono audio at 22,050 Hz.

    Returns
    -------
    float
        Hz; `FULL` if nothing is cut off.
    """
    # The mean over the frames is one of the loud frames. The median leaves out bursts across the
    # band, such as clipped peaks. A cut shows in one of them.
    options = {"fs": SAMPLE_RATE, "nperseg": min(N_FFT, len(signal))}
    return min(
        first_drop(*scipy.signal.welch(signal, average=average, **options))
        for average in ("mean", "median")
    )


def first_drop(hz, power):
    """Return the first frequency at which a power spectrum drops by 25 dB, or `FULL`."""
    n_bins = max(1, round(WIDTH * N_FFT / SAMPLE_RATE))
    level = 10 * np.log10(np.convolve(power, np.ones(n_bins) / n_bins, mode="same") + 1e-20)
    for i in range(np.searchsorted(hz, LOWEST), len(hz) - n_bins):
        if level[i] < np.median(level[i // 2 : i]) - DROP:
            return float(hz[i])
    return FULL


def bandwidth_baseline(bandwidths, genres):
    """Guess the genre of each clip from its bandwidth alone.

    The guess is the most frequent genre among the other clips of about the same bandwidth.

    Parameters
    ----------
    bandwidths : list of float
        Hz.
    genres : list of str

    Returns
    -------
    accuracy : float
        Share of right guesses.
    chance : float
        Share of the most frequent genre.
    """
    counts = collections.Counter(genres)
    alike = collections.defaultdict(collections.Counter)
    for bandwidth, genre in zip(bandwidths, genres, strict=True):
        alike[bandwidth // BIN_HZ][genre] += 1
    n_right = 0
    for bandwidth, genre in zip(bandwidths, genres, strict=True):
        others = alike[bandwidth // BIN_HZ] - collections.Counter([genre])
        n_right += bool(others) and others.most_common(1)[0][0] == genre
    return n_right / len(genres), max(counts.values()) / len(genres)
