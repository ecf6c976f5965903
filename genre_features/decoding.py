"""Audio files read to their end: by soundfile, and by PyAV where soundfile stops short.

libsndfile believes headers, and gives up where it gets lost. So what it read is compared with what
the file should hold.
"""

import contextlib
import dataclasses
import io
import itertools
import os
import shlex
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import soundfile
import soxr

from common.errors import InputError
from genre_features.headers import (
    INFO_FRAME,
    count_mp3_samples,
    find_all,
    magic_number,
    read_head,
)

BLOCK_SAMPLES = 2**20  # of all channels, decoded at once
MIN_RATE, MAX_RATE = 1000, 768_000  # Hz; other rates come from damaged headers
UNKNOWN_LENGTH = 2**63 - 1  # libsndfile's number of samples where the header doesn't tell it
MAX_SAMPLE_BYTES = 8  # that a sample of one channel takes in any format
COMPLETE = 0.99  # of the expected length: estimates and the padding of encoders are inexact
INSTALL = "pip install av"

stderr_lock = threading.Lock()


@dataclasses.dataclass
class Report:
    """How the reading of a file went."""

    seconds: float = 0  # that were read
    expected: float = 0  # seconds, by the header or by the size of the file
    error: str = ""  # libsndfile's words, where no other decoder helped
    lacks_av: bool = False
    uses_mpg123: bool = True
    damage: str = ""  # what libmpg123 printed, or FFmpeg's errors


def decode(path, seconds=np.inf, block_seconds=np.inf, notes=None):
    """Decode an audio file to mono, at its rate.

    Parameters
    ----------
    path : path-like
    seconds : float
        Decode at most this much from the start.
    block_seconds : float
        Yield at most this much at once.
    notes : list of str, optional
        Gets a sentence on what couldn't be read, if anything. It doesn't name the file.

    Yields
    ------
    rate : int
        Hz; the same for all blocks.
    block : numpy.ndarray, shape (samples,), float32
        The mean of the channels.

    Raises
    ------
    InputError
        The file doesn't exist, can't be decoded, or its rate or samples are impossible.
    """
    path, report, rate, n_read, limit = Path(path), Report(), None, 0, np.inf
    report.uses_mpg123 = not magic_number(read_head(path))
    for block_rate, samples in read_all(path, report, min(seconds, block_seconds)):
        if rate is None:
            rate, limit = check_rate(block_rate, path), np.ceil(seconds * block_rate)
        mono = to_mono(samples, path)
        if block_rate != rate:  # of files that were joined
            mono = soxr.resample(mono, block_rate, rate)
        mono = mono[: int(min(len(mono), limit - n_read))]
        n_read += len(mono)
        yield rate, mono
        if n_read >= limit:
            report.expected = 0  # the rest isn't asked for
            break
    report.seconds = n_read / (rate or 1)
    if not n_read and (report.error or report.lacks_av):
        raise InputError(f"{path} can't be read as audio: {refusal(path, report)}")
    if notes is not None:
        notes += describe_losses(report)


