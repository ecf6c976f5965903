"""The features and artists that experiments read, and the features that they write."""

import dataclasses

import numpy as np

from common.errors import InputError
from common.files import atomic_write, read_table, write_json
from experiments.plan import INDEX
from genre_features.arrays import write_array
from genre_features.cache import GenreFeatureData


def fits(data, settings):
    """Whether features have the hop length and the low-pass of models with these settings."""
    names = "hop_length", "lowpass"
    return all(getattr(data.settings, name) == getattr(settings, name) for name in names)


def check_fit(data, settings):
    """Raise InputError unless features have the hop length and the low-pass of models."""
    if not fits(data, settings):
        lowpass = f" --lowpass {settings.lowpass}" if settings.lowpass else " and no --lowpass"
        raise InputError(
            f"{data.folder} wasn't computed as for the models: extract it again with "
            f"--hop-length {settings.hop_length}{lowpass}"
        )


def load_features(folder, settings):
    """Load index-control or, for low-passed audio, index-lowpass in a folder, for some settings.

    InputError if taking every n-th frame doesn't give their hop length.
    """
    data = GenreFeatureData(folder / INDEX[settings.lowpass is not None]).load()
    data.subsample(settings.seconds_per_frame)
    check_fit(data, settings)
    return data


def check_same_tracks(first, second):
    """Raise InputError unless two caches hold the same tracks in the same order."""
    if (first.tracks, first.genres) != (second.tracks, second.genres):
        raise InputError(f"{first.folder} and {second.folder} don't hold the same tracks")


def read_artists(path):
    """Return the artist of each track in a table with the columns track and artist."""
    rows = read_table(path)
    if not rows or not {"track", "artist"} <= rows[0].keys():
        raise InputError(f"no artists in {path}: name a table with the columns track and artist")
    return {row["track"]: row["artist"] for row in rows}


def save_cache(folder, data, inputs, targets, **content):
    """Write a cache with the genres and settings of another, and its own inputs and targets.

    `content` is added to features.json.
    """
    checksums = {"input": {}, "target": {}}
    for subset in inputs:
        one_hot = np.eye(len(data.genres))[targets[subset]]
        for kind, array in (("input", inputs[subset]), ("target", one_hot)):
            rows = (np.ascontiguousarray(row, np.float32) for row in array)
            with atomic_write(folder / f"data_{subset}_{kind}.npy") as temporary:
                checksums[kind][subset] = write_array(temporary, rows, array.shape)
    content |= {"genres": data.genres, "split": data.split, "checksums": checksums}
    write_json(folder / "features.json", content | dataclasses.asdict(data.settings))
