"""The splits that assign the clips of a data set to its three subsets."""

import collections
import hashlib
import os
import warnings
from pathlib import Path

from common.errors import InputError
from genre_features.clips import SUBSETS
from genre_features.layouts import genre_key
from genre_features.listing import print_note

# Of every genre the first clips are for testing, the next for validation, the rest for training.
INDEX_SPLIT = {"test": range(0, 10), "validation": range(10, 30), "train": range(30, 100)}
FILTERED_SPLIT = Path(__file__).parent.parent / "gtzan" / "filtered_split.txt"
SEED = 0  # of the splits of files without track numbers
N_FOLDS = 10  # of groups: one for testing, two for validation, the others for training
MIN_SONGS = 3  # of a genre: one in each subset
N_TRACKS = 100  # of each of GTZAN's genres
PIECES_PER_TRACK = 10  # of 3 s, where GTZAN is cut to pieces that are numbered through


def split_clips(clips, split="index"):
    """Split clips into the train, validation and test subsets.

    The first of these that applies: the filtered split, if it is asked for; the groups of a table;
    the subsets of a table or of folders; GTZAN's index split; a seeded split of each genre's songs.

    Parameters
    ----------
    clips : list of Clip
    split : {'index', 'filtered'}
        'index': by track number, 0-9 test, 10-29 validation, 30-99 train; if the names hold no
        such numbers or those leave a subset empty, a seeded 70/20/10 split of each genre's songs.
        Numbers above 99 are taken for GTZAN cut to pieces, ten a track.
        'filtered': GTZAN's fault-filtered, artist-aware split of Kereliuk, Sturm and Larsen
        (2015), without the tracks that it leaves out.

    Returns
    -------
    by_subset : dict of str to list of Clip
        The clips of each subset, in the given order. Some may be empty; see `check_subsets`.
    split : str
        The name of the split.

    Raises
    ------
    InputError
        Only some clips are numbered, the groups are too few, or the filtered split has none of
        the clips.
    """
    numbers = [clip.number for clip in clips]
    numbered_through = None not in numbers and max(numbers) >= N_TRACKS
    if split == "filtered":
        subsets = filtered_subsets(clips, numbered_through)
    elif all(clip.group for clip in clips):
        subsets, split = split_groups(clips), f"70/20/10 by groups, seed {SEED}"
    elif all(clip.subset for clip in clips):
        subsets, split = [clip.subset for clip in clips], "given"
    elif numbered_through:
        subsets, split = split_numbered_through(clips), "70/20/10 in the order of the numbers"
    elif not (subsets := index_subsets(clips, numbers)):
        subsets, split = split_at_random(clips), f"70/20/10, seed {SEED}"
    by_subset = {subset: [] for subset in SUBSETS}
    for clip, subset in zip(clips, subsets, strict=True):
        if subset:
            by_subset[subset].append(clip)
    report_leaks(by_subset)
    return by_subset, split


def index_subsets(clips, numbers):
    """Return the subset of each clip in GTZAN's index split; None where it isn't made for them."""
    subsets = [subset_of_number(number) for number in numbers]
    if None in subsets and set(SUBSETS) < set(subsets):
        # A stray file mustn't cause a random split of GTZAN, which would mix its subsets.
        stray = clips[subsets.index(None)].file
        raise InputError(
            f"{stray} has no track number from 0 to 99 where others do: name it "
            "<genre>.<five digits>, or take it out"
        )
    return subsets if set(subsets) == set(SUBSETS) else None


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


def filtered_subsets(clips, numbered_through=False):
    """Return the subset of each clip in the filtered split; None where it lists no such track."""
    if numbered_through:
        raise InputError(
            f"--split filtered lists GTZAN's {N_TRACKS} tracks of a genre, and these numbers go "
            "beyond: leave it out, or use the uncut clips"
        )
    listed = read_filtered_split()
    subsets = [listed.get((genre_key(clip.genre), clip.number)) for clip in clips]
    if not any(subsets):
        raise InputError(
            "--split filtered lists the tracks of GTZAN, and none of these is one: leave it out"
        )
    return subsets


def split_ranking(songs):
    """Return a subset for each of a genre's songs: the first 10 % test, 20 % validation."""
    n_test, n_validation = max(1, round(0.1 * len(songs))), max(1, round(0.2 * len(songs)))
    held_out = ["test"] * n_test + ["validation"] * n_validation
    n_train = max(0, len(songs) - len(held_out))
    return dict(zip(songs, held_out + ["train"] * n_train, strict=False))


def split_songs(clips, songs, order):
    """Return a subset for each clip, by its song; those of each genre are ranked in an order."""
    subsets = {}
    for genre in {clip.genre for clip in clips}:
        own = {song for clip, song in zip(clips, songs, strict=True) if clip.genre == genre}
        subsets[genre] = split_ranking(sorted(own, key=order))
    return [subsets[clip.genre][song] for clip, song in zip(clips, songs, strict=True)]


def split_at_random(clips):
    """Return a subset for each clip: of every genre's songs 20 % validation, 10 % test, seeded."""
    print(f"Splitting the songs of each genre 70/20/10, seed {SEED}.")
    # A hash is the same on every machine, and adding a file moves few others.
    return split_songs(
        clips,
        [clip.song or clip.file for clip in clips],
        order=lambda song: hashlib.sha256(os.fsencode(f"{SEED}/{song}")).digest(),
    )


def split_numbered_through(clips):
    """Return a subset for each clip: of every genre's numbers the first 10 % test, 20 % validation.

    The borders are multiples of `PIECES_PER_TRACK`. Neighbours stay together even if the tracks
    have another number of pieces, except at the borders.
    """
    print(
        f"Numbers reach {max(clip.number for clip in clips)}: taken for GTZAN cut into pieces, "
        f"{PIECES_PER_TRACK} a track. Splitting 70/20/10 in their order."
    )
    return split_songs(clips, [clip.number // PIECES_PER_TRACK for clip in clips], order=None)


def split_groups(clips):
    """Return a subset for each clip, the same for all of a group, and similar in every genre."""
    from sklearn.model_selection import StratifiedGroupKFold

    names, genres = [clip.group for clip in clips], [clip.genre for clip in clips]
    if len(set(names)) < N_FOLDS:
        raise InputError(f"{len(set(names))} groups are too few to split: have {N_FOLDS} or more")
    if max(collections.Counter(genres).values()) < N_FOLDS:
        raise InputError(f"no genre has enough clips to split: have {N_FOLDS} of one or more")
    folds = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=SEED)
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        # A genre of fewer clips than folds is in some of them only.
        divided = folds.split(clips, genres, names)
        subsets = {
            i: "test" if fold == 0 else "validation"
            for fold, (_, rows) in enumerate(divided)
            for i in rows
            if fold < 3
        }
    return [subsets.get(i, "train") for i in range(len(clips))]


def report_leaks(by_subset):
    """Warn on stderr of songs that are in two subsets by their names."""
    first, leaks = {}, {}
    for subset, clips in by_subset.items():
        for clip in clips:
            other_subset, other = first.setdefault(clip.song, (subset, clip))
            if clip.song and other_subset != subset:
                leaks.setdefault(clip.song, (other.file, clip.file))
    if leaks:
        pair = next(iter(leaks.values()))
        print_note(
            f"Warning: {len(leaks)} songs are in two subsets by their names, such as "
            f"{pair[0]} and {pair[1]}: scores on them will be too high."
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
            raise InputError(f"no usable clip is left for the {subset} subset: {needed}")
