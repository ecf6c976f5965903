"""The splits that assign the clips of a data set to its three subsets."""

import csv
import hashlib
import os
import unicodedata
import warnings
from pathlib import Path

from common.errors import InputError
from common.files import check_file
from genre_features.clips import SUBSETS

# Of every genre the first clips are for testing, the next for validation, the rest for training.
INDEX_SPLIT = {"test": range(0, 10), "validation": range(10, 30), "train": range(30, 100)}
FILTERED_SPLIT = Path(__file__).parent.parent / "gtzan" / "filtered_split.txt"
SEED = 0  # of the splits of files without track numbers
N_FOLDS = 10  # of groups: one for testing, two for validation, the others for training


def split_clips(tracks, split="index", groups=None):
    """Split tracks into the train, validation and test subsets.

    Parameters
    ----------
    tracks : list of Clip
    split : {'index', 'filtered'}
        Ignored if there are groups.
        'index': by the subset's folder in the original's layout; else by track number, 0-9 test,
        10-29 validation, 30-99 train; else, if the names hold no such numbers or those leave a
        subset empty, a seeded 70/20/10 split of each genre's files.
        'filtered': GTZAN's fault-filtered, artist-aware split of Kereliuk, Sturm and Larsen
        (2015), without the tracks that it leaves out.
    groups : dict of str to str, optional
        The group of each track's file, such as its artist. All tracks of a group are in one subset;
        the split is seeded, and about 70/20/10 in every genre.

    Returns
    -------
    by_subset : dict of str to list of Clip
        The tracks of each subset, in the given order.
    split : str
        The name of the split.

    Raises
    ------
    InputError
        A subset is left without tracks, a genre without tracks to train on, only some tracks
        are numbered, one has no group, or the filtered split has none of them.
    """
    if groups is not None:
        subsets, split = split_groups(tracks, groups), f"70/20/10 by groups, seed {SEED}"
    elif split == "filtered":
        listed = read_filtered_split()
        if not any((track.genre, track.number) in listed for track in tracks):
            raise InputError(
                "--split filtered lists the tracks of GTZAN, and none of these is one: leave it out"
            )
        subsets = [listed.get((track.genre, track.number)) for track in tracks]
    elif all(track.subset for track in tracks):
        subsets = [track.subset for track in tracks]
    else:
        subsets = [subset_of_number(track.number) for track in tracks]
        if None in subsets and set(SUBSETS) < set(subsets):
            # A stray file mustn't cause a random split of GTZAN, which would mix its subsets.
            stray = tracks[subsets.index(None)].file
            raise InputError(
                f"{stray} has no track number from 0 to 99 where others do: name it "
                "<genre>.<five digits>, or take it out"
            )
        if set(subsets) != set(SUBSETS):
            subsets, split = split_at_random(tracks), f"70/20/10, seed {SEED}"
            print(
                "The track numbers don't fill the subsets of GTZAN's index split: "
                f"splitting each genre's files {split}."
            )
    by_subset = {subset: [] for subset in SUBSETS}
    for track, subset in zip(tracks, subsets, strict=True):
        if subset:
            by_subset[subset].append(track)
    check_subsets(by_subset, {track.genre for track in tracks})
    return by_subset, split


def subset_of_number(number):
    """Return the subset of a track number in the index split; None if it has none."""
    return next((subset for subset, numbers in INDEX_SPLIT.items() if number in numbers), None)


def read_filtered_split():
    """Read gtzan/filtered_split.txt as a dict from (genre, track number) to subset."""
    listed = {}
    for line in FILTERED_SPLIT.read_text(encoding="utf-8").splitlines():
        genre, subset, *ranges = line.partition("#")[0].split() or ("", "")
        for first, _, last in (numbers.partition("-") for numbers in ranges):
            for number in range(int(first), int(last or first) + 1):
                listed[genre, number] = subset
    return listed


def split_at_random(tracks):
    """Return a subset for each track: 20 % validation and 10 % test of every genre, seeded."""
    order = sorted(
        range(len(tracks)),
        # A hash is the same on every machine, and adding a file moves few others.
        key=lambda i: hashlib.sha256(os.fsencode(f"{SEED}/{tracks[i].file}")).digest(),
    )
    subsets = ["train"] * len(tracks)
    for genre in {track.genre for track in tracks}:
        own = [i for i in order if tracks[i].genre == genre]
        n_test, n_validation = max(1, round(0.1 * len(own))), max(1, round(0.2 * len(own)))
        for place, i in enumerate(own[: n_test + n_validation]):
            subsets[i] = "test" if place < n_test else "validation"
    return subsets


def read_groups(path):
    """Read a CSV file with the columns ``file`` and ``group`` as a dict from one to the other."""
    check_file(path)
    groups = {}
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as rows:
            for row in csv.DictReader(rows):
                file, group = normalise_name(row["file"].replace("\\", "/")), row["group"]
                if groups.setdefault(file, group) != group:
                    raise InputError(f"{path} has two groups for {file}: keep one of them")
    except (KeyError, AttributeError, UnicodeDecodeError, csv.Error):
        raise InputError(
            f"{path} isn't a CSV file with the columns file and group: save it as that, in UTF-8"
        ) from None
    return groups


def normalise_name(file):
    """Return a file's name with one code for each accented letter; macOS has two."""
    return unicodedata.normalize("NFC", file)


def split_groups(tracks, groups):
    """Return a subset for each track, the same for all of a group, and alike in every genre."""
    from sklearn.model_selection import StratifiedGroupKFold

    for track in tracks:
        if not groups.get(normalise_name(track.file)):
            raise InputError(f"{track.file} has no group: add a line for it to the CSV file")
    names = [groups[normalise_name(track.file)] for track in tracks]
    genres = [track.genre for track in tracks]
    if len(set(names)) < N_FOLDS:
        raise InputError(f"{len(set(names))} groups are too few to split: have {N_FOLDS} or more")
    if max(map(genres.count, set(genres))) < N_FOLDS:
        raise InputError(f"no genre has enough clips to split: have {N_FOLDS} of one or more")
    folds = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=SEED)
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        # A genre of fewer clips than folds is in some of them only.
        divided = folds.split(tracks, genres, names)
        subset_of = {
            i: "test" if fold == 0 else "validation"
            for fold, (_, rows) in enumerate(divided)
            for i in rows
            if fold < 3
        }
    return [subset_of.get(i, "train") for i in range(len(tracks))]


def check_subsets(by_subset, genres):
    """Raise InputError where a subset holds nothing, or a genre has nothing to train on."""
    for subset, tracks in by_subset.items():
        if not tracks:
            raise InputError(f"no usable clip is left for the {subset} subset: add some")
    missing = set(genres) - {track.genre for track in by_subset["train"]}
    if missing:
        raise InputError(f"no usable clip to train on is left of {', '.join(sorted(missing))}")
