"""Audio files read to their end: by soundfile, and by PyAV where soundfile stops short.

libsndfile believes headers, and gives up where it gets lost. So a file counts as complete only if
nearly all of its bytes were read and it is as long as its header says.
"""

import contextlib
import dataclasses
import os
import shlex
import tempfile
import threading
from pathlib import Path

import numpy as np
import soundfile
import soxr

from common.errors import InputError
from common.files import check_file

BLOCK_SAMPLES = 2**20  # of all channels, decoded at once
MIN_RATE, MAX_RATE = 1000, 768_000  # Hz; other rates come from damaged headers
MAX_SAMPLE = 1e9  # full scale is 1; the power spectrum must be finite
UNKNOWN_LENGTH = 2**63 - 1  # libsndfile's number of samples where the header doesn't tell it
MP3_LENGTH_TAGS = b"Xing", b"Info", b"VBRI"  # without one, an MP3's length is a guess
MAX_SIZE = 2**31 - 2**16  # bytes; programs that write to a pipe put a larger number into a header
MIN_LENGTH_READ = 0.99  # of the length in the header, as encoders pad
MIN_FRACTION_READ = 0.9  # of the bytes of a file, as tags may follow the audio
# What libmpg123 also prints of whole files: the Xing header counts no tags; odd frames of ID3 tags.
HARMLESS = "Xing", "/id3.c:"
UNKNOWN_FORMAT = "Format not recognised."
INSTALL = "pip install av"

stderr_lock = threading.Lock()


@dataclasses.dataclass
class Report:
    """How the reading of a file went."""

    seconds: float = 0  # that were read
    length: float = 0  # seconds, by the header; 0 if it doesn't tell
    fraction: float = 1  # of the file's bytes that were read
    error: str = ""  # libsndfile's
    damage: str = ""  # what libmpg123 printed, or FFmpeg's errors
    lacks_av: bool = False

    @property
    def is_short(self):
        """Whether there should be more audio than was read."""
        too_short = self.seconds < MIN_LENGTH_READ * self.length
        return too_short or self.fraction < MIN_FRACTION_READ


def decode(path, seconds=np.inf, notes=None):
    """Decode an audio file to mono, at its rate, about a million samples at a time.

    Parameters
    ----------
    path : path-like
    seconds : float
        Decode at most this much from the start.
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
        The file can't be decoded, holds no samples, or its rate or samples are impossible.
    """
    path, report, rate, n_read, limit = Path(path), Report(), None, 0, np.inf
    for block_rate, samples in read_file(path, report, seconds):
        if rate is None:
            rate, limit = block_rate, np.ceil(seconds * block_rate)
        mono = to_mono(path, block_rate, samples)
        if block_rate != rate:  # recordings of several rates were joined
            mono = soxr.resample(mono, block_rate, rate)
        mono = mono[: int(min(len(mono), limit - n_read))]
        n_read += len(mono)
        yield rate, mono
        if n_read >= limit:
            return
    report.seconds = n_read / (rate or 1)
    losses = describe_losses(path, report)
    if notes is not None:
        notes += losses


def to_mono(path, rate, samples):
    """Average the channels of samples, (n, channels); InputError if they are impossible."""
    reason = None
    if not MIN_RATE <= rate <= MAX_RATE:
        reason = f"its rate of {rate} Hz isn't one from {MIN_RATE} to {MAX_RATE} Hz"
    elif not (np.abs(samples) < MAX_SAMPLE).all():
        reason = "it holds NaN, infinite or far too large samples"
    if reason:
        raise InputError(f"{path} can't be used: {reason}")
    return samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)


