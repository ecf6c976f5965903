"""The 33 features of every frame of an audio file: MFCC, spectral centroid, chroma and contrast."""

import contextlib
import functools
import itertools
import os
import warnings
from pathlib import Path

import numpy as np
import scipy.signal

from script_helpers import InputError

SAMPLE_RATE = 22050  # Hz, GTZAN's own: nothing is resampled there
N_FFT = 2048  # samples per frame, 93 ms: librosa's default for music
HOP_LENGTH = 512  # samples from one frame to the next, 23 ms

COLUMNS = {
    "mfcc": slice(0, 13),
    "spectral_centroid": slice(13, 14),
    "chroma": slice(14, 26),
    "spectral_contrast": slice(26, 33),
}
N_FEATURES = COLUMNS["spectral_contrast"].stop
# What the four kinds of features depend on beside the frames: librosa's defaults but for n_mfcc.
DEFINITION = {"n_mfcc": 13, "n_mels": 128, "n_chroma": 12, "n_bands": 6, "resampler": "soxr_hq"}
DYNAMIC_RANGE = 80  # dB: the MFCC's mel bands are no softer than this below the loudest

BLOCK_SECONDS = 60  # of long files, held in memory at once
FRAMES_AT_ONCE = 64  # whose spectra fit in a core's cache, which is faster than all at once
BLOCK_SAMPLES = 2**24  # of all channels, decoded at once
RATES = (1000, 768_000)  # Hz, lowest and highest: others stand in damaged files


# Audio


@contextlib.contextmanager
def open_audio(path):
    """Open a file as `soundfile.SoundFile`; what goes wrong with it is an InputError."""
    import soundfile

    if not Path(path).is_file():
        raise InputError(f"{path} can't be read as audio: there is no such file")
    # Names needn't be UTF-8 but on Windows, and soundfile would have them so.
    name = os.fsencode(path) if os.name == "posix" else path
    try:
        with soundfile.SoundFile(name) as file:
            lowest, highest = RATES
            if not lowest <= file.samplerate <= highest:
                raise InputError(
                    f"{path} can't be used: its rate of {file.samplerate} Hz isn't one from "
                    f"{lowest} to {highest} Hz"
                )
            yield file
    except (soundfile.SoundFileError, TypeError) as error:  # the latter: .raw, of no known rate
        reason = str(error).rpartition(": ")[2]
        raise InputError(f"{path} can't be read as audio: {reason}") from None


def to_mono(samples, path):
    """Average the channels of samples, (n, channels), which must be possible ones."""
    if not (np.abs(samples) < 1e9).all():  # full scale is 1; the power spectrum must be finite
        raise InputError(f"{path} can't be used: it holds NaN, infinite or far too large samples")
    return samples.mean(axis=1)


