"""The clips of a data set: which files they are, and of which genres."""

import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

from common.errors import InputError, escape_controls
from common.files import check_file

SUBSETS = ("train", "validation", "test")
# What libsndfile reads, but for .raw, which has no header, .mat, which seldom holds audio, .sd2,
# whose header is in another file, and .sds, of which libsndfile prints errors to stdout.
# fmt: off
AUDIO_SUFFIXES = {
    ".8svx", ".aif", ".aifc", ".aiff", ".au", ".avr", ".bwf", ".caf", ".flac", ".htk", ".iff",
    ".mp1", ".mp2", ".mp3", ".nist", ".oga", ".ogg", ".opus", ".paf", ".pvf", ".rf64", ".sf",
    ".snd", ".sph", ".svx", ".voc", ".w64", ".wav", ".wave", ".wve", ".xi",
}
OTHER_SUFFIXES = {
    ".aac", ".ac3", ".alac", ".amr", ".ape", ".dff", ".dsf", ".dts", ".m4a", ".m4b", ".mka",
    ".mp4", ".mpc", ".ra", ".shn", ".spx", ".tak", ".tta", ".webm", ".wma", ".wv",
}
# fmt: on


class Clip(NamedTuple):
    """One clip of a data set."""

    genre: str
    file: str  # relative to the data set's folder, with forward slashes
    subset: str | None = None  # known from the folder in the original's layout

    @property
    def name(self):
        """``jazz.00042`` for GTZAN's tracks, else `file`: in folders, names are used again."""
        return self.file if self.number is None else Path(self.file).stem

    @property
    def number(self):
        """The track number of a GTZAN name (``<genre>.<five digits>``), else None."""
        match = re.fullmatch(re.escape(self.genre) + r"\.(\d{5})", Path(self.file).stem)
        return int(match[1]) if match else None


def find_clips(dataset, genres=None):
    """List the clips of a data set in sorted order.

    Parameters
    ----------
    dataset : path-like
        A folder in the original's layout (``_train``, ``_validation`` and ``_test``, full of
        ``<genre>.<number>.<suffix>`` or ``<genre> <number>.<suffix>``), or one of
        ``<genre>/<audio files>``, the genre folders lying in it, in its ``genres/`` or in its
        ``genres_original/``. A genre's files may lie in folders of their own, except in those
        whose names begin with ``_`` or a dot.
    genres : list of str, optional
        The genres to take, in this order; by default all there are, sorted.

    Returns
    -------
    tracks : list of Clip
    genres : list of str

    Raises
    ------
    InputError
        There is no audio, a file's name tells no genre, or a genre asked for isn't there.
    """
    dataset = Path(dataset)
    has_subsets = any((dataset / f"_{subset}").is_dir() for subset in SUBSETS)
    tracks = list(find_in_subsets(dataset) if has_subsets else find_in_genres(dataset))
    if not tracks:
        raise InputError(
            f"no audio in {dataset}: put GTZAN there (see gtzan/README.md), name a folder of "
            "<genre>/<audio files> with --dataset, or try --demo"
        )
    found = sorted({track.genre for track in tracks})
    for genre in genres or []:
        if genre not in found:
            raise InputError(f"no genre '{genre}' in {dataset}: it has {', '.join(found)}")
    genres = list(dict.fromkeys(genres or found))
    tracks = [track for track in tracks if track.genre in genres]
    return sorted(tracks, key=lambda track: (genres.index(track.genre), track.file)), genres


def find_in_subsets(dataset):
    """Yield the tracks of a data set in the original's layout."""
    for subset in SUBSETS:
        for path in audio_files(dataset / f"_{subset}"):
            match = re.fullmatch(r"([^.]+?)[. ]\d[\d.]*", path.stem)
            if not match or match[1].isdecimal():
                raise InputError(f"{path} doesn't name its genre: call it <genre>.<number>")
            yield Clip(match[1], path.relative_to(dataset).as_posix(), subset)


def find_in_genres(dataset):
    """Yield the tracks of a data set with a folder for each genre."""
    roots = [dataset / "genres", dataset / "genres_original", dataset]
    root = next(folder for folder in roots if folder.is_dir() or folder == dataset)
    for path in audio_files(root):
        raise InputError(f"{path} lies outside a genre's folder: move it to <genre>/")
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if folder.name[0] not in "._":
            check_link(folder)
            for path in audio_files(folder, nested=True):
                yield Clip(folder.name, path.relative_to(dataset).as_posix())


def audio_files(folder, nested=False):
    """List the audio files in a folder, sorted by path; `nested` includes folders in it.

    What other audio there is, is counted on stderr.

    Raises
    ------
    InputError
        A folder can't be read, a link leads nowhere, or audio isn't a file.
    """
    if not Path(folder).is_dir():
        return []
    paths, seen = [], set()
    for place, folders, names in os.walk(folder, followlinks=True, onerror=refuse_folder):
        # A link to a parent folder would be followed for ever.
        new = os.path.realpath(place) not in seen
        seen.add(os.path.realpath(place))
        folders[:] = [name for name in folders if nested and new and name[0] not in "._"]
        # macOS writes a hidden `._` file beside each file that it copies.
        paths += [Path(place, name) for name in names if new and not name.startswith(".")]
    for path in paths:
        check_link(path)
    suffixes = [path.suffix.lower() for path in paths]
    others = [f"{suffixes.count(s)} {s}" for s in sorted(OTHER_SUFFIXES & set(suffixes))]
    if others:
        print(
            escape_controls(
                f"Left out in {folder}: {', '.join(others)}. Convert them to FLAC or WAV."
            ),
            file=sys.stderr,
        )
    paths = sorted(path for path in paths if path.suffix.lower() in AUDIO_SUFFIXES)
    for path in paths:
        check_file(path)
    return paths


def check_link(path):
    """Raise InputError if a path is a link to nothing, such as audio on a disk that is away."""
    if path.is_symlink() and not path.exists():
        raise InputError(f"{path} is a link to nothing: mend it, or take it out")


def refuse_folder(error):
    """Raise InputError instead of leaving a folder out that can't be read."""
    raise InputError(
        f"{error.filename} can't be read ({error.strerror}): make it readable, or take it out"
    )
