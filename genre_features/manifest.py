"""features.json, the manifest of a cache: what its arrays hold and what they were made from."""

import dataclasses
import hashlib
import json
import os
from pathlib import Path

from common.errors import InputError
from common.files import check_file
from genre_features.frame import FEATURE_PARAMS
from genre_features.listing import has_av

NAME = "features.json"


def make_manifest(dataset, by_subset, genres, split, settings):
    """Return the part of a cache's manifest that is known before the extraction.

    Parameters
    ----------
    dataset : path-like
    by_subset : dict of str to list of Clip
        The clips of each subset.
    genres : list of str
    split : str
    settings : FrameSettings

    Returns
    -------
    dict
        ``genres``, ``split``, every setting, whether PyAV is installed (``av``), as ``sources`` the
        `clip_key` of each file, by subset and genre, and, if any is known, the group of each track
        (``groups``).

    Raises
    ------
    InputError
        A file can't be read.
    """
    numbers = FEATURE_PARAMS | dataclasses.asdict(settings)
    sources = {subset: {genre: {} for genre in genres} for subset in by_subset}
    groups = {}
    for subset, clips in by_subset.items():
        for clip in clips:
            sources[subset][clip.genre][clip.file] = clip_key(dataset, clip.file, numbers)
            if clip.group:
                groups[clip.name] = clip.group
    content = {"genres": genres, "split": split, **numbers, "av": has_av(), "sources": sources}
    return content | ({"groups": groups} if groups else {})


def read_manifest(folder):
    """Return the content of the manifest in a folder, if it is JSON; an error if it isn't."""
    path = folder / NAME
    check_file(path)
    return json.loads(path.read_text(encoding="utf-8"))


def clip_keys(content):
    """Return the `clip_key` of each file of a manifest, whatever its subset and genre."""
    by_genre = (files for genres in content["sources"].values() for files in genres.values())
    return {file: key for files in by_genre for file, key in files.items()}


def clip_key(dataset, file, numbers):
    """Return by what a clip's features are known, such as ``0f3a…-91bc…``.

    The first half is a hash of the file's path in the data set, the second one of what the features
    depend on: the settings, and the data set's path and the file's size and time of change.
    """
    place = Path(dataset).absolute()
    try:
        status = (place / file).stat()
    except OSError as error:
        raise InputError(
            f"{place / file} can't be read ({error.strerror}): make it readable, or take it out"
        ) from None
    state = f"{place} {status.st_size} {status.st_mtime_ns} {json.dumps(numbers)}"
    return "-".join(hashlib.sha256(os.fsencode(text)).hexdigest()[:16] for text in (file, state))
