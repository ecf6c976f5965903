"""The cache of a data set: .npy arrays of its three subsets, and the manifest beside them."""

import sys
import zlib
from pathlib import Path

import numpy as np

from common.errors import InputError
from common.files import check_file
from genre_features import manifest
from genre_features.clips import SUBSETS
from genre_features.frame import N_FEATURES, SAMPLE_RATE, FrameSettings
from genre_features.genres import ORIGINAL_GENRES

EXTRACT_AGAIN = "run GenreFeatureData.py to extract the features again"


class GenreFeatureData:
    """The cached feature sequences of a data set, in three subsets.

    Parameters
    ----------
    folder : path-like
        The folder of ``data_*.npy`` and ``features.json``.

    Attributes
    ----------
    genres : list of str
        Names of the target columns, in order.
    inputs : dict of str to numpy.memmap, shape (N, T, 33)
        Feature sequences of each subset; float32, or float64 in the original project's caches.
    targets : dict of str to numpy.ndarray, shape (N,), int64
        The genre of each sequence, as an index into `genres`.
    tracks : dict of str to list of str
        The name of each sequence's track, such as ``jazz.00042``; its row if the cache has none.
    settings : FrameSettings
    split : str or None
        How the clips were split; None if the cache doesn't say.
    checksums : dict of str to int
        A CRC-32 of each subset's inputs, by which ``--resume`` recognises the data of its run.
    """

    def __init__(self, folder="gtzan"):
        self.folder = Path(folder)

    def load(self):
        """Open the cache and check that its arrays fit together.

        Caches of the original project, which have no manifest, load too.

        Returns
        -------
        GenreFeatureData
            This object, with all attributes set.

        Raises
        ------
        InputError
            An array is missing, isn't one, holds NaN or infinity, or doesn't fit the others or
            the manifest, as while an extraction moves them to their places.
        """
        self.inputs, self.checksums, one_hot = {}, {}, {}
        for subset in SUBSETS:
            self.inputs[subset], one_hot[subset], self.checksums[subset] = load_subset(
                self.folder, subset
            )
        self.targets = {subset: rows.argmax(axis=1) for subset, rows in one_hot.items()}
        sizes = {
            subset: (self.inputs[subset].shape[1], one_hot[subset].shape[1]) for subset in SUBSETS
        }
        if len(set(sizes.values())) > 1:
            found = ", ".join(f"{subset} {t} x {g}" for subset, (t, g) in sizes.items())
            raise InputError(
                f"the subsets in {self.folder} differ in frames x genres: {found}; {EXTRACT_AGAIN}"
            )
        n_frames, n_genres = sizes["train"]
        if (self.folder / manifest.NAME).exists():
            checksums = {
                subset: zlib.crc32(np.ascontiguousarray(one_hot[subset])) for subset in SUBSETS
            }
            self.read_manifest(n_frames, n_genres, {"input": self.checksums, "target": checksums})
        else:
            self.guess_manifest(n_frames, n_genres)
        return self

    def read_manifest(self, n_frames, n_genres, checksums):
        """Set what features.json says of the arrays; InputError unless it fits them."""
        try:
            content = manifest.read(self.folder)
            self.genres, self.split, self.settings, tracks = manifest.parse(content)
            self.tracks = tracks or self.row_numbers()
            fits = (len(self.genres), self.settings.frames) == (n_genres, n_frames) and all(
                len(self.tracks[subset]) == len(self.targets[subset]) for subset in SUBSETS
            )
            fits &= content.get("checksums") in (None, checksums)  # earlier versions had none
        except (ValueError, KeyError, TypeError, RecursionError):
            fits = False
        if not fits:
            raise InputError(
                f"{self.folder / manifest.NAME} doesn't fit the arrays beside it; {EXTRACT_AGAIN}"
            )

    def guess_manifest(self, n_frames, n_genres):
        """Set what arrays without features.json are assumed to hold, and print it."""
        self.genres = ORIGINAL_GENRES.get(n_genres) or [f"genre_{i}" for i in range(n_genres)]
        self.split, self.tracks = None, self.row_numbers()
        # GTZAN's clips last 30 s: 1290 to 1293 frames mean the original's hop of 512 samples. The
        # project before the original kept the first 128 frames at that hop, 3 s.
        seconds = 3 if n_frames == 128 else 30
        hop_length = max(1, seconds * SAMPLE_RATE // n_frames)
        power_of_two = 2 ** round(np.log2(hop_length))
        if abs(hop_length / power_of_two - 1) < 0.01:
            hop_length = power_of_two
        self.settings = FrameSettings(hop_length=hop_length, frames=n_frames)
        print(
            f"No {manifest.NAME} in {self.folder}: assuming the genres {', '.join(self.genres)} "
            f"and {seconds}-s clips, so a hop of {hop_length} samples.",
            file=sys.stderr,
        )

    def row_numbers(self):
        """Return names for tracks that the cache doesn't name."""
        return {
            subset: [str(row) for row in range(len(self.targets[subset]))] for subset in SUBSETS
        }


def stale_reason(folder, wanted):
    """Say how a cache differs from what is wanted; None if it doesn't.

    Parameters
    ----------
    folder : path-like
    wanted : dict
        See `manifest.describe`.

    Raises
    ------
    InputError
        A FIFO or device has the name of one of the cache's files.
    """
    for path in (folder / manifest.NAME, *folder.glob("data_*.npy")):
        check_file(path)
    if not any(folder.glob("data_*.npy")):
        return "there are none yet"
    if not (folder / manifest.NAME).exists():
        return f"the .npy files there have no {manifest.NAME} that says what they hold"
    try:
        found = manifest.read(folder)
        # A cache of its own, closed again: on Windows, open arrays couldn't be replaced.
        GenreFeatureData(folder).load()
        for key, value in wanted.items():
            if key not in (*manifest.OF_FILES, "versions") and found.get(key) != value:
                return f"{key} was {found.get(key)}, is now {value}"
        if found["sources"] != wanted["sources"]:
            return "the audio files have changed"
    except (InputError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "the cache there is incomplete or damaged"
    return None


def load_subset(folder, subset):
    """Open a subset's arrays; return inputs, one-hot targets and checksum, or raise InputError."""
    inputs, targets = (open_array(folder, subset, kind) for kind in ("input", "target"))
    problem = None
    if inputs.ndim != 3 or inputs.shape[2] != N_FEATURES or 0 in inputs.shape:
        problem = f"input has the shape {inputs.shape}, not (clips, frames, {N_FEATURES})"
    elif targets.ndim != 2 or len(targets) != len(inputs) or not targets.shape[1]:
        problem = f"target has the shape {targets.shape}, not ({len(inputs)}, genres)"
    elif inputs.dtype.kind != "f" or (checksum := checksum_if_finite(inputs)) is None:
        problem = "input holds NaN, infinite or non-float features"
    elif targets.dtype.kind not in "bfiu" or not is_one_hot(targets):
        problem = "target isn't one-hot"
    if problem:
        raise InputError(f"{folder}/data_{subset}_{problem}; {EXTRACT_AGAIN}")
    return inputs, targets, checksum


def open_array(folder, subset, kind):
    """Map a subset's array of a kind, ``input`` or ``target``, into memory."""
    path = folder / f"data_{subset}_{kind}.npy"
    check_file(path)
    try:
        return np.lib.format.open_memmap(path, "r")
    except FileNotFoundError:
        raise InputError(
            f"no features in {folder} ({path.name} is missing): run GenreFeatureData.py first, "
            "or name their folder with --features"
        ) from None
    except OSError:
        raise
    except Exception:  # of many types: numpy evaluates a header as a Python literal
        raise InputError(f"{path} isn't an array of numbers; {EXTRACT_AGAIN}") from None


def checksum_if_finite(inputs):
    """Return a CRC-32 of all clips, reading each once; None if one holds NaN or infinity."""
    checksum = 0
    for clip in inputs:
        if not np.isfinite(clip).all():
            return None
        checksum = zlib.crc32(np.ascontiguousarray(clip), checksum)
    return checksum


def is_one_hot(rows):
    """Whether each row holds a single 1 and otherwise zeros."""
    return ((np.count_nonzero(rows, axis=1) == 1) & (rows.max(axis=1) == 1)).all()
