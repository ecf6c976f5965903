"""The check of a data set before it is used: what it holds, what is broken, short or repeated."""

import collections
import hashlib
from pathlib import Path

from tqdm import tqdm

from genre_features.audio import load_signal
from genre_features.frame import SAMPLE_RATE
from genre_features.splits import read_filtered_split
from genre_features.tracks import PARTS
from plumbing.inputs import InputError
from plumbing.workers import spread


def listen(path, seconds):
    """Return a hash of a file's samples and the seconds of audio, of at most so many seconds."""
    signal = load_signal(path, seconds)
    return hashlib.sha256(signal.tobytes()).hexdigest(), len(signal) / SAMPLE_RATE


def check_data_set(dataset, dealt, genres, settings, jobs=-1):
    """Print what a data set holds and what is wrong with it; change nothing.

    Parameters
    ----------
    dataset : path-like
    dealt : dict of str to list of Track
        See `splits.split_tracks`.
    genres : list of str
    settings : FrameSettings
        They tell how much of a clip is used; shorter clips are named.
    jobs : int
        Files read in parallel; -1 for one per core.

    Raises
    ------
    InputError
        Some clips can't be read, are too short, or are there twice.
    """
    print_counts(dealt, genres)
    print_shared_artists(dealt)
    problems = list(find_problems(dataset, dealt, settings, jobs))
    for problem in problems:
        print(problem)
    n_clips = sum(map(len, dealt.values()))
    if problems:
        raise InputError(
            f"{len(problems)} problems in {n_clips} clips, see above: broken clips are "
            "skipped and short ones repeated, but take copies out"
        )
    print(f"All {n_clips} clips can be read, are long enough, and are there once.")


def print_counts(dealt, genres):
    """Print how many clips each genre has in each part."""
    width = max(map(len, ("genre", *genres)))
    print(f"{'genre':{width}}" + "".join(f"{part:>12}" for part in PARTS))
    for genre in genres:
        counts = [sum(track.genre == genre for track in dealt[part]) for part in PARTS]
        print(f"{genre:{width}}" + "".join(f"{count:12}" for count in counts))


def find_problems(dataset, dealt, settings, jobs):
    """Yield a line on each clip that is broken or short, and on each audio that is there twice."""
    tracks = [(part, track) for part in PARTS for track in dealt[part]]
    # The first frame is centred on the first sample.
    seconds = (settings.frames - 1) * settings.seconds_per_frame
    # A second more, so that clips which are the same up to where they are cut aren't called copies.
    calls = [(Path(dataset).absolute() / track.file, seconds + 1) for _, track in tracks]
    outcomes = tqdm(spread(listen, calls, jobs), "Listening", len(calls), unit="clip")
    copies = collections.defaultdict(list)
    for (part, track), (heard, problem) in zip(tracks, outcomes, strict=True):
        if problem:
            yield problem
            continue
        digest, length = heard
        if length < seconds:
            yield f"{track.file} is too short: {length:.2f} of {seconds:.2f} s"
        copies[digest].append(f"{track.file} ({part})")
    for names in copies.values():
        if len(names) > 1:
            yield f"the same audio: {', '.join(names)}"


def print_shared_artists(dealt):
    """Print how many clips of GTZAN may share their artist with another part."""
    artists = shared_artists(dealt)
    if any(counts["clips"] > counts["faulty"] for counts in artists.values()):  # this is GTZAN
        for part, counts in artists.items():
            print(
                f"{part}: {counts['shared']} of {counts['clips']} clips may share their artist "
                "with another part, according to the artist-aware lists; "
                f"{counts['faulty']} are faulty according to them"
            )


def shared_artists(dealt):
    """Count GTZAN's clips that may share their artist with another part.

    The filtered lists name no artists, but no artist is in two of their parts. So two clips of a
    genre may share an artist if the lists have them in the same part, and don't otherwise.

    Parameters
    ----------
    dealt : dict of str to list of Track
        See `splits.split_tracks`.

    Returns
    -------
    dict of str to dict
        For each part the number of ``clips``, of those that are ``shared`` in this sense, and of
        those that the lists leave out as ``faulty``.
    """
    listed = read_filtered_split()
    places = {
        part: [(track.genre, listed.get((track.genre, track.number))) for track in dealt[part]]
        for part in PARTS
    }
    counts = {}
    for part, own in places.items():
        others = {place for other in PARTS if other != part for place in places[other]}
        kept = [place for place in own if place[1]]
        shared = sum(place in others for place in kept)
        counts[part] = {"clips": len(own), "shared": shared, "faulty": len(own) - len(kept)}
    return counts
