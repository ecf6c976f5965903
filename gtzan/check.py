"""Look a data set over before it is used: what is there, broken, too short or there twice."""

import collections
import hashlib
from pathlib import Path

from tqdm import tqdm

from audio_features import SAMPLE_RATE, load_signal
from gtzan.tracks import PARTS, read_filtered_split
from script_helpers import InputError
from workers import spread


def listen(path, seconds):
    """Return (hash of the samples, seconds of audio, None), or what is wrong in place of None."""
    try:
        signal = load_signal(path, seconds)
    except (InputError, OSError) as error:
        return None, None, str(error)
    return hashlib.sha256(signal.tobytes()).hexdigest(), len(signal) / SAMPLE_RATE, None


def check_data_set(dataset, dealt, genres, seconds, jobs=-1):
    """Print what a data set holds and what is wrong with it; change nothing.

    Parameters
    ----------
    dataset : path-like
    dealt : dict of str to list of Track
        See `split_tracks`.
    genres : list of str
    seconds : float
        How much of a clip is used; shorter ones are named.
    jobs : int
        Files read side by side; -1 for one a core.

    Raises
    ------
    InputError
        There are clips that can't be read, are too short, or are there twice.
    """
    width = max(map(len, ("genre", *genres)))
    print(f"{'genre':{width}}" + "".join(f"{part:>12}" for part in PARTS))
    for genre in genres:
        counts = [sum(track.genre == genre for track in dealt[part]) for part in PARTS]
        print(f"{genre:{width}}" + "".join(f"{count:12}" for count in counts))
    artists = shared_artists(dealt)
    if any(found["clips"] > found["faulty"] for found in artists.values()):  # this is GTZAN
        for part, found in artists.items():
            print(
                f"{part}: {found['shared']} of {found['clips']} clips may share their artist with "
                f"another part, by the artist-aware lists; {found['faulty']} are faulty by them"
            )

    tracks = [(part, track) for part in PARTS for track in dealt[part]]
    # A second more than is used, so that what is cut off doesn't make a clip another.
    calls = [(Path(dataset).absolute() / track.file, seconds + 1) for _, track in tracks]
    found = tqdm(spread(listen, calls, jobs), "Listening", len(calls), unit="clip")
    copies, problems = collections.defaultdict(list), []
    for (part, track), (content, length, problem) in zip(tracks, found, strict=True):
        if problem:
            problems.append(problem)
            continue
        if length < seconds:
            problems.append(f"{track.file} is too short: {length:.2f} of {seconds:.2f} s")
        copies[content].append(f"{track.file} ({part})")
    problems += [f"the same audio: {', '.join(names)}" for names in copies.values() if names[1:]]
    for problem in problems:
        print(problem)
    if problems:
        raise InputError(
            f"{len(problems)} problems in {len(tracks)} clips, see above: broken clips are "
            "skipped and short ones repeated, but take copies out"
        )
    print(f"All {len(tracks)} clips can be read, are long enough, and are there once.")


def shared_artists(dealt):
    """Count GTZAN's clips that may share their artist with another part.

    The filtered lists name no artists, but none is in two of their parts: clips of a genre that
    they put into the same part may share one, others don't.

    Parameters
    ----------
    dealt : dict of str to list of Track
        See `split_tracks`.

    Returns
    -------
    dict of str to dict
        Of each part the number of its ``clips``, of those that are ``shared`` in this sense, and of
        those that the lists leave out as ``faulty``.
    """
    listed = read_filtered_split()
    places = {
        part: [(track.genre, listed.get((track.genre, track.number))) for track in dealt[part]]
        for part in PARTS
    }
    found = {}
    for part, own in places.items():
        others = {place for other in PARTS if other != part for place in places[other]}
        kept = [place for place in own if place[1]]
        shared = sum(place in others for place in kept)
        found[part] = {"clips": len(own), "shared": shared, "faulty": len(own) - len(kept)}
    return found
