"""The 33 features of every frame of a signal: MFCC, spectral centroid, chroma and contrast.

librosa's functions define them, and the tests compare with it. This module, `filters` and `tuning`
compute the same numbers from one STFT, several times faster.
"""

import itertools
from typing import NamedTuple

import numpy as np

from genre_features.audio import load_signal, stream_signal
from genre_features.filters import (
    BIN_HZ,
    N_BINS,
    chroma_filters,
    contrast_bands,
    dct_basis,
    hann_window,
    mel_filters,
)
from genre_features.frame import COLUMNS, N_FFT, SAMPLE_RATE, FrameSettings
from genre_features.lowpass import lowpass, stream_lowpass
from genre_features.tuning import estimate_tuning, spectral_peaks

LONG_SECONDS = 60  # longer recordings aren't held in memory as a whole
DYNAMIC_RANGE = 80  # dB: the floor of levels below the loudest of the signal
TINY = np.finfo(np.float32).tiny  # smaller sums are silence, and aren't divided by
FRAMES_AT_ONCE = 64  # their spectra fit in a core's cache, which is faster than all at once

DEFAULT = FrameSettings()


class Recording(NamedTuple):
    """What is extracted from an audio file."""

    features: np.ndarray  # (frames, 33), float32
    seconds: float  # of audio that was read
    notes: list  # a sentence on what couldn't be read, if anything; it doesn't name the file


