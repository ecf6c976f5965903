"""The audio files in a folder; what is left out is counted in one line."""

import collections
import importlib.util
import os
import sys
from pathlib import Path

from common.errors import InputError, escape_controls
from common.files import check_file

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
# Of MP3 without tags the first two bytes are fixed but for version, layer and checksum.
MAGIC = (b"RIFF", b"RF64", b"FORM", b".snd", b"dns.", b"fLaC", b"OggS", b"ID3", b"caff", b"riff")
MAGIC += (b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"NIST_1A", b"Creative Voice File")
CONTAINERS = {b"RIFF": {b"WAVE"}, b"FORM": {b"AIFF", b"AIFC", b"8SVX"}}  # and their bytes 8-11
SYSTEM_NAMES = {".ds_store", "thumbs.db", "desktop.ini", "__macosx", ".git"}
PROJECT_NAMES = {"features.json", "filtered_split.txt", "genres.tar.gz", "readme.md"}
PROJECT_NAMES |= {".clips", ".lock"}
MAX_LISTED = 8  # suffixes in a line


def split_suffix(name):
    """Return the name of a file without its last suffix, and the suffix in lower case."""
    stem, dot, suffix = name.rpartition(".")
    return (stem, f".{suffix.lower()}") if stem and dot else (name, "")


def list_audio(folder):
    """List the audio files at any depth below a folder, sorted.

    Links are followed, and each folder is entered once. What systems and this project leave in
    folders is passed over; other files that aren't audio are counted by suffix on stderr. A file
    of an unknown suffix is audio if its first bytes are those of a known format.

    Returns
    -------
    list of str
        Paths below the folder, with forward slashes.

    Raises
    ------
    InputError
        A folder can't be read, a link leads nowhere, or audio isn't a file.
    """
    readable = AUDIO_SUFFIXES | (OTHER_SUFFIXES if has_av() else set())
    files, left_out = [], collections.Counter()
    for file in walk(folder):
        suffix = split_suffix(file.rpartition("/")[2])[1]
        if suffix in readable or starts_like_audio(Path(folder, file)):
            files.append(file)
        elif suffix != ".npy":  # features, in this project's folders
            left_out[suffix] += 1
    if left_out:
        print_note(describe_left_out(folder, left_out))
    return sorted(files)


def print_note(message):
    """Print a line on stderr, whatever names of files it holds."""
    print(escape_controls(message), file=sys.stderr)


def has_av():
    """Whether the optional decoder is installed, which reads the formats of `OTHER_SUFFIXES`."""
    return importlib.util.find_spec("av") is not None


def walk(folder):
    """Yield the path below a folder of every file that isn't a system's or this project's."""
    demo = {"demo"} if Path(folder).resolve().name == "gtzan" else set()
    folders, links, seen = [(folder, "")], [], set()
    while folders or links:  # links last: a file goes by its real path where it has one
        place, prefix = (folders or links).pop()
        real = os.path.realpath(place)
        if real in seen:  # a link to a parent folder would be followed for ever
            continue
        seen.add(real)
        for entry in read_folder(place):
            if is_passed_over(entry.name) or (not prefix and entry.name in demo):
                continue
            if entry.is_dir():
                found = links if entry.is_symlink() else folders
                found.append((entry.path, f"{prefix}{entry.name}/"))
            elif entry.is_file():
                yield prefix + entry.name
            elif entry.is_symlink() and not Path(entry.path).exists():
                raise InputError(f"{entry.path} is a link to nothing: mend it, or take it out")
            elif split_suffix(entry.name)[1] in AUDIO_SUFFIXES:
                check_file(entry.path)  # raises


def read_folder(place):
    """Return the entries of a folder; InputError if it can't be read."""
    try:
        with os.scandir(place) as entries:
            return list(entries)
    except OSError as error:
        raise InputError(
            f"{place} can't be read ({error.strerror}): make it readable, or take it out"
        ) from None


def is_passed_over(name):
    """Whether a name is that of a file or folder which a system or this project leaves behind.

    macOS writes a ``._`` file beside each file that it copies, and iCloud ``.song.mp3.icloud`` in
    place of a song that it has removed from the disk.
    """
    low = name.lower()
    return (
        low.startswith(("._", ".part-"))
        or low in SYSTEM_NAMES
        or low in PROJECT_NAMES
        or (low.startswith(".") and low.endswith(".icloud"))
    )


def starts_like_audio(path):
    """Whether the first bytes of a file are those of a format that libsndfile reads."""
    try:
        with path.open("rb") as file:
            start = file.read(20)
    except OSError:
        return False
    return start.startswith(MAGIC) and start[8:12] in CONTAINERS.get(start[:4], {start[8:12]})


def describe_left_out(folder, suffixes):
    """Return the line that counts the files which weren't taken, by their suffixes."""
    convertible = {suffix: n for suffix, n in suffixes.items() if suffix in OTHER_SUFFIXES}
    others = {suffix: n for suffix, n in suffixes.items() if suffix not in OTHER_SUFFIXES}
    sentences = []
    if convertible:
        example = max(convertible, key=convertible.get)
        sentences.append(
            f"{count_suffixes(convertible)} (convert: ffmpeg -i song{example} song.flac, or "
            "pip install av)"
        )
    if others:
        sentences.append(f"{count_suffixes(others)} (not audio)")
    return f"Left out in {folder}: {', '.join(sentences)}."


def count_suffixes(counts):
    """Return text such as ``12 .csv, 3 without suffix``, the most frequent first."""
    ranking = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    texts = [f"{n} {suffix or 'without suffix'}" for suffix, n in ranking[:MAX_LISTED]]
    rest = sum(n for _, n in ranking[MAX_LISTED:])
    return ", ".join(texts + [f"{rest} of other suffixes"] * bool(rest))
