"""Audio files decoded to mono at 22,050 Hz, whole or about a minute at a time."""

import contextlib
import os
from pathlib import Path

import numpy as np
import soundfile
import soxr

from common.errors import InputError
from genre_features.frame import FEATURE_PARAMS, SAMPLE_RATE

BLOCK_SECONDS = 60  # of a long file, held in memory at once
BLOCK_SAMPLES = 2**24  # of all channels, decoded at once
MIN_RATE, MAX_RATE = 1000, 768_000  # Hz; other rates come from damaged headers


@contextlib.contextmanager
def open_audio(path):
    """Open a file as `soundfile.SoundFile`; its errors become an InputError."""
    if not Path(path).is_file():
        reason = "it isn't a file" if Path(path).exists() else "there is no such file"
        raise InputError(f"{path} can't be read as audio: {reason}")
    # soundfile encodes str as UTF-8, but except on Windows names can be any bytes.
    name = os.fsencode(path) if os.name == "posix" else path
    try:
        with soundfile.SoundFile(name) as file:
            if not MIN_RATE <= file.samplerate <= MAX_RATE:
                raise InputError(
                    f"{path} can't be used: its rate of {file.samplerate} Hz isn't one from "
                    f"{MIN_RATE} to {MAX_RATE} Hz"
                )
            yield file
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: .raw, whose rate is unknown
        reason = str(error).rpartition(": ")[2]
        if "does not exist" in reason:  # libsndfile's words for an MP3 that holds none
            reason = "Format not recognised."
        raise InputError(f"{path} can't be read as audio: {reason}") from None


def is_below_cutoff(path, cutoff):
    """Whether a file's sample rate leaves a low-pass filter, if there is one, nothing to take out.

    `cutoff` is the filter's (Hz), or None.
    """
    if cutoff is None:
        return False
    with open_audio(path) as file:
        return file.samplerate < 2 * cutoff


def to_mono(samples, path):
    """Average the channels of samples, (n, channels); InputError if some are impossible."""
    if not (np.abs(samples) < 1e9).all():  # full scale is 1; the power spectrum must be finite
        raise InputError(f"{path} can't be used: it holds NaN, infinite or far too large samples")
    return samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)


def read_mono(file, path, limit):
    """Read at most `limit` samples of an open file, and average their channels."""
    # In blocks, since a damaged header can claim more samples than fit in memory.
    blocks, size = [], max(1, BLOCK_SAMPLES // file.channels)
    while not blocks or len(blocks[-1]) == size:
        samples = file.read(min(size, limit), dtype="float32", always_2d=True)
        blocks.append(to_mono(samples, path))
        limit -= len(samples)
    return np.concatenate(blocks)


def resampled_length(n_samples, rate):
    """Return how many samples at 22,050 Hz some at another rate become, rounded as librosa does."""
    return int(np.ceil(n_samples * (SAMPLE_RATE / rate)))


def fit(signal, n_samples):
    """Cut a signal to a length, or append zeros."""
    return np.pad(signal[:n_samples], (0, max(0, n_samples - len(signal))))


def load_signal(path, seconds=None):
    """Decode an audio file to mono at 22,050 Hz.

    Parameters
    ----------
    path : path-like
        WAV, AU, FLAC, OGG or MP3, with any sample rate and number of channels.
    seconds : float, optional
        Read at most this much from the start; by default all of it.

    Returns
    -------
    numpy.ndarray, shape (samples,), float32

    Raises
    ------
    InputError
        The file doesn't exist, can't be decoded, or holds no samples or impossible ones.
    """
    with open_audio(path) as file:
        rate = file.samplerate
        signal = read_mono(file, path, np.inf if seconds is None else int(np.ceil(seconds * rate)))
    if not len(signal):
        raise InputError(f"{path} can't be read as audio: it holds no samples")
    if rate == SAMPLE_RATE:
        return signal
    resampled = soxr.resample(signal, rate, SAMPLE_RATE, FEATURE_PARAMS["resampler"])
    return fit(resampled, resampled_length(len(signal), rate))


def stream_signal(path):
    """Yield the signal that `load_signal` returns, about a minute at a time."""
    with open_audio(path) as file:
        rate, quality = file.samplerate, FEATURE_PARAMS["resampler"]
        stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, "float32", quality=quality)
        size, n_read, n_made, last = BLOCK_SECONDS * rate, 0, 0, False
        while not last:
            signal = read_mono(file, path, size)
            last = len(signal) < size
            piece = stream.resample_chunk(signal, last=last)
            n_read += len(signal)
            if last:
                piece = fit(piece, resampled_length(n_read, rate) - n_made)
            n_made += len(piece)
            yield piece