def read_file(path, report, seconds):
    """Yield (rate, samples of shape (n, channels)) of a file, at least so many seconds."""
    check_file(path)
    with path.open("rb", buffering=0) as file:  # so that tell() is libsndfile's position
        head, size, n_read = file.read(512), path.stat().st_size, 0
        check_head(path, head)
        size_by_header = read_size(head)
        file.seek(id3_size(head))
        first_frame = file.read(2**16)
        file.seek(0)
        for rate, samples in read_soundfile(file, first_frame, report, seconds):
            n_read += len(samples)
            report.seconds, report.fraction = n_read / rate, file.tell() / size
            yield rate, samples
        if size_by_header == size:  # tags follow the audio
            report.fraction = 1
        elif size_by_header > size:  # libsndfile's length is that of the bytes that are there
            report.length *= size_by_header / size
        if n_read and not (report.error or report.is_short):
            return
        try:
            from genre_features.av_reader import read_av
        except ImportError:
            report.lacks_av = True
            return
        file.seek(0)
        is_foreign = report.error == UNKNOWN_FORMAT
        for rate, samples in read_av(file, report):
            n_skipped, n_read = min(n_read, len(samples)), max(0, n_read - len(samples))
            # A container may have its index, with a picture, behind the audio.
            report.fraction = 1 if is_foreign and report.length else file.tell() / size
            if is_foreign:
                report.error = ""
            yield rate, samples[n_skipped:]


def check_head(path, head):
    """Raise InputError if a file with these first bytes can't be audio, with the remedy."""
    start = head.lstrip().lower()
    if not head:
        reason = "it is empty, copy or download it again"
    elif start.startswith(b"version https://git-lfs"):
        reason = "it is a Git LFS pointer, run git lfs pull"
    elif start.startswith((b"<!doctype html", b"<html")):
        reason = "it is a web page, download the audio itself"
    else:
        return
    raise InputError(f"{path} can't be read as audio: {reason}")


def id3_size(head):
    """Return how many bytes an ID3 tag takes, maybe with a picture, before a file's audio."""
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte  # each holds seven bits
    return 10 + size if head.startswith(b"ID3") else 0


def read_size(head):
    """Return how many bytes a WAV, AIFF or AU file has by its first ones; 0 if they don't tell."""
    order = "little" if head.startswith(b"RIFF") else "big"
    first, second = (int.from_bytes(head[start : start + 4], order) for start in (4, 8))
    sizes = {b"RIFF": 8 + first, b"FORM": 8 + first, b".snd": first + second}
    size = sizes.get(head[:4], 0)
    return size if size < MAX_SIZE else 0


def read_soundfile(file, first_frame, report, seconds):
    """Yield (rate, samples) that soundfile reads of an open file; `first_frame` is an MP3's."""
    # Faster than a file object; but on Windows libsndfile may not know Python's descriptors.
    source = file.fileno() if os.name == "posix" else file
    try:
        with hidden_stderr(report):
            sound = soundfile.SoundFile(source, closefd=False)
        rate, n_left = sound.samplerate, sound.frames
        is_guess = sound.format == "MP3" and not any(tag in first_frame for tag in MP3_LENGTH_TAGS)
        if n_left != UNKNOWN_LENGTH and not is_guess:
            report.length = n_left / rate
        # soundfile would seek after each block, which spoils the next frame of an MP3.
        sound.seekable = lambda: False
        block = int(max(1, min(BLOCK_SAMPLES // sound.channels, np.ceil(seconds * rate))))
        samples = None
        while samples is None or len(samples) == block:
            with hidden_stderr(report):
                samples = sound.read(min(block, n_left), "float32", always_2d=True)
            n_left -= len(samples)
            yield rate, samples
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: .raw of unknown rate
        report.error = str(error).rpartition(": ")[2]


@contextlib.contextmanager
def hidden_stderr(report):
    """Keep off the terminal what libmpg123, which can't be told to be quiet, prints meanwhile."""
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


def describe_losses(path, report):
    """Return a list with a sentence on what couldn't be read; InputError if that is all of it."""
    if not report.seconds:
        reason = report.error or "It holds no samples."
        if report.lacks_av:
            reason += f" Convert it: ffmpeg -i {shlex.quote(path.name)} song.flac, or {INSTALL}"
        raise InputError(f"{path} can't be read as audio: {reason}")
    if report.is_short or (report.error and report.lacks_av):
        expected = max(report.length, report.seconds / report.fraction)
        remedy = f"{INSTALL} to read on" if report.lacks_av else "it is cut off or damaged"
        return [f"only {report.seconds:.1f} of {expected:.1f} s could be read: {remedy}"]
    lines = report.damage.splitlines()
    if report.error or not all(any(word in line for word in HARMLESS) for line in lines):
        return ["damaged in places, or joined recordings: some of it may be missing"]
    return []
