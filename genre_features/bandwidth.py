"""The effective bandwidth of recordings: the highest frequency that their chain let through."""

import numpy as np
import scipy.signal

from genre_features.frame import N_FFT, SAMPLE_RATE

FULL = SAMPLE_RATE / 2  # Hz, the bandwidth of recordings that aren't band-limited
DROP = 25  # dB below the octave below
MIN_CUT, MAX_CUT = 2000, 10_500  # Hz; below, instruments drop as steeply, above, the resampler does
WIDTH = 100  # Hz, over which levels are averaged
BIN_HZ = 500  # Hz; bandwidths in the same band of this width count as one
N_SHUFFLES = 1000  # of the genres, to find what bandwidth predicts by chance


def effective_bandwidth(signal):
    """Find the highest frequency whose level is within 25 dB of the octave below it.

    Parameters
    ----------
    signal : numpy.ndarray, shape (samples,)
        Mono audio at 22,050 Hz.

    Returns
    -------
    float
        Hz; `FULL` if the recording isn't band-limited.
    """
    # Loud frames dominate the mean over the frames. The median ignores bursts across the band,
    # such as clipped peaks. A cutoff shows in one of them.
    options = {"fs": SAMPLE_RATE, "nperseg": min(N_FFT, len(signal))}
    return min(
        first_drop(*scipy.signal.welch(signal, average=average, **options))
        for average in ("mean", "median")
    )


def first_drop(hz, power):
    """Return the first frequency at which a power spectrum drops by 25 dB, or `FULL`."""
    n_bins = round(WIDTH * N_FFT / SAMPLE_RATE)
    level = 10 * np.log10(np.convolve(power, np.ones(n_bins) / n_bins, mode="same") + 1e-20)
    for i in range(*np.searchsorted(hz, (MIN_CUT, MAX_CUT))):
        if level[i] < np.median(level[i // 2 : i]) - DROP:
            return float(hz[i])
    return FULL


def bandwidth_baseline(bandwidths, genres):
    """Predict the genre of each clip from its bandwidth alone.

    The prediction is the most frequent genre of the clips of about the same bandwidth. The clip
    itself counts, too, so accuracy is compared with that for shuffled genres.

    Parameters
    ----------
    bandwidths : list of float
        Hz.
    genres : list of str

    Returns
    -------
    accuracy : float
        Fraction of right predictions.
    chance : float
        Mean accuracy for shuffled genres.
    limit : float
        Highest accuracy for `N_SHUFFLES` orders of the genres.
    """
    bins = np.unique(np.asarray(bandwidths) // BIN_HZ, return_inverse=True)[1]
    targets = np.unique(genres, return_inverse=True)[1]
    random, n_genres = np.random.default_rng(0), targets.max() + 1

    def score(targets):
        counts = np.bincount(bins * n_genres + targets, minlength=(bins.max() + 1) * n_genres)
        return counts.reshape(-1, n_genres).max(axis=1).sum() / len(targets)

    by_chance = [score(random.permutation(targets)) for _ in range(N_SHUFFLES)]
    return score(targets), np.mean(by_chance), max(by_chance)
