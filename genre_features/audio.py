"""Audio files decoded to mono at 22,050 Hz, whole or about a minute at a time."""

import numpy as np
import soxr

from genre_features.decoding import decode
from genre_features.frame import FEATURE_PARAMS, SAMPLE_RATE

RESAMPLER = FEATURE_PARAMS["resampler"]


def is_below_cutoff(path, cutoff):
    """Whether a file's Nyquist frequency is below a filter's cutoff (Hz; None for no filter)."""
    if cutoff is None:
        return False
    rate, _ = next(decode(path, seconds=0))
    return rate < 2 * cutoff


def fix_length(resampled, n_samples, rate, n_made=0):
    """Give a resampled signal the length that librosa gives it, by a cut or by zeros.

    It was made from `n_samples` at a `rate` in Hz, and continues `n_made` samples at 22,050 Hz.
    """
    length = int(np.ceil(n_samples * (SAMPLE_RATE / rate))) - n_made
    return np.pad(resampled[:length], (0, max(0, length - len(resampled))))


def load_signal(path, seconds=np.inf, notes=None):
    """Decode an audio file to mono at 22,050 Hz.

    Parameters
    ----------
    path : path-like
        WAV, AU, FLAC, OGG or MP3 of any sample rate; with PyAV, whatever FFmpeg decodes.
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
        See `decoding.decode`.
    """
    rates, blocks = zip(*decode(path, seconds, notes), strict=True)
    rate, signal = rates[0], blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    if rate == SAMPLE_RATE:
        return signal
    resampled = soxr.resample(signal, rate, SAMPLE_RATE, RESAMPLER)
    return fix_length(resampled, len(signal), rate)


def stream_signal(path, notes=None):
    """Yield the signal that `load_signal` returns, about a minute at a time."""
    stream, n_read, n_made = None, 0, 0
    for rate, block in decode(path, notes=notes):
        if stream is None:
            stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, "float32", RESAMPLER)
        piece = stream.resample_chunk(block)
        n_read, n_made = n_read + len(block), n_made + len(piece)
        yield piece
    rest = stream.resample_chunk(np.zeros(0, np.float32), last=True)
    yield fix_length(rest, n_read, rate, n_made)
