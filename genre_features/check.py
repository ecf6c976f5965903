"""The check of a data set before it is used: what is broken, short, repeated, or cut off."""

import collections
import hashlib
import statistics
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from genre_features.audio import load_signal
from genre_features.bandwidth import FULL, effective_bandwidth, guess_genres
from genre_features.frame import SAMPLE_RATE
from genre_features.splits import read_filtered_split
from genre_features.tracks import PARTS, Track
from plumbing.inputs import InputError, one_line
from plumbing.workers import spread


class Clip(NamedTuple):
    """What the check finds out about a clip."""

    track: Track
    part: str
    digest: str  # of its samples
    seconds: float
    bandwidth: float  # Hz


def listen(path, seconds):
    """Return the hash, length (s) and bandwidth (Hz) of the first so many seconds of a file."""
    signal = load_signal(path, seconds)
    digest = hashlib.sha256(signal.tobytes()).hexdigest()
    return digest, len(signal) / SAMPLE_RATE, effective_bandwidth(signal)


def check_data_set(dataset, by_part, genres, settings, jobs, picture):
    """Print what a data set holds and what is wrong with it; change nothing.

    Parameters
    ----------
    dataset : path-like
    by_part : dict of str to list of Track
        See `splits.split_tracks`.
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
    print_counts(by_part, genres)
    print_shared_artists(by_part)
    # The first frame is centred on the first sample.
    seconds = (settings.frames - 1) * settings.seconds_per_frame
    clips, problems = listen_to_all(dataset, by_part, seconds, jobs)
    print_bandwidths(clips, genres)
    if picture and clips:
        from genre_features.dataset_plots import draw_bandwidths

        draw_bandwidths(clips, genres, picture)
        print(f"The bandwidths are drawn in {picture}.")
    problems += [
        f"{clip.track.file} is too short: {clip.seconds:.2f} of {seconds:.2f} s"
        for clip in clips
        if clip.seconds < seconds
    ]
    problems += find_copies(clips)
    for problem in problems:
        print(one_line(problem))
    n_clips = sum(map(len, by_part.values()))
    if problems:
        raise InputError(
            f"{len(problems)} problems in {n_clips} clips, see above: broken clips are "
            "skipped and short ones repeated, but take copies out"
        )
    print(f"All {n_clips} clips can be read, are long enough, and are there once.")


def print_counts(by_part, genres):
    """Print how many clips each genre has in each part."""
    width = max(map(len, ("genre", *genres)))
    print(f"{'genre':{width}}" + "".join(f"{part:>12}" for part in PARTS))
    for genre in genres:
        counts = [sum(track.genre == genre for track in by_part[part]) for part in PARTS]
        print(f"{genre:{width}}" + "".join(f"{count:12}" for count in counts))


def listen_to_all(dataset, by_part, seconds, jobs):
    """Return the clips of a data set that can be read, and what is wrong with the others."""
    tracks = [(part, track) for part in PARTS for track in by_part[part]]
    # A second more, so that clips which are the same up to where they are cut aren't called copies.
    calls = [(Path(dataset).absolute() / track.file, seconds + 1) for _, track in tracks]
    outcomes = tqdm(spread(listen, calls, jobs), "Listening", len(calls), unit="clip")
    clips, problems = [], []
    for (part, track), (heard, problem) in zip(tracks, outcomes, strict=True):
        if problem:
            problems.append(problem)
        else:
            clips.append(Clip(track, part, *heard))
    return clips, problems


def find_copies(clips):
    """Return a line for each audio that is there more than once."""
    copies = collections.defaultdict(list)
    for clip in clips:
        copies[clip.digest].append(f"{clip.track.file} ({clip.part})")
    return [f"the same audio: {', '.join(names)}" for names in copies.values() if len(names) > 1]


def print_bandwidths(clips, genres):
    """Print where recordings are cut off, and warn if that tells their genre."""
    print("Clips with nothing above a cut, and the median cut:")
    width = max(map(len, ("genre", *genres)))
    print(f"{'genre':{width}}" + "".join(f"{part:>18}" for part in PARTS))
    for genre in genres:
        cells = []
        for part in PARTS:
            own = [c.bandwidth for c in clips if (c.track.genre, c.part) == (genre, part)]
            cut = [bandwidth for bandwidth in own if bandwidth < FULL]
            cells.append(f"{len(cut)} of {len(own)}")
            if cut:
                cells[-1] += f", {statistics.median(cut) / 1000:.1f} kHz"
        print(f"{genre:{width}}" + "".join(f"{cell:>18}" for cell in cells))
    if not clips:
        return
    bandwidths = [clip.bandwidth for clip in clips]
    accuracy, chance = guess_genres(bandwidths, [clip.track.genre for clip in clips])
    # Three standard errors: by chance, one data set in a thousand is warned of.
    if accuracy > chance + 3 * (chance * (1 - chance) / len(clips)) ** 0.5:
        print(
            f"Warning: the bandwidth alone tells the genre of {accuracy:.0%} of the clips, against "
            f"{chance:.0%} by chance. A model can learn it instead of the music: extract the "
            "features with --lowpass below the lowest cut."
        )


def print_shared_artists(by_part):
    """Print how many clips of GTZAN may share their artist with another part."""
    artists = shared_artists(by_part)
    if any(counts["clips"] > counts["faulty"] for counts in artists.values()):  # this is GTZAN
        for part, counts in artists.items():
            print(
                f"{part}: {counts['shared']} of {counts['clips']} clips may share their artist "
                "with another part, according to the artist-aware lists; "
                f"{counts['faulty']} are faulty according to them"
            )


def shared_artists(by_part):
    """Count GTZAN's clips that may share their artist with another part.

    The filtered lists name no artists, but no artist is in two of their parts. So two clips of a
    genre may share an artist if the lists have them in the same part, and don't otherwise.

    Parameters
    ----------
    by_part : dict of str to list of Track
        See `splits.split_tracks`.

    Returns
    -------
    dict of str to dict
        For each part the number of ``clips``, of those that are ``shared`` in this sense, and of
        those that the lists leave out as ``faulty``.
    """
    listed = read_filtered_split()
    places = {
        part: [(track.genre, listed.get((track.genre, track.number))) for track in by_part[part]]
        for part in PARTS
    }
    counts = {}
    for part, own in places.items():
        others = {place for other in PARTS if other != part for place in places[other]}
        kept = [place for place in own if place[1]]
        shared = sum(place in others for place in kept)
        counts[part] = {"clips": len(own), "shared": shared, "faulty": len(own) - len(kept)}
    return counts
