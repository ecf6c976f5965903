"""features.json, the manifest of a cache: what its arrays hold and what they were made from."""

import contextlib
import dataclasses
import hashlib
import json
from pathlib import Path

from tqdm import tqdm

from common.cli import library_versions
from common.errors import InputError, are_names
from common.files import check_file, lock_folders, write_json
from genre_features.clips import SUBSETS
from genre_features.frame import FEATURE_PARAMS, FrameSettings

NAME = "features.json"
OF_FILES = ("sources", "stamps")  # what it says of each clip's file


def describe(dataset, by_subset, genres, split, settings, folder):
    """Return what a cache of a data set's features must say of itself to be up to date.

    Parameters
    ----------
    dataset : path-like
    by_subset : dict of str to list of Clip
        The clips of each subset.
    genres : list of str
    split : str
    settings : FrameSettings
    folder : path-like
        Of the cache, if there is one yet. Files that are as its manifest says aren't hashed again:
        of a large data set, that would take long.

    Returns
    -------
    dict
        ``genres``, ``split``, every setting, as ``sources`` a hash of each clip's file, as
        ``stamps`` what `stamp_of` returns for them, and the libraries' ``versions``.

    Raises
    ------
    InputError
        A file can't be read.
    """
    sources, stamps = ({subset: {} for subset in by_subset} for _ in range(2))
    hashed = hashed_files(folder)
    files = [(subset, track.file) for subset, tracks in by_subset.items() for track in tracks]
    # Few files are hashed before a bar would be seen.
    for subset, file in tqdm(files, "Hashing", unit="file", delay=1, leave=False):
        path = Path(dataset) / file
        # Before the hash: a file that changes meanwhile has another stamp next time.
        stamps[subset][file] = stamp = stamp_of(path)
        sources[subset][file] = hashed.get((file, stamp)) or file_digest(path)
    return {
        "genres": genres,
        "split": split,
        **FEATURE_PARAMS,
        **dataclasses.asdict(settings),
        "sources": sources,
        "stamps": stamps,
        "versions": library_versions("numpy", "soundfile", "soxr"),
    }


def hashed_files(folder):
    """Return the hashes that a manifest holds, by file and stamp; none if it is damaged."""
    try:
        content = read(folder)
        return {
            (file, stamp): content["sources"][subset][file]
            for subset in SUBSETS
            for file, stamp in content["stamps"][subset].items()
        }
    except (InputError, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def stamp_of(path):
    """Return by what a file is recognised without being read: its size, times and number on disk.

    Two data sets may have files of the same names, sizes and dates of the last change. The number
    tells those apart, and the second time a change after which the date was set back (on Windows,
    it is that of creation).
    """
    try:
        status = path.stat()
    except OSError as error:
        raise unreadable(path, error) from None
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def renew_stamps(folder, wanted):
    """Note how files look now whose content is the same, so that they aren't hashed every time."""
    if read(folder).get("stamps") == wanted["stamps"]:
        return
    # A cache that can't be written to, or that another script is writing to, stays as it is.
    with contextlib.suppress(OSError, InputError), lock_folders(folder):
        content = read(folder)
        if content["sources"] == wanted["sources"]:
            write_json(folder / NAME, content | {"stamps": wanted["stamps"]})


def file_digest(path):
    """Return a hash of a file's content, by which a change is noticed; InputError if unreadable."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path, error):
    """Return the InputError that says why a file can't be read."""
    return InputError(f"{path} can't be read ({error.strerror}): make it readable, or take it out")


def read(folder):
    """Return the content of a folder's manifest.

    Raises
    ------
    ValueError, RecursionError
        It isn't JSON.
    InputError
        It isn't a file.
    """
    check_file(Path(folder) / NAME)
    return json.loads((Path(folder) / NAME).read_text(encoding="utf-8"))


def parse(content):
    """Return (genres, split, settings, tracks) from the content of a manifest.

    Raises
    ------
    KeyError, TypeError, ValueError
        Something is missing or impossible.
    """
    genres = content["genres"]
    tracks = content.get("tracks")
    if not are_names(genres) or not (tracks is None or are_tracks(tracks)):
        raise ValueError("impossible names")
    return genres, content.get("split"), FrameSettings.read(content), tracks


def are_tracks(tracks):
    """Whether a value read from a manifest holds a list of strings for each subset."""
    return all(
        isinstance(tracks[subset], list) and all(isinstance(name, str) for name in tracks[subset])
        for subset in SUBSETS
    )
