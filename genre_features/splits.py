"""The splits that assign the clips of a data set to its three subsets."""

import collections
import hashlib
import os
from pathlib import Path

from common.errors import InputError, print_note
from genre_features.clips import SUBSETS, track_numbers
from genre_features.layouts import genre_key

# Of every genre the first clips are for testing, the next for validation, the rest for training.
INDEX_SPLIT = {"test": range(0, 10), "validation": range(10, 30), "train": range(30, 100)}
FILTERED_SPLIT = Path(__file__).parent.parent / "gtzan" / "filtered_split.txt"
SEED = 0  # of the splits of files without track numbers
MIN_SONGS = 3  # of a genre: one in each subset


def split_clips(clips, split="index"):
    """Split clips into the train, validation and test subsets.

    The first of these that applies: the filtered split, if it is asked for; the subsets of a table;
    its groups; the subsets of folders; GTZAN's index split; a seeded split of each genre's songs.

    Parameters
    ----------
    clips : list of Clip
    split : {'index', 'filtered'}
        'index': by track number, 0-9 test, 10-29 validation, 30-99 train. 'filtered': GTZAN's
        fault-filtered, artist-aware split of Kereliuk, Sturm and Larsen (2015), without the tracks
        that it leaves out.

    Returns
    -------
    by_subset : dict of str to list of Clip
        The clips of each subset, in the given order. Some may be empty; see `check_subsets`.
    split : str
        The name of the split.

    Raises
    ------
    InputError
        Only some clips are numbered, or the filtered split has none of the clips.
    """
    if split == "filtered":
        subsets = filtered_subsets(clips)
    elif all(clip.subset for clip in clips):
        subsets, split = [clip.subset for clip in clips], "given"
    elif all(clip.group for clip in clips):
        subsets, split = split_at_random(clips), f"70/20/10 by groups, seed {SEED}"
    elif not (subsets := index_subsets(clips)):
        subsets, split = split_at_random(clips), f"70/20/10 by songs, seed {SEED}"
    by_subset = {subset: [] for subset in SUBSETS}
    for clip, subset in zip(clips, subsets, strict=True):
        if subset:
            by_subset[subset].append(clip)
    report_leaks(by_subset)
    return by_subset, split


def index_subsets(clips):
    """Return the subset of each clip in GTZAN's index split; None where it isn't made for them."""
    by_track = {track: subset for subset, tracks in INDEX_SPLIT.items() for track in tracks}
    tracks = track_numbers(clips)
    subsets = [by_track.get(track) for track in tracks]
    if None in tracks and set(SUBSETS) < set(subsets):
        # A stray file mustn't cause a random split of GTZAN, which would mix its subsets.
        raise InputError(
            f"{clips[tracks.index(None)].file} has no track number, but others do: name it "
            "<genre>.<five digits>, or remove it"
        )
    return subsets if set(subsets) == set(SUBSETS) else None


def read_filtered_split():
    """Read gtzan/filtered_split.txt as a dict from (genre, track number) to subset."""
    listed = {}
    for line in FILTERED_SPLIT.read_text(encoding="utf-8").splitlines():
        genre, subset, *ranges = line.partition("#")[0].split() or ("", "")
        for first, _, last in (numbers.partition("-") for numbers in ranges):
            for number in range(int(first), int(last or first) + 1):
                listed[genre, number] = subset
    return listed


def filtered_subsets(clips):
    """Return the subset of each clip in the filtered split; None where it lists no such track."""
    listed = read_filtered_split()
    keys = zip((genre_key(clip.genre) for clip in clips), track_numbers(clips), strict=True)
    subsets = [listed.get(key) for key in keys]
    if not any(subsets):
        raise InputError(
            "--split filtered lists the tracks of GTZAN, and none of these is one: leave it out"
        )
    return subsets


def split_at_random(clips):
    """Return a subset for each clip: of every genre's groups or songs 10 % test, 20 % validation.

    A group with clips of several genres counts for the first, and is in one subset.
    """
    print(f"Splitting each genre 70/20/10, seed {SEED}.")
    songs = [clip.group or clip.song or clip.file for clip in clips]
    subsets, by_genre = {}, collections.defaultdict(list)
    for song, clip in zip(songs, clips, strict=True):
        if song not in subsets:
            subsets[song] = "train"
            by_genre[clip.genre].append(song)
    for ranking in by_genre.values():
        # A hash is the same on every machine, and adding a file moves few others.
        ranking.sort(key=lambda song: hashlib.sha256(os.fsencode(f"{SEED}/{song}")).digest())
        n_test, n_validation = (max(1, round(part * len(ranking))) for part in (0.1, 0.2))
        subsets |= dict.fromkeys(ranking[: n_test + n_validation], "validation")
        subsets |= dict.fromkeys(ranking[:n_test], "test")
    return [subsets[song] for song in songs]


def report_leaks(by_subset):
    """Warn on stderr of groups, and of songs by their names, that are in two subsets."""
    files = collections.defaultdict(dict)
    for subset, clips in by_subset.items():
        for clip in clips:
            files[clip.group or clip.song].setdefault(subset, clip.file)
    leaks = [list(found.values()) for song, found in files.items() if song and len(found) > 1]
    if leaks:
        print_note(
            f"Warning: {len(leaks)} songs or groups are in two subsets, such as {leaks[0][0]} and "
            f"{leaks[0][1]}: scores on them will be too high."
        )


def check_subsets(by_subset, genres):
    """Raise InputError if there is nothing to validate on, or a genre has nothing to train on.

    The test subset may be empty.
    """
    needed = f"have {MIN_SONGS} songs of each genre or more, one in each subset"
    missing = set(genres) - {clip.genre for clip in by_subset["train"]}
    if missing and by_subset["train"]:
        raise InputError(
            f"no usable clip to train on is left of {', '.join(sorted(missing))}: {needed}"
        )
    for subset in ("train", "validation"):
        if not by_subset[subset]:
            raise InputError(
                f"no usable clip is left for the {subset} subset: {needed}; where folders or a "
                "table give the subsets, this one must be among them"
            )
