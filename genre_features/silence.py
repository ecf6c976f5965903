"""Silent stretches of a recording, found in its features."""

import numpy as np

from genre_features.filters import dct_basis
from genre_features.frame import COLUMNS, N_FFT

MIN_SECONDS = 0.5  # shorter pauses are part of the music
SILENCE_DB = 55  # below the loudest frame; see `loudest_band_db`
NOISE_FLOOR_DB = -65  # of any band: white noise at -83 dB of full scale
FLAT = 1  # MFCC 1 to 12 of frames whose bands all lie on the floor are zero but for rounding


def silent_frames(features, settings):
    """Mark the frames of silent stretches of 0.5 s or more, near-silence included.

    A frame is silent if it is about 60 dB quieter than the loudest frame, if all its mel bands lie
    80 dB or more below the loudest band of the recording, where MFCCs don't tell levels apart, or
    if it is no louder than the noise of 16 bits.

    Parameters
    ----------
    features : numpy.ndarray, shape (frames, 33)
        Those of a whole recording; see `features.extract_features`.
    settings : FrameSettings
        Those that the features were computed with.

    Returns
    -------
    numpy.ndarray, shape (frames,), bool
        All True if the recording is silent all through.
    """
    level = loudest_band_db(features)
    is_flat = np.abs(features[:, COLUMNS["mfcc"]][:, 1:]).max(axis=1) < FLAT
    is_quiet = is_flat | (level < max(level.max() - SILENCE_DB, NOISE_FLOOR_DB))
    is_silent = np.zeros(len(features), bool)
    edges = np.flatnonzero(np.diff(np.pad(is_quiet, 1).astype(np.int8)))
    for start, stop in edges.reshape(-1, 2):
        n_samples = (stop - start - 1) * settings.hop_length + N_FFT
        is_silent[start:stop] = n_samples >= MIN_SECONDS * settings.sample_rate
    return is_silent


def loudest_band_db(features):
    """Return the level of the loudest mel band of each frame (dB), (frames,).

    13 MFCCs only tell a smoothed spectrum, in which single tones are up to 20 dB lower.
    """
    basis = dct_basis()[::4].astype(np.float32)  # it has no finer detail
    return (features[:, COLUMNS["mfcc"]] @ basis.T).max(axis=1)