def read_mono(file, path, frames):
    """Read up to so many frames of an open file, and average their channels."""
    # Block by block: what there is takes memory, not what a damaged header claims.
    blocks, size = [], max(1, BLOCK_SAMPLES // file.channels)
    while not blocks or len(blocks[-1]) == size:
        samples = file.read(min(size, frames), dtype="float32", always_2d=True)
        blocks.append(to_mono(samples, path))
        frames -= len(samples)
    return np.concatenate(blocks)


def load_signal(path, seconds=None):
    """Decode an audio file to mono at 22,050 Hz.

    Parameters
    ----------
    path : path-like
        WAV, AU, FLAC, OGG or MP3, at any rate and number of channels.
    seconds : float, optional
        Read no more than this much from the start; all of it by default.

    Returns
    -------
    numpy.ndarray, shape (samples,), float32

    Raises
    ------
    InputError
        The file isn't there, can't be decoded, or holds no samples or impossible ones.
    """
    import librosa

    with open_audio(path) as file:
        rate = file.samplerate
        signal = read_mono(file, path, np.inf if seconds is None else int(np.ceil(seconds * rate)))
    if not len(signal):
        raise InputError(f"{path} can't be read as audio: it holds no samples")
    return librosa.resample(
        signal, orig_sr=rate, target_sr=SAMPLE_RATE, res_type=DEFINITION["resampler"]
    )


def stream_signal(path):
    """Yield what `load_signal` returns, about a minute at a time."""
    import librosa
    import soxr

    with open_audio(path) as file:
        stream = soxr.ResampleStream(file.samplerate, SAMPLE_RATE, 1, "float32", quality="HQ")
        size, n_read, n_made, last = BLOCK_SECONDS * file.samplerate, 0, 0, False
        while not last:
            signal = read_mono(file, path, size)
            last = len(signal) < size
            piece = stream.resample_chunk(signal, last=last)
            n_read += len(signal)
            if last:  # librosa rounds the length up
                n_samples = int(np.ceil(n_read * SAMPLE_RATE / file.samplerate))
                piece = librosa.util.fix_length(piece, size=n_samples - n_made)
            n_made += len(piece)
            yield piece


# Features


def extract_features(signal, *, hop_length=HOP_LENGTH):
    """Compute the 33 features of every frame, all four kinds from one STFT.

    The numbers are those of `librosa.feature.mfcc` [1]_, `spectral_centroid`, `chroma_stft` and
    `spectral_contrast` [2]_ called one by one on the signal, with librosa's defaults.

    Parameters
    ----------
    signal : numpy.ndarray, shape (samples,)
        Mono audio at 22,050 Hz.
    hop_length : int
        Samples from one frame to the next.

    Returns
    -------
    numpy.ndarray, shape (frames, 33), float32
        Columns 0-12 MFCC, 13 spectral centroid (Hz), 14-25 chroma (C to B, 0 to 1),
        26-32 spectral contrast (librosa's dB: 10 log10 of the magnitudes of peak and valley).
        Frame t is centred on sample `t * hop_length`.

    References
    ----------
    .. [1] McFee et al., "librosa: Audio and music signal analysis in Python", SciPy 2015.
    .. [2] Jiang et al., "Music type classification by spectral contrast feature", ICME 2002.
    """
    power = power_spectrogram(np.pad(signal, N_FFT // 2), hop_length)
    return features_of(power, mel_level(power).max(), tuning_of(*spectral_peaks(power)))


def extract_clip(path, hop_length, frames):
    """Extract a file's first frames; return (features, None), or (None, why it can't be used)."""
    # A second more than is kept: whole GTZAN clips go in uncut, hours of audio don't.
    seconds = frames * hop_length / SAMPLE_RATE + 1
    try:
        return extract_features(load_signal(path, seconds), hop_length=hop_length)[:frames], None
    except (InputError, OSError) as error:
        return None, str(error)


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
    import librosa

    filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=DEFINITION["n_mels"])
    parts = []
    for weights in np.array_split(filters, 8):
        bins = np.flatnonzero(weights.any(axis=0))
        bins = slice(bins[0], bins[-1] + 1)
        parts.append((bins, weights[:, bins].T))
    return parts


def mel_level(power):
    """Return the level of the mel bands, (frames, 128), in dB."""
    import librosa

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
    import librosa

    strong = pitch[strength >= np.median(strength)] if len(pitch) else pitch
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # silence has no pitch
        return librosa.pitch_tuning(strong, bins_per_octave=DEFINITION["n_chroma"])


def features_of(power, loudest, tuning):
    """Compute the features, (frames, 33), of a power spectrogram, (frames, 1025).

    `loudest` is the highest level of a mel band in all of the signal (dB), and `tuning` its
    deviation from A440 (semitones): the two things that librosa takes from all of it.
    """
    import librosa

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


def stream_power(path, hop_length):
    """Yield the power spectrogram, (n, 1025), of all frames of a file, about a minute at a time."""
    edge = np.zeros(N_FFT // 2, np.float32)  # frames are centred, the first on sample 0
    samples, n_skipped = edge, 0
    for piece in itertools.chain(stream_signal(path), [edge]):
        samples = np.concatenate([samples, piece])[n_skipped:]
        n_frames = max(0, 1 + (len(samples) - N_FFT) // hop_length)
        if n_frames:
            yield power_spectrogram(samples, hop_length)
        n_skipped = max(0, n_frames * hop_length - len(samples))
        samples = samples[n_frames * hop_length :]


def extract_file(path, hop_length=HOP_LENGTH):
    """Compute the features of a file of any length; of its audio, a minute at most is in memory.

    Long files are gone through twice: what librosa takes from all of a signal, the level of its
    loudest band and its tuning, has to be known before the first frame.

    Returns
    -------
    features : numpy.ndarray, shape (frames, 33), float32
        Those that `extract_features` finds for the whole signal.
    seconds : float
        Length of the audio; down to a whole frame if it is long.

    Raises
    ------
    InputError
        As `load_signal` does.
    """
    signal = load_signal(path, BLOCK_SECONDS + 1)
    if len(signal) <= BLOCK_SECONDS * SAMPLE_RATE:
        return extract_features(signal, hop_length=hop_length), len(signal) / SAMPLE_RATE
    loudest, peaks = -np.inf, []
    for power in stream_power(path, hop_length):
        loudest = max(loudest, mel_level(power).max())
        peaks.append(spectral_peaks(power))
    tuning = tuning_of(*np.concatenate(peaks, axis=1))
    features = np.concatenate(
        [features_of(power, loudest, tuning) for power in stream_power(path, hop_length)]
    )
    return features, (len(features) - 1) * hop_length / SAMPLE_RATE
