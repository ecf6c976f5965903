"""Audio files decoded to mono at 22,050 Hz, whole or about a minute at a time."""

import numpy as np
import soxr

from common.errors import InputError
from genre_features.decoding import decode
from genre_features.frame import FEATURE_PARAMS, SAMPLE_RATE

BLOCK_SECONDS = 60  # of a long file, held in memory at once


def is_below_cutoff(path, cutoff):
    """Whether a file's Nyquist frequency is below the cutoff of a low-pass filter.

    `cutoff` is in Hz, or None for no filter.
    """
    if cutoff is None:
        return False
    rate, _ = next(decode(path, seconds=0))
    return rate < 2 * cutoff


def resampled_length(n_samples, rate):
    """Return how many samples at 22,050 Hz some at another rate become, rounded as librosa does."""
    return int(np.ceil(n_samples * (SAMPLE_RATE / rate)))


def fix_length(signal, n_samples):
    """Cut a signal to a length, or append zeros."""
    return np.pad(signal[:n_samples], (0, max(0, n_samples - len(signal))))


def load_signal(path, seconds=np.inf, notes=None):
    """Decode an audio file to mono at 22,050 Hz.

    Parameters
    ----------
    path : path-like
        WAV, AU, FLAC, OGG or MP3, with any sample rate and number of channels; with PyAV, whatever
        FFmpeg decodes.
    seconds : float
        Read at most this much from the start; by default all of it.
    notes : list of str, optional
        Gets a sentence on what couldn't be read, if anything; see `decoding.decode`.

    Returns
    -------
    numpy.ndarray, shape (samples,), float32

    Raises
    ------
    InputError
        The file doesn't exist, can't be decoded, or holds no samples or impossible ones.
    """
    rates, blocks = zip(*decode(path, seconds, notes=notes), strict=True)
    rate, signal = rates[0], np.concatenate(blocks)
    if not len(signal):
        raise InputError(f"{path} can't be read as audio: it holds no samples")
    if rate == SAMPLE_RATE:
        return signal
    resampled = soxr.resample(signal, rate, SAMPLE_RATE, FEATURE_PARAMS["resampler"])
    return fix_length(resampled, resampled_length(len(signal), rate))


def stream_signal(path, notes=None):
    """Yield the signal that `load_signal` returns, at most a minute at a time."""
    stream, n_read, n_made = None, 0, 0
    for rate, block in decode(path, block_seconds=BLOCK_SECONDS, notes=notes):
        if stream is None:
            quality = FEATURE_PARAMS["resampler"]
            stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, "float32", quality=quality)
        piece = stream.resample_chunk(block)
        n_read, n_made = n_read + len(block), n_made + len(piece)
        yield piece
    rest = stream.resample_chunk(np.zeros(0, np.float32), last=True)
    yield fix_length(rest, resampled_length(n_read, rate) - n_made)
