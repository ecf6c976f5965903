"""The tuning of a recording: by how much its notes lie above or below those of A440.

`librosa.estimate_tuning` defines it, and the tests compare with it.
"""

import numpy as np

from genre_features.filters import A0_HZ, BIN_HZ
from genre_features.frame import FEATURE_PARAMS

MIN_HZ, MAX_HZ = 150, 4000  # of spectral peaks that are used
MIN_PEAK_POWER = 0.1  # of the largest power in the frame
EDGES = np.linspace(-0.5, 0.5, 101)  # semitones: detunings are counted in hundredths


def spectral_peaks(power):
    """Return the pitch and the power of the spectral peaks of all frames, as `librosa.piptrack`.

    Peaks are the maxima above a tenth of the frame's largest power, refined by the parabola
    through them and their neighbours.

    Parameters
    ----------
    power : numpy.ndarray, shape (frames, 1025)

    Returns
    -------
    detuning : numpy.ndarray, shape (peaks,), uint8
        From the nearest semitone of A440, as an index into `EDGES`. Hours of noise have many
        peaks, so they are kept small.
    strength : numpy.ndarray, shape (peaks,), float32
    """
    first, stop = int(np.ceil(MIN_HZ / BIN_HZ)), int(np.ceil(MAX_HZ / BIN_HZ))
    below, middle, above = (power[:, first + i : stop + i] for i in (-1, 0, 1))
    loud = middle > np.float32(MIN_PEAK_POWER) * power.max(axis=1, keepdims=True)
    places = np.nonzero(loud & (middle > below) & (middle >= above))
    below, middle, above = below[places], middle[places], above[places]
    slope, curvature = (above - below) / 2, above + below - 2 * middle
    # A vertex a bin or more away isn't that of this peak.
    near = np.abs(slope) < np.abs(curvature)
    shift = np.where(near, -slope / np.where(near, curvature, 1), 0)
    # In single precision, as librosa does: a tone in tune lies on the edge between two bins.
    hz = ((first + places[1] + shift) * BIN_HZ).astype(np.float32)
    detuning = np.mod(FEATURE_PARAMS["n_chroma"] * np.log2(hz / np.float32(A0_HZ)), 1)
    detuning[detuning >= 0.5] -= 1
    index = np.searchsorted(EDGES, detuning, side="right") - 1
    return index.astype(np.uint8), middle + slope * shift / 2


def estimate_tuning(detuning, strength):
    """Return the most frequent detuning among the stronger half of some peaks, in semitones.

    This is `librosa.estimate_tuning`: the lower edge of a hundredth of a semitone, and 0 where
    there is no peak.

    Parameters
    ----------
    detuning, strength
        See `spectral_peaks`.
    """
    if not len(strength):
        return 0.0
    strong = detuning[strength >= np.median(strength)]
    return float(EDGES[np.bincount(strong).argmax()])
