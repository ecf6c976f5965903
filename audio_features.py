"""The 33 features of every frame of an audio file: MFCC, spectral centroid, chroma and contrast."""

import contextlib
import itertools
import warnings
from pathlib import Path

import numpy as np

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


# Audio


@contextlib.contextmanager
def open_audio(path):
    """Open a file as `soundfile.SoundFile`; what goes wrong with it is an InputError."""
    import soundfile

    if not Path(path).is_file():
        raise InputError(f"{path} can't be read as audio: there is no such file")
    try:
        with soundfile.SoundFile(path) as file:
            yield file
    except soundfile.SoundFileError as error:
        reason = str(error).rpartition(": ")[2]
        raise InputError(f"{path} can't be read as audio: {reason}") from None


def to_mono(samples, path):
    """Average the channels of samples, (n, channels), which must be possible ones."""
    if not (np.abs(samples) < 1e9).all():  # full scale is 1; the power spectrum must be finite
        raise InputError(f"{path} can't be used: it holds NaN, infinite or far too large samples")
    return samples.mean(axis=1)


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
        frames = -1 if seconds is None else int(np.ceil(seconds * file.samplerate))
        rate, samples = file.samplerate, file.read(frames, dtype="float32", always_2d=True)
    if not len(samples):
        raise InputError(f"{path} can't be read as audio: it holds no samples")
    return librosa.resample(
        to_mono(samples, path),
        orig_sr=rate,
        target_sr=SAMPLE_RATE,
        res_type=DEFINITION["resampler"],
    )


def stream_signal(path):
    """Yield what `load_signal` returns, about a minute at a time."""
    import librosa
    import soxr

    with open_audio(path) as file:
        stream = soxr.ResampleStream(file.samplerate, SAMPLE_RATE, 1, "float32", quality="HQ")
        size, n_read, n_made, last = BLOCK_SECONDS * file.samplerate, 0, 0, False
        while not last:
            samples = file.read(size, dtype="float32", always_2d=True)
            last = len(samples) < size
            piece = stream.resample_chunk(to_mono(samples, path), last=last)
            n_read += len(samples)
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
        26-32 spectral contrast (dB). Frame t is centred on sample `t * hop_length`.

    References
    ----------
    .. [1] McFee et al., "librosa: Audio and music signal analysis in Python", SciPy 2015.
    .. [2] Jiang et al., "Music type classification by spectral contrast feature", ICME 2002.
    """
    import librosa

    with quiet():
        magnitude = np.abs(librosa.stft(signal, n_fft=N_FFT, hop_length=hop_length))
        return features_of(magnitude)


def quiet():
    """Silence librosa on clips under one FFT frame and silent ones: it pads and tunes them."""
    return warnings.catch_warnings(action="ignore", category=UserWarning)


def features_of(magnitude, loudest=None, tuning=None):
    """Compute the features, (frames, 33), of an STFT's magnitudes, (1025, frames).

    If the frames are a part of a file, `loudest` is the highest level of a mel band in all of it
    (dB), and `tuning` its deviation from A440 (semitones); by default they're those of the frames.
    """
    import librosa

    power = magnitude**2
    level = mel_level(power)
    floor = (level.max() if loudest is None else loudest) - DYNAMIC_RANGE
    features = [
        librosa.feature.mfcc(S=np.maximum(level, floor), n_mfcc=DEFINITION["n_mfcc"]),
        librosa.feature.spectral_centroid(S=magnitude, sr=SAMPLE_RATE),
        librosa.feature.chroma_stft(
            S=power, sr=SAMPLE_RATE, n_chroma=DEFINITION["n_chroma"], tuning=tuning
        ),
        librosa.feature.spectral_contrast(
            S=magnitude, sr=SAMPLE_RATE, n_bands=DEFINITION["n_bands"]
        ),
    ]
    return np.concatenate(features).T.astype(np.float32)


def mel_level(power):
    """Return the level of the mel bands, (128, frames), in dB."""
    import librosa

    mel = librosa.feature.melspectrogram(S=power, sr=SAMPLE_RATE, n_mels=DEFINITION["n_mels"])
    return librosa.power_to_db(mel, top_db=None)


def stream_magnitudes(path, hop_length):
    """Yield the STFT's magnitudes, (1025, n), of all frames of a file, about a minute at a time."""
    import librosa

    edge = np.zeros(N_FFT // 2, np.float32)  # frames are centred, the first on sample 0
    samples, n_skipped = edge, 0
    for piece in itertools.chain(stream_signal(path), [edge]):
        samples = np.concatenate([samples, piece])[n_skipped:]
        n_frames = max(0, 1 + (len(samples) - N_FFT) // hop_length)
        if n_frames:
            yield np.abs(librosa.stft(samples, n_fft=N_FFT, hop_length=hop_length, center=False))
        n_skipped = max(0, n_frames * hop_length - len(samples))
        samples = samples[n_frames * hop_length :]


def extract_file(path, hop_length=HOP_LENGTH):
    """Compute the features of a file of any length, at the memory of a minute.

    Long files are gone through twice: what librosa takes from all of a signal, the level of its
    loudest band and its tuning, has to be known before the first frame.

    Returns
    -------
    features : numpy.ndarray, shape (frames, 33), float32
        Those that `extract_features` finds for the whole signal.
    seconds : float
        Length of the audio; to the next frame if it is long.

    Raises
    ------
    InputError
        As `load_signal` does.
    """
    import librosa

    signal = load_signal(path, BLOCK_SECONDS + 1)
    if len(signal) <= BLOCK_SECONDS * SAMPLE_RATE:
        return extract_features(signal, hop_length=hop_length), len(signal) / SAMPLE_RATE
    with quiet():
        loudest, peaks = -np.inf, []
        for magnitude in stream_magnitudes(path, hop_length):
            power = magnitude**2
            loudest = max(loudest, mel_level(power).max())
            pitch, strength = librosa.piptrack(S=power, sr=SAMPLE_RATE, n_fft=N_FFT)
            peaks.append(np.stack([pitch, strength])[:, pitch > 0])
        # The rest of librosa.estimate_tuning, which takes a whole spectrogram.
        pitch, strength = np.concatenate(peaks, axis=1)
        strong = strength >= np.median(strength) if len(strength) else []
        tuning = librosa.pitch_tuning(pitch[strong], bins_per_octave=DEFINITION["n_chroma"])
        features = np.concatenate(
            [
                features_of(magnitude, loudest, tuning)
                for magnitude in stream_magnitudes(path, hop_length)
            ]
        )
    return features, (len(features) - 1) * hop_length / SAMPLE_RATE


def over_cores(function, calls, jobs=-1):
    """Yield function(*call) for every call, in order, from processes side by side.

    Each takes one thread: the cores are busy, and sums keep their order whatever `jobs` is.
    """
    import joblib

    # Importing it compiles parts of it once. Processes that do so at the same time can leave a
    # damaged cache, from which every later one crashes.
    import librosa.feature.spectral  # noqa: F401
    from threadpoolctl import threadpool_limits

    with joblib.parallel_config("loky", inner_max_num_threads=1), threadpool_limits(1):
        yield from joblib.Parallel(n_jobs=jobs, return_as="generator")(
            joblib.delayed(function)(*call) for call in calls
        )
