"""The audio files of a folder."""

import collections
import importlib.util
import os
import re
from pathlib import Path

from common.errors import InputError, print_note

# What libsndfile reads, except .raw, which has no header, .mat, which seldom holds audio, .sd2,
# whose header is in another file, and .sds, of which libsndfile prints errors to stdout.
# fmt: off
AUDIO_SUFFIXES = {
    ".8svx", ".aif", ".aifc", ".aiff", ".au", ".avr", ".bwf", ".caf", ".flac", ".htk", ".iff",
    ".mp1", ".mp2", ".mp3", ".nist", ".oga", ".ogg", ".opus", ".paf", ".pvf", ".rf64", ".sf",
    ".snd", ".sph", ".svx", ".voc", ".w64", ".wav", ".wave", ".wve", ".xi",
}
OTHER_SUFFIXES = {  # what the optional package av reads
    ".3gp", ".aac", ".ac3", ".alac", ".amr", ".ape", ".avi", ".dff", ".dsf", ".dts", ".eac3",
    ".flv", ".m4a", ".m4b", ".m4v", ".mka", ".mkv", ".mov", ".mp4", ".mpc", ".ra", ".shn", ".spx",
    ".tak", ".tta", ".webm", ".wma", ".wmv", ".wv",
}
# fmt: on
# How such files begin. MP3 without tags begins with the 12 bits that mark a frame.
AUDIO_START = re.compile(
    rb"RIFF....WAVE|RF64....WAVE|FORM....(AIF[FC]|8SVX)|caff|riff|fLaC|OggS|\.snd|ID3"
    rb"|\xff[\xf2\xf3\xfa\xfb]|NIST_1A|Creative Voice File",
    re.DOTALL,
)
# What macOS, iCloud (in place of a song that it removed from the disk), Windows, git and this
# project leave in folders.
LEFTOVERS = re.compile(
    r"\._.*|\.ds_store|__macosx|\..*\.icloud|thumbs\.db|desktop\.ini|\.git"
    r"|\.part-.*|\.clips|(\..*)?\.lock|features\.json|filtered_split\.txt|genres\.tar\.gz|readme\.md",
    re.IGNORECASE,
)
MAX_LISTED = 8  # suffixes in a line


def list_audio(folder):
    """List the audio files at any depth below a folder, sorted.

    Links are followed. What systems and this project leave in folders is ignored. Other files are
    audio by their suffix or their first bytes, or are counted by suffix on stderr.

    Returns
    -------
    list of str
        Paths below the folder, with forward slashes.

    Raises
    ------
    InputError
        A folder can't be read, or a link leads nowhere.
    """
    readable = AUDIO_SUFFIXES | (OTHER_SUFFIXES if has_av() else set())
    files, left_out = [], collections.Counter()
    for path in walk(folder):
        suffix = path.suffix.lower()
        if suffix in readable or starts_like_audio(path):
            files.append(path.relative_to(folder).as_posix())
        elif suffix != ".npy":  # features, in this project's folders
            left_out[suffix] += 1
    if left_out:
        print_note(f"Left out in {folder}: {describe_suffixes(left_out)}.")
    return sorted(files)


def has_av():
    """Whether the optional decoder is installed, which reads the formats of `OTHER_SUFFIXES`."""
    return importlib.util.find_spec("av") is not None


def walk(root):
    """Yield the paths of the files below a folder, except leftovers."""
    real_root = Path(root).resolve()
    searched = [real_root]
    for place, folders, names in os.walk(root, onerror=refuse_folder, followlinks=True):
        for name in folders.copy():
            path = Path(place, name)
            goal = path.resolve()
            # A link back to a folder that is searched anyway might lead in circles.
            is_repeated = path.is_symlink() and any(goal.is_relative_to(f) for f in searched)
            is_demo = goal == real_root / "demo" and real_root.name == "gtzan"  # another data set
            if LEFTOVERS.fullmatch(name) or is_repeated or is_demo:
                folders.remove(name)
            elif path.is_symlink():
                searched.append(goal)
        for path in (Path(place, name) for name in names if not LEFTOVERS.fullmatch(name)):
            if path.is_file():
                yield path
            elif path.is_symlink():
                raise InputError(f"{path} is a link to nothing: correct or remove it")


def refuse_folder(error):
    """Raise the InputError for a folder that can't be read."""
    raise InputError(
        f"{error.filename} can't be read ({error.strerror}): make it readable, or remove it"
    )


def starts_like_audio(path):
    """Whether a file begins like a known format."""
    try:
        with path.open("rb") as file:
            return bool(AUDIO_START.match(file.read(20)))
    except OSError:
        return False


def describe_suffixes(counts):
    """Return text such as ``12 .m4a, 3 without suffix``, and how to use what could be used."""
    listed = counts.most_common(MAX_LISTED)
    texts = [f"{n} {suffix or 'without suffix'}" for suffix, n in listed]
    if n_others := counts.total() - sum(n for _, n in listed):
        texts.append(f"{n_others} others")
    usable = next((suffix for suffix, _ in counts.most_common() if suffix in OTHER_SUFFIXES), None)
    hint = f"; for {usable}, pip install av, or convert: ffmpeg -i song{usable} song.flac"
    return ", ".join(texts) + (hint if usable else "")
