"""The cache of a data set: .npy arrays of its subsets, and the manifest beside them."""

import dataclasses
import zlib
from pathlib import Path

import numpy as np

from common.errors import InputError, are_names, print_note
from genre_features import manifest
from genre_features.arrays import EXTRACT_AGAIN, load_subset
from genre_features.clips import SUBSETS, find_clips
from genre_features.extraction import update_cache
from genre_features.frame import FEATURE_PARAMS, SAMPLE_RATE, FrameSettings
from genre_features.genres import ORIGINAL_GENRES
from genre_features.splits import split_clips

# Larger caches are mapped: GTZAN's has 0.2 GB, and today's computers leave 4 GB to a training. An
# array in memory doesn't change, or end the process, when its file is written to.
MAX_IN_MEMORY = 2**32  # bytes
# Entries of the manifest that are as long as the data set, and their names for the user.
PER_CLIP = {"sources": "audio files or their genres", "groups": "groups"}
# Raised by a manifest that isn't JSON, or that holds other values than ours.
UNEXPECTED_CONTENT = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


class GenreFeatureData:
    """The cached feature sequences of a data set, in subsets.

    Parameters
    ----------
    folder : path-like
        Of ``data_*.npy`` and ``features.json``.
    genres : list of str, optional
    hop_length : int, optional
        What a cache without ``features.json`` holds; by default, what is likely.

    Attributes
    ----------
    genres : list of str
        Names of the target columns, in order.
    inputs : dict of str to numpy.ndarray, shape (N, T, 33)
        Feature sequences of each subset, ``train``, ``validation`` and, unless the cache has none,
        ``test``; float32, or float64 in the original project's caches.
    targets : dict of str to numpy.ndarray, shape (N,), int64
        The genre of each sequence, as an index into `genres`.
    tracks : dict of str to list of str
        The name of each sequence's track, such as ``jazz.00042``; its row if the cache has none.
    groups : dict of str to list of str
        The group of each sequence, such as its artist; its track where none is known. Empty if the
        cache has no groups.
    settings : FrameSettings
    split : str or None
        How the clips were split, if the cache says.
    checksums : dict of str to dict of str to int
        A CRC-32 of each subset's ``input`` and ``target``, by which ``--resume`` recognises the
        data of its run.
    manifest : dict
        The content of ``features.json``, if there is one.
    train_X, dev_X, test_X, train_Y, dev_Y, test_Y, genre_list, hop_length, timeseries_length
        The same under the original project's names; Y is one-hot, (N, G).

    Examples
    --------
    >>> data = GenreFeatureData("gtzan").load()
    >>> data.inputs["train"].shape
    (419, 1290, 33)
    >>> data.genres[data.targets["train"][0]]
    'classical'
    """

    def __init__(self, folder="gtzan", genres=None, hop_length=None):
        self.folder, self.given = Path(folder), (genres, hop_length)

    def load(self):
        """Read the cache, check that its arrays fit together, and return this object.

        Caches of the original project, which have no manifest, load too. Of more than 4 GB, the
        inputs stay in their files, mapped into memory.

        Raises
        ------
        InputError
            An array is missing, isn't one, holds NaN or infinity, or doesn't fit the others or
            the manifest, as while an extraction moves them to their places.
        """
        n_frames, n_genres = self.load_arrays()
        # The tracks of a cache that doesn't name them go by the numbers of their rows.
        self.tracks = {key: list(map(str, range(len(rows)))) for key, rows in self.targets.items()}
        self.groups = {}
        if not (self.folder / manifest.NAME).exists():
            self.assume_manifest(n_frames, n_genres, *self.given)
        elif any(self.given):
            raise InputError(
                f"{self.folder / manifest.NAME} has the genres and the hop length: leave out "
                "--genres and --hop-length"
            )
        else:
            self.read_manifest(n_frames, n_genres)
        return self

    def load_arrays(self):
        """Set the inputs, targets and checksums of each subset; return how many frames and genres.

        InputError if the subsets differ in these.
        """
        self.inputs, self.targets, sizes = {}, {}, {}
        self.checksums = {"input": {}, "target": {}}
        in_memory = sum(p.stat().st_size for p in self.folder.glob("data_*.npy")) <= MAX_IN_MEMORY
        for subset in SUBSETS:
            if subset == "test" and not any(self.folder.glob("data_test_*.npy")):
                continue
            inputs, one_hot, checksum = load_subset(self.folder, subset, in_memory)
            self.inputs[subset], self.targets[subset] = inputs, one_hot.argmax(axis=1)
            sizes[subset] = inputs.shape[1], one_hot.shape[1]
            self.checksums["input"][subset] = checksum
            self.checksums["target"][subset] = zlib.crc32(np.ascontiguousarray(one_hot))
        if len(set(sizes.values())) > 1:
            found = ", ".join(f"{subset} {t} x {g}" for subset, (t, g) in sizes.items())
            raise InputError(
                f"the subsets in {self.folder} differ in frames x genres: {found}; {EXTRACT_AGAIN}"
            )
        return sizes["train"]

    def subsample(self, seconds):
        """Keep every n-th frame, so that frames are about so many seconds apart."""
        n = max(1, round(seconds / self.settings.seconds_per_frame))
        self.inputs = {subset: inputs[:, ::n] for subset, inputs in self.inputs.items()}
        self.settings = dataclasses.replace(
            self.settings,
            hop_length=n * self.settings.hop_length,
            frames=self.inputs["train"].shape[1],
        )

    def read_manifest(self, n_frames, n_genres):
        """Set what features.json says of the arrays; InputError unless it fits them."""
        try:
            content = manifest.read_manifest(self.folder)
            if any(content.get(key, value) != value for key, value in FEATURE_PARAMS.items()):
                raise InputError(f"{self.folder} has features of another version; {EXTRACT_AGAIN}")
            self.manifest, self.genres = content, content["genres"]
            self.split, self.settings = content.get("split"), FrameSettings.read(content)
            fits = are_names(self.genres) and isinstance(self.split, str | None)
            fits &= (len(self.genres), self.settings.frames) == (n_genres, n_frames)
            # A cache that was made otherwise needn't have tracks and checksums.
            fits &= content.get("checksums") in (None, self.checksums)
            names = content.get("tracks") or self.tracks
            self.tracks = {subset: list(map(str, names[subset])) for subset in names}
            fits &= self.tracks.keys() == self.targets.keys()
            fits &= all(len(self.tracks[key]) == len(rows) for key, rows in self.targets.items())
            if groups := content.get("groups"):
                self.groups = {
                    subset: [str(groups.get(track) or track) for track in tracks]
                    for subset, tracks in self.tracks.items()
                }
        except UNEXPECTED_CONTENT:
            fits = False
        if not fits:
            path = self.folder / manifest.NAME
            raise InputError(f"{path} doesn't fit the arrays beside it; {EXTRACT_AGAIN}")

    def assume_manifest(self, n_frames, n_genres, genres, hop_length):
        """Set what arrays without features.json hold, as given or as is likely, and print it."""
        names = ORIGINAL_GENRES.get(n_genres) or [f"genre_{i}" for i in range(n_genres)]
        self.genres = list(dict.fromkeys(genres or names))
        if len(self.genres) != n_genres:
            raise InputError(f"{self.folder} has {n_genres} genres, not {len(self.genres)}")
        # GTZAN's clips last 30 s. The project before the original kept 128 frames of each, 3 s.
        likely = max(1, (3 if n_frames == 128 else 30) * SAMPLE_RATE // n_frames)
        power_of_two = 2 ** round(np.log2(likely))
        if abs(likely / power_of_two - 1) < 0.01:
            likely = power_of_two
        hop_length = hop_length or likely
        self.settings, self.split = FrameSettings(hop_length=hop_length, frames=n_frames), None
        seconds = n_frames * self.settings.seconds_per_frame
        print_note(
            f"No {manifest.NAME} in {self.folder}: assuming the genres {', '.join(self.genres)} "
            f"and a hop of {hop_length} samples, so clips of {seconds:.1f} s. If that is wrong, "
            "add --genres or --hop-length."
        )

    # What scripts of the original project and its forks use.

    def load_preprocess_data(self):
        """Extract the features of the audio in the folder, in one process, and load them."""
        clips, genres = find_clips(self.folder)
        by_subset, split = split_clips(clips)
        content = manifest.make_manifest(self.folder, by_subset, genres, split, FrameSettings())
        update_cache(self.folder, self.folder, by_subset, content, jobs=1)
        return self.load()

    load_deserialize_data = load

    def one_hot(self, subset):
        """Return the targets of a subset as rows of a single 1, (N, G)."""
        return np.eye(len(self.genres), dtype=np.float32)[self.targets[subset]]

    train_X, dev_X, test_X = (property(lambda self, s=s: self.inputs[s]) for s in SUBSETS)  # noqa: N815
    train_Y, dev_Y, test_Y = (property(lambda self, s=s: self.one_hot(s)) for s in SUBSETS)  # noqa: N815
    genre_list = property(lambda self: self.genres)
    hop_length = property(lambda self: self.settings.hop_length)
    timeseries_length = property(lambda self: self.settings.frames)


def stale_reason(folder, content):
    """Say how the cache in a folder differs from a manifest that is asked for; None if it doesn't.

    `content` is that of `manifest.make_manifest`.
    """
    if not any(folder.glob("data_*.npy")):
        return "there are none yet"
    if not (folder / manifest.NAME).exists():
        return f"the .npy files there have no {manifest.NAME} that says what they hold"
    try:
        existing = manifest.read_manifest(folder)
        for key, value in content.items():
            if key not in PER_CLIP and existing.get(key) != value:
                return f"{key} was {existing.get(key)}, is now {value}"
        for key, name in PER_CLIP.items():
            if existing.get(key) != content.get(key):
                return f"the {name} have changed"
        if existing["skipped"]:
            return f"{len(existing['skipped'])} of the files couldn't be read"
        # An object of its own, closed again: on Windows, open arrays couldn't be replaced.
        GenreFeatureData(folder).load()
    except (InputError, *UNEXPECTED_CONTENT):
        return "the cache there is incomplete or damaged"
    return None
