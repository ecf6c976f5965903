"""The clips of a data set: which files they are, and of which genres."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from plumbing.inputs import InputError

PARTS = ("train", "validation", "test")
AUDIO_SUFFIXES = {".au", ".wav", ".flac", ".ogg", ".mp3"}


class Track(NamedTuple):
    """One clip of a data set."""

    genre: str
    file: str  # relative to the data set's folder, with forward slashes
    part: str | None = None  # known from the folder in the original's layout

    @property
    def name(self):
        """The file's name without folder and suffix, such as ``jazz.00042``."""
        return Path(self.file).stem

    @property
    def number(self):
        """The track number of a GTZAN name (``<genre>.<five digits>``), else None."""
        match = re.fullmatch(re.escape(self.genre) + r"\.(\d{5})", self.name)
        return int(match[1]) if match else None


def find_tracks(dataset, genres=None):
    """List the clips of a data set in sorted order.

    Parameters
    ----------
    dataset : path-like
        A folder in the original's layout (``_train``, ``_validation`` and ``_test``, full of
        ``<genre>.<number>.<suffix>``), or one of ``<genre>/<audio files>``, the genre folders
        lying in it, in its ``genres/`` or in its ``genres_original/``. A genre's files may lie
        in folders of their own, except in those whose names begin with ``_`` or a dot.
    genres : list of str, optional
        The genres to take, in this order; by default all there are, sorted.

    Returns
    -------
    tracks : list of Track
    genres : list of str

    Raises
    ------
    InputError
        There is no audio, a file's name tells no genre, or a genre asked for isn't there.
    """
    dataset = Path(dataset)
    has_parts = any((dataset / f"_{part}").is_dir() for part in PARTS)
    tracks = list(find_in_parts(dataset) if has_parts else find_in_genres(dataset))
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


def find_in_parts(dataset):
    """Yield the tracks of a data set in the original's layout."""
    for part in PARTS:
        for path in audio_files(dataset / f"_{part}"):
            match = re.fullmatch(r"([^.]+)\.\d+", path.stem)
            if not match:
                raise InputError(f"{path} doesn't name its genre: call it <genre>.<number>")
            yield Track(match[1], path.relative_to(dataset).as_posix(), part)


def find_in_genres(dataset):
    """Yield the tracks of a data set with a folder for each genre."""
    roots = [dataset / "genres", dataset / "genres_original", dataset]
    root = next(folder for folder in roots if folder.is_dir() or folder == dataset)
    for path in audio_files(root):
        raise InputError(f"{path} lies outside a genre's folder: move it to <genre>/")
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if folder.name[0] not in "._":
            for path in audio_files(folder, nested=True):
                yield Track(folder.name, path.relative_to(dataset).as_posix())


def audio_files(folder, nested=False):
    """List the audio files in a folder, sorted by path; `nested` includes folders in it."""
    if not Path(folder).is_dir():
        return []
    paths, seen = [], set()
    for place, folders, names in os.walk(folder, followlinks=True):
        # A link to a parent folder would be followed for ever.
        new = os.path.realpath(place) not in seen
        seen.add(os.path.realpath(place))
        folders[:] = [name for name in folders if nested and new and name[0] not in "._"]
        # macOS writes a hidden `._` file beside each file that it copies.
        paths += [Path(place, name) for name in names if new and not name.startswith(".")]
    return sorted(p for p in paths if p.suffix.lower() in AUDIO_SUFFIXES and p.is_file())
