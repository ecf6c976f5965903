"""The 33 features of every frame of a signal: MFCC, spectral centroid, chroma and contrast."""

import functools
import itertools
import warnings

# All of it at once, before worker processes start: several that compile librosa's functions at the
# same time can leave a damaged cache behind.
import librosa.feature.spectral
import numpy as np
import scipy.signal

from genre_features import audio
from genre_features.audio import load_signal, stream_signal
from genre_features.frame import DEFINITION, N_FFT, SAMPLE_RATE, FrameSettings
from genre_features.lowpass import lowpass, stream_lowpass

DYNAMIC_RANGE = 80  # dB: the floor of the MFCC's mel bands below the loudest
FRAMES_AT_ONCE = 64  # their spectra fit in a core's cache, which is faster than all at once

DEFAULT = FrameSettings()


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
    return features_of(power, mel_level(power).max(), tuning_of(*spectral_peaks(power)))


def extract_clip(path, settings):
    """Compute the features of a file's first `settings.frames` frames, or fewer if it is shorter.

    Raises
    ------
    InputError
        See `audio.load_signal`.
    """
    # A second more than needed: GTZAN's clips go in uncut, hours of audio don't.
    seconds = settings.frames * settings.seconds_per_frame + 1
    return extract_features(load_signal(path, seconds), settings)[: settings.frames]


def power_spectrogram(samples, hop_length):
    """Return the power, (frames, 1025), of the STFT; the first frame begins at sample 0."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::hop_length]
    power = np.empty((len(frames), 1 + N_FFT // 2), np.float32)
    # Of double precision, as librosa's: contrast is about bins as soft as rounding errors, too.
    window = scipy.signal.get_window("hann", N_FFT)
    for start in range(0, len(frames), FRAMES_AT_ONCE):
        few = slice(start, start + FRAMES_AT_ONCE)
        spectrum = np.fft.rfft(frames[few] * window)
        power[few] = spectrum.real**2 + spectrum.imag**2
    return power


@functools.cache
def mel_filters():
    """Return (bands, bins, weights) of the mel filters, some bands at a time.

    They weigh few neighbouring bins: the other products of one big matrix would all be zero.
    """
    filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=DEFINITION["n_mels"])
    parts = []
    for weights in np.array_split(filters, 8):
        bins = np.flatnonzero(weights.any(axis=0))
        bins = slice(bins[0], bins[-1] + 1)
        parts.append((bins, weights[:, bins].T))
    return parts


def mel_level(power):
    """Return the level of the mel bands, (frames, 128), in dB."""
    mel = np.concatenate([power[:, bins] @ weights for bins, weights in mel_filters()], axis=1)
    return librosa.power_to_db(mel, top_db=None)


def spectral_peaks(power):
    """Return pitch (Hz) and power of the spectral peaks of all frames, as `librosa.piptrack`.

    They are the maxima from 150 to 4000 Hz above a tenth of the frame's largest, refined by the
    parabola through them and their neighbours.
    """
    hz = SAMPLE_RATE / N_FFT
    first, last = int(np.ceil(150 / hz)), int(np.ceil(4000 / hz))  # bins; the last isn't one
    below, middle, above = (power[:, first + i : last + i] for i in (-1, 0, 1))
    loud = middle > 0.1 * power.max(axis=1, keepdims=True)
    places = np.nonzero(loud & (middle > below) & (middle >= above))
    below, middle, above = below[places], middle[places], above[places]
    slope, curvature = (above - below) / 2, above + below - 2 * middle
    # A vertex a bin or more away isn't that of this peak.
    near = np.abs(slope) < np.abs(curvature)
    shift = np.where(near, -slope / np.where(near, curvature, 1), 0)
    return (first + places[1] + shift) * hz, middle + slope * shift / 2


def tuning_of(pitch, strength):
    """Return the deviation from A440, in semitones, of the stronger half of some peaks."""
    strong = pitch[strength >= np.median(strength)] if len(pitch) else pitch
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # silence has no pitch
        return librosa.pitch_tuning(strong, bins_per_octave=DEFINITION["n_chroma"])


def features_of(power, loudest, tuning):
    """Compute the features, (frames, 33), of a power spectrogram, (frames, 1025).

    `loudest` is the highest level of a mel band in all of the signal (dB), and `tuning` its
    deviation from A440 (semitones): the two things that librosa takes from all of it.
    """
    magnitude = np.sqrt(power)
    frequency = np.linspace(0, SAMPLE_RATE / 2, power.shape[1], dtype=np.float32)
    total = magnitude.sum(axis=1)
    level = np.maximum(mel_level(power), loudest - DYNAMIC_RANGE)
    features = [
        librosa.feature.mfcc(S=level.T, n_mfcc=DEFINITION["n_mfcc"]),
        (magnitude @ frequency / np.where(total > 0, total, 1))[np.newaxis],
        librosa.feature.chroma_stft(
            S=power.T, sr=SAMPLE_RATE, n_chroma=DEFINITION["n_chroma"], tuning=tuning
        ),
        librosa.feature.spectral_contrast(
            S=magnitude.T, sr=SAMPLE_RATE, n_bands=DEFINITION["n_bands"]
        ),
    ]
    return np.concatenate(features).T.astype(np.float32)


def stream_power(path, settings):
    """Yield the power spectrogram, (n, 1025), of all frames of a file, about a minute at a time."""
    hop_length, pieces = settings.hop_length, stream_signal(path)
    if settings.lowpass:
        pieces = stream_lowpass(pieces, settings.lowpass)
    edge = np.zeros(N_FFT // 2, np.float32)  # frames are centred, the first on sample 0
    samples, n_skipped = edge, 0
    for piece in itertools.chain(pieces, [edge]):
        samples = np.concatenate([samples, piece])[n_skipped:]
        n_frames = max(0, 1 + (len(samples) - N_FFT) // hop_length)
        if n_frames:
            yield power_spectrogram(samples, hop_length)
        n_skipped = max(0, n_frames * hop_length - len(samples))
        samples = samples[n_frames * hop_length :]


def extract_file(path, settings=DEFAULT):
    """Compute the features of a file of any length, with at most a minute of audio in memory.

    A long file is read twice: librosa takes the level of the loudest band and the tuning from the
    whole signal, so both must be known before the first frame.

    Returns
    -------
    features : numpy.ndarray, shape (frames, 33), float32
        Those that `extract_features` computes from the whole signal.
    seconds : float
        Length of the audio; of a long file, up to its last frame.

    Raises
    ------
    InputError
        See `audio.load_signal`.
    """
    signal = load_signal(path, audio.BLOCK_SECONDS + 1)
    if len(signal) <= audio.BLOCK_SECONDS * SAMPLE_RATE:
        return extract_features(signal, settings), len(signal) / SAMPLE_RATE
    loudest, peaks = -np.inf, []
    for power in stream_power(path, settings):
        loudest = max(loudest, mel_level(power).max())
        peaks.append(spectral_peaks(power))
    tuning = tuning_of(*np.concatenate(peaks, axis=1))
    pieces = stream_power(path, settings)
    features = np.concatenate([features_of(power, loudest, tuning) for power in pieces])
    return features, (len(features) - 1) * settings.seconds_per_frame
