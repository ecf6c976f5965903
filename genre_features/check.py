"""The check of a data set before it is used: what is broken, short, repeated, or cut off."""

import collections
import hashlib
import statistics
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from common.errors import InputError, escape_controls
from common.parallel import parallel_map
from genre_features.audio import load_signal
from genre_features.bandwidth import FULL, bandwidth_baseline, effective_bandwidth
from genre_features.clips import SUBSETS, Clip
from genre_features.frame import SAMPLE_RATE
from genre_features.splits import read_filtered_split


class ClipReport(NamedTuple):
    """What the check finds out about a clip."""

    track: Clip
    subset: str
    digest: str  # of its samples
    seconds: float
    bandwidth: float  # Hz


def inspect_clip(path, seconds):
    """Return the hash, length (s) and bandwidth (Hz) of the first so many seconds of a file."""
    signal = load_signal(path, seconds)
    digest = hashlib.sha256(signal.tobytes()).hexdigest()
    return digest, len(signal) / SAMPLE_RATE, effective_bandwidth(signal)


def check_data_set(dataset, by_subset, genres, settings, jobs, picture):
    """Print what a data set holds and what is wrong with it; change nothing.

    Parameters
    ----------
    dataset : path-like
    by_subset : dict of str to list of Clip
        See `splits.split_clips`.
    genres : list of str
    settings : FrameSettings
        They tell how much of a clip is used; shorter clips are named.
    jobs : int
        Files read in parallel; None for one per core.
    picture : path-like, optional
        A file to draw the bandwidths to.

    Raises
    ------
    InputError
        Some clips can't be read, are too short, or are there twice.
    """
    print_counts(by_subset, genres)
    print_shared_artists(by_subset)
    # The first frame is centred on the first sample.
    seconds = (settings.frames - 1) * settings.seconds_per_frame
    clips, problems = inspect_clips(dataset, by_subset, seconds, jobs)
    print_bandwidths(clips, genres)
    if picture and clips:
        from genre_features.dataset_plots import plot_bandwidths

        plot_bandwidths(clips, genres, picture)
        print(f"The bandwidths are drawn in {picture}.")
    problems += [
        f"{clip.track.file} is too short: {clip.seconds:.2f} of {seconds:.2f} s"
        for clip in clips
        if clip.seconds < seconds
    ]
    problems += find_duplicates(clips)
    for problem in problems:
        print(escape_controls(problem))
    n_clips = sum(map(len, by_subset.values()))
    if problems:
        raise InputError(
            f"{len(problems)} problems in {n_clips} clips, see above: broken clips are "
            "skipped and short ones repeated, but take copies out"
        )
    print(f"All {n_clips} clips can be read, are long enough, and are there once.")


def print_counts(by_subset, genres):
    """Print how many clips each genre has in each subset."""
    width = max(map(len, ("genre", *genres)))
    print(f"{'genre':{width}}" + "".join(f"{subset:>12}" for subset in SUBSETS))
    for genre in genres:
        counts = [sum(track.genre == genre for track in by_subset[subset]) for subset in SUBSETS]
        print(f"{genre:{width}}" + "".join(f"{count:12}" for count in counts))


def inspect_clips(dataset, by_subset, seconds, jobs):
    """Return the clips of a data set that can be read, and what is wrong with the others."""
    tracks = [(subset, track) for subset in SUBSETS for track in by_subset[subset]]
    # A second more, so that clips which are the same up to where they are cut aren't called copies.
    calls = [(Path(dataset).absolute() / track.file, seconds + 1) for _, track in tracks]
    outcomes = tqdm(parallel_map(inspect_clip, calls, jobs), "Listening", len(calls), unit="clip")
    clips, problems = [], []
    for (subset, track), (heard, problem) in zip(tracks, outcomes, strict=True):
        if problem:
            problems.append(problem)
        else:
            clips.append(ClipReport(track, subset, *heard))
    return clips, problems


def find_duplicates(clips):
    """Return a line for each audio that is there more than once."""
    copies = collections.defaultdict(list)
    for clip in clips:
        copies[clip.digest].append(f"{clip.track.file} ({clip.subset})")
    return [f"the same audio: {', '.join(names)}" for names in copies.values() if len(names) > 1]


def print_bandwidths(clips, genres):
    """Print where recordings are cut off, and warn if that tells their genre."""
    print("Clips with nothing above a cut, and the median cut:")
    width = max(map(len, ("genre", *genres)))
    print(f"{'genre':{width}}" + "".join(f"{subset:>18}" for subset in SUBSETS))
    for genre in genres:
        cells = []
        for subset in SUBSETS:
            own = [c.bandwidth for c in clips if (c.track.genre, c.subset) == (genre, subset)]
            cut = [bandwidth for bandwidth in own if bandwidth < FULL]
            cells.append(f"{len(cut)} of {len(own)}")
            if cut:
                cells[-1] += f", {statistics.median(cut) / 1000:.1f} kHz"
        print(f"{genre:{width}}" + "".join(f"{cell:>18}" for cell in cells))
    if not clips:
        return
    bandwidths = [clip.bandwidth for clip in clips]
    accuracy, chance = bandwidth_baseline(bandwidths, [clip.track.genre for clip in clips])
    # Three standard errors: by chance, one data set in a thousand is warned of.
    if accuracy > chance + 3 * (chance * (1 - chance) / len(clips)) ** 0.5:
        print(
            f"Warning: the bandwidth alone tells the genre of {accuracy:.0%} of the clips, against "
            f"{chance:.0%} by chance. A model can learn it instead of the music: extract the "
            "features with --lowpass below the lowest cut."
        )


def print_shared_artists(by_subset):
    """Print how many clips of GTZAN may share their artist with another subset."""
    artists = shared_artists(by_subset)
    if any(counts["clips"] > counts["faulty"] for counts in artists.values()):  # this is GTZAN
        for subset, counts in artists.items():
            print(
                f"{subset}: {counts['shared']} of {counts['clips']} clips may share their artist "
                "with another subset, according to the artist-aware lists; "
                f"{counts['faulty']} are faulty according to them"
            )


def shared_artists(by_subset):
    """Count GTZAN's clips that may share their artist with another subset.

    The filtered lists name no artists, but no artist is in two of their subsets. So two clips of a
    genre may share an artist if the lists have them in the same subset, and don't otherwise.

    Parameters
    ----------
    by_subset : dict of str to list of Clip
        See `splits.split_clips`.

    Returns
    -------
    dict of str to dict
        For each subset the number of ``clips``, of those that are ``shared`` in this sense, and of
        those that the lists leave out as ``faulty``.
    """
    listed = read_filtered_split()
    places = {
        subset: [
            (track.genre, listed.get((track.genre, track.number))) for track in by_subset[subset]
        ]
        for subset in SUBSETS
    }
    counts = {}
    for subset, own in places.items():
        others = {place for other in SUBSETS if other != subset for place in places[other]}
        kept = [place for place in own if place[1]]
        shared = sum(place in others for place in kept)
        counts[subset] = {"clips": len(own), "shared": shared, "faulty": len(own) - len(kept)}
    return counts