def check_rate(rate, path):
    """Return a sample rate; InputError if it is impossible."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise InputError(
            f"{path} can't be used: its rate of {rate} Hz isn't one from {MIN_RATE} to {MAX_RATE} "
            "Hz"
        )
    return rate


def to_mono(samples, path):
    """Average the channels of samples, (n, channels); InputError if some are impossible."""
    if not (np.abs(samples) < 1e9).all():  # full scale is 1; the power spectrum must be finite
        raise InputError(f"{path} can't be used: it holds NaN, infinite or far too large samples")
    return samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)


def read_all(path, report, block_seconds):
    """Yield (rate, samples of shape (n, channels)) of a whole file."""
    # soundfile encodes str as UTF-8, but except on Windows names can be any bytes.
    name, n_read = os.fsencode(path) if os.name == "posix" else path, 0
    for rate, samples in read_soundfile(name, path.stat().st_size, report, block_seconds, path):
        n_read += len(samples)
        report.seconds = n_read / rate
        yield rate, samples
    for rate, samples in read_rest(path, report, block_seconds):
        n_skipped, n_read = min(n_read, len(samples)), max(0, n_read - len(samples))
        yield rate, samples[n_skipped:]


def read_soundfile(source, size, report, block_seconds, path=None):
    """Yield (rate, samples) of what soundfile reads of `size` bytes: a file by name, or a part."""
    with contextlib.ExitStack() as stack:
        try:
            with capture_stderr(report):
                file = stack.enter_context(soundfile.SoundFile(source))
        except (soundfile.SoundFileError, TypeError) as error:  # TypeError: .raw of unknown rate
            report.error, report.damage = error_words(error), ""
            return
        length, rate = file.frames, file.samplerate
        # soundfile would seek after each block, which spoils the next frame of an MP3.
        file.seekable = lambda: False
        block = int(max(1, min(BLOCK_SAMPLES // file.channels, np.ceil(block_seconds * rate))))
        n_read, samples = 0, None
        try:
            while samples is None or len(samples) == block:
                with capture_stderr(report):
                    samples = file.read(min(block, length - n_read), "float32", always_2d=True)
                n_read += len(samples)
                yield rate, samples
        except soundfile.SoundFileError as error:
            report.error = error_words(error)
        report.expected += expected_samples(file, size, path) / rate


def error_words(error):
    """Return libsndfile's words for an error."""
    words = str(error).rpartition(": ")[2]
    # It looks for an MP3 in what it doesn't know.
    return "Format not recognised." if "does not exist" in words else words


def expected_samples(file, size, path):
    """Return how many samples a file should hold, by its header or else by its size."""
    length = 0 if file.frames == UNKNOWN_LENGTH else file.frames
    if file.format == "MP3" and path:
        return count_mp3_samples(path) or length
    if file.format in ("MP3", "FLAC", "OGG"):
        return length
    # A program that is killed leaves a length of 0; tags hardly make up most of a file.
    return max(length, size // (MAX_SAMPLE_BYTES * file.channels) - 1000)


def read_rest(path, report, block_seconds):
    """Yield (rate, samples) from the start of a file that soundfile hasn't read to its end."""
    magic = magic_number(read_head(path)) or INFO_FRAME
    starts = find_all(path, magic, 50)
    if len(starts) > 1:  # cat song.wav other.wav > both.wav
        report.expected, report.error = 0, ""
        content = path.read_bytes()
        for start, end in itertools.pairwise([*starts, len(content)]):
            source = io.BytesIO(content[start:end])
            yield from read_soundfile(source, end - start, report, block_seconds)
    elif report.error or report.seconds < COMPLETE * report.expected:
        try:
            from genre_features.av_reader import read_av
        except ImportError:
            report.lacks_av = True
        else:
            for rate, samples in read_av(path, report):
                report.error = ""
                yield rate, samples


@contextlib.contextmanager
def capture_stderr(report):
    """Keep off the terminal what libmpg123, which can't be told to be quiet, prints meanwhile."""
    if sys.stderr is None or not report.uses_mpg123:
        yield
        return
    with stderr_lock, tempfile.TemporaryFile() as log:  # standard error is the whole process's
        terminal = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            log.seek(0)
            report.damage += log.read().decode(errors="replace")


def refusal(path, report):
    """Return why a file can't be read, and what to do."""
    reason = report.error or "Its header says that it holds nothing."
    if report.lacks_av:
        suffix = ".wav" if path.suffix == ".flac" else ".flac"
        names = shlex.join([path.name, path.with_suffix(suffix).name])
        reason += f" Convert it: ffmpeg -i {names}, or {INSTALL}"
    return reason


def describe_losses(report):
    """Return a sentence on what of a file couldn't be read, in a list that may be empty."""
    if report.error or report.seconds < COMPLETE * report.expected:
        length = f" of {report.expected:.1f}" if report.expected else ""
        remedy = f"{INSTALL} to read on" if report.lacks_av else "it is cut off or damaged"
        return [f"only {report.seconds:.1f}{length} s could be read: {remedy}"]
    # libmpg123 also prints where the Xing header tells another size, as in front of tags.
    if any("Xing" not in line for line in report.damage.splitlines()):
        return ["damaged in places: bytes that aren't audio were skipped"]
    return []