def extract_features(signal, settings=DEFAULT):
    """Compute the 33 features of every frame, all four kinds from one STFT.

    The numbers equal those of `librosa.feature.mfcc` [1]_, `spectral_centroid`, `chroma_stft` and
    `spectral_contrast` [2]_ called one by one on the signal, with librosa's defaults.

    Parameters
    ----------
    signal : numpy.ndarray, shape (samples,)
        Mono audio at 22,050 Hz.
    settings : FrameSettings
        All frames of the signal are returned, whatever `settings.frames` is.

    Returns
    -------
    numpy.ndarray, shape (frames, 33), float32
        Columns 0-12 MFCC, 13 spectral centroid (Hz), 14-25 chroma (C to B, 0 to 1),
        26-32 spectral contrast (librosa's dB: 10 log10 of the magnitudes of peak and valley).
        Frame t is centred on sample ``t * settings.hop_length``.

    References
    ----------
    .. [1] McFee et al., "librosa: Audio and music signal analysis in Python", SciPy 2015.
    .. [2] Jiang et al., "Music type classification by spectral contrast feature", ICME 2002.
    """
    if settings.lowpass:
        signal = lowpass(signal, settings.lowpass)
    power = power_spectrogram(np.pad(signal, N_FFT // 2), settings.hop_length)
    levels, tuning = band_levels_db(power), estimate_tuning(*spectral_peaks(power))
    return combine_features(power, levels, [level.max() for level in levels], tuning)


def extract_file(path, settings=DEFAULT, max_frames=None):
    """Compute the features of an audio file.

    Parameters
    ----------
    path : path-like
        See `audio.load_signal`.
    settings : FrameSettings
    max_frames : int, optional
        Compute at most this many, from the start. Otherwise all, with about a minute of audio in
        memory.

    Returns
    -------
    Recording

    Raises
    ------
    InputError
        See `audio.load_signal`.
    """
    notes = []
    # A second more than needed: GTZAN's clips go in uncut, hours of audio don't.
    seconds = max_frames * settings.seconds_per_frame if max_frames else LONG_SECONDS
    signal = load_signal(path, seconds + 1, notes)
    if max_frames or len(signal) <= seconds * SAMPLE_RATE:
        features = extract_features(signal, settings)[:max_frames]
        return Recording(features, len(signal) / SAMPLE_RATE, notes)
    return extract_long_recording(path, settings)


def power_spectrogram(samples, hop_length):
    """Return the power, (frames, 1025), of the STFT; the first frame begins at sample 0."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::hop_length]
    power = np.empty((len(frames), N_BINS), np.float32)
    # In double precision, as librosa does: contrast depends on bins near rounding error.
    window = hann_window()
    for start in range(0, len(frames), FRAMES_AT_ONCE):
        few = slice(start, start + FRAMES_AT_ONCE)
        spectrum = np.fft.rfft(frames[few] * window)
        power[few] = spectrum.real**2 + spectrum.imag**2
    return power


def power_to_db(values):
    """Return 10 log10 of some values, at least -100, as `librosa.power_to_db`."""
    return 10 * np.log10(np.maximum(values, 1e-10))


def band_levels_db(power):
    """Return the levels of a power spectrogram that are clamped before they are used (dB).

    Returns
    -------
    mel : numpy.ndarray, shape (frames, 128)
        Power in the mel bands.
    peaks, valleys : numpy.ndarray, shape (frames, 7)
        Mean of the largest and of the smallest magnitudes in the bands of spectral contrast.
    """
    mel = np.concatenate([power[:, bins] @ weights for bins, weights in mel_filters()], axis=1)
    peaks, valleys = [], []
    for bins, size in contrast_bands():
        ordered = np.sort(power[:, bins], axis=1)
        valleys.append(np.sqrt(ordered[:, :size]).mean(axis=1))
        peaks.append(np.sqrt(ordered[:, -size:]).mean(axis=1))
    return [power_to_db(mel), *(power_to_db(np.array(rows, float).T) for rows in (peaks, valleys))]


def spectral_centroid(power):
    """Return the spectral centroid of every frame (Hz), (frames, 1)."""
    magnitude = np.sqrt(power)
    hz = BIN_HZ * np.arange(N_BINS, dtype=np.float32)
    moment, total = (magnitude @ np.stack([hz, np.ones_like(hz)], axis=1)).T
    return (moment / np.where(total < TINY, 1, total))[:, np.newaxis]


def chroma_stft(power, tuning):
    """Return the chroma of every frame, (frames, 12), relative to the strongest pitch class."""
    chroma = power @ chroma_filters(tuning)
    strongest = chroma.max(axis=1, keepdims=True)
    return chroma / np.where(strongest < TINY, 1, strongest)


def combine_features(power, levels, loudest, tuning):
    """Compute the features, (frames, 33), of a power spectrogram, (frames, 1025).

    Parameters
    ----------
    power : numpy.ndarray, shape (frames, 1025)
    levels : list of numpy.ndarray
        Levels of this power; see `band_levels_db`.
    loudest : sequence of float
        Maximum of each of these levels in the whole signal (dB).
    tuning : float
        Tuning of the whole signal; see `tuning.estimate_tuning`.
    """
    tops = zip(levels, loudest, strict=True)
    mel, peaks, valleys = (np.maximum(level, top - DYNAMIC_RANGE) for level, top in tops)
    kinds = {
        "mfcc": mel @ dct_basis(),
        "spectral_centroid": spectral_centroid(power),
        "chroma": chroma_stft(power, tuning),
        "spectral_contrast": peaks - valleys,
    }
    columns = [kinds[kind] for kind in COLUMNS]
    return np.concatenate(columns, axis=1, dtype=np.float32, casting="same_kind")


def stream_power(path, settings, notes=None):
    """Yield the power spectrogram, (n, 1025), of all frames of a file, about a minute at a time."""
    hop_length, pieces = settings.hop_length, stream_signal(path, notes)
    if settings.lowpass:
        pieces = stream_lowpass(pieces, settings.lowpass)
    edge = np.zeros(N_FFT // 2, np.float32)  # frames are centred, the first on sample 0
    samples, start = edge, 0  # of the next frame, which may lie beyond the samples
    for piece in itertools.chain(pieces, [edge]):
        samples = np.concatenate([samples, piece])
        n_frames = max(0, 1 + (len(samples) - start - N_FFT) // hop_length)
        if n_frames:
            yield power_spectrogram(samples[start:], hop_length)
        start += n_frames * hop_length
        samples, start = samples[start:], max(0, start - len(samples))


def extract_long_recording(path, settings):
    """Return the `Recording` of a file that is read twice, about a minute at a time.

    librosa takes the loudest levels and the tuning from the whole signal, so they must be known
    before the first frame. For the tuning, five bytes of each spectral peak are kept: 60 MB of an
    hour of noise, and far less of music.
    """
    loudest, peaks, notes = -np.inf, [], []
    for power in stream_power(path, settings, notes):
        loudest = np.maximum(loudest, [level.max() for level in band_levels_db(power)])
        peaks.append(spectral_peaks(power))
    tuning = estimate_tuning(*map(np.concatenate, zip(*peaks, strict=True)))
    pieces = [
        combine_features(power, band_levels_db(power), loudest, tuning)
        for power in stream_power(path, settings)
    ]
    features = np.concatenate(pieces)
    # Up to the centre of the last frame.
    return Recording(features, (len(features) - 1) * settings.seconds_per_frame, notes)
