"""The check of a data set: unreadable, short, silent, duplicate and band-limited clips."""

import statistics
import unicodedata
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from common.errors import InputError, escape_controls, try_call
from common.parallel import parallel_map
from genre_features.audio import load_signal
from genre_features.bandwidth import FULL, bandwidth_baseline, effective_bandwidth
from genre_features.clips import SUBSETS, Clip
from genre_features.features import extract_features
from genre_features.fingerprint import Fingerprint, find_copies, make_fingerprint
from genre_features.frame import SAMPLE_RATE, FrameSettings
from genre_features.layouts import genre_key
from genre_features.silence import silent_frames
from genre_features.splits import N_TRACKS, check_subsets, read_filtered_split

MAX_SILENT = 0.2  # of a clip
MAX_NAMES, MAX_LINES = 5, 20  # printed of one kind of problem
RARE = 0.2  # of a genre's clips: the band-limited ones are named


class ClipReport(NamedTuple):
    """The result of checking a clip."""

    clip: Clip
    subset: str
    fingerprint: Fingerprint
    seconds: float
    bandwidth: float  # Hz
    silent: float  # fraction


def inspect_clip(path, seconds):
    """Return fingerprint, length (s), bandwidth (Hz) and silent fraction of a file's beginning."""
    signal = load_signal(path, seconds)
    fingerprint, bandwidth = make_fingerprint(signal), effective_bandwidth(signal)
    silent = silent_frames(extract_features(signal), FrameSettings()).mean()
    return fingerprint, len(signal) / SAMPLE_RATE, bandwidth, silent


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
        A file to plot the bandwidths to.

    Raises
    ------
    InputError
        Something is wrong with the clips, or there are too few.
    """
    counts = [[sum(c.genre == genre for c in by_subset[s]) for s in SUBSETS] for genre in genres]
    print_table(genres, counts)
    print_shared_artists(by_subset)
    # The first frame is centred on the first sample.
    seconds = (settings.frames - 1) * settings.seconds_per_frame
    reports, problems = inspect_clips(dataset, by_subset, seconds, jobs)
    if reports:
        print_bandwidths(reports, genres)
    if picture and reports:
        from genre_features.dataset_plots import plot_bandwidths

        plot_bandwidths(reports, genres, picture)
        print(f"The bandwidths are plotted in {picture}.")
    too_few = try_call(check_subsets, by_subset, genres)[1]
    problems = [*filter(None, [too_few]), *limit_lines(problems)]
    problems += describe_short(reports, settings, seconds) + describe_silent(reports)
    problems += limit_lines(describe_copies(reports))
    for problem in problems:
        print(escape_controls(problem))
    n_clips = sum(map(len, by_subset.values()))
    if problems:
        raise InputError(
            f"{len(problems)} problems in {n_clips} clips, see above: unreadable clips are skipped "
            "and short ones repeated, but remove copies"
        )
    print(f"All {n_clips} clips can be read, are long enough, and are unique.")


def print_table(genres, rows):
    """Print a row per genre with a cell per subset, in columns as wide as their text."""
    lines = [[genre, *map(str, row)] for genre, row in zip(genres, rows, strict=True)]
    table = [[escape_controls(cell) for cell in row] for row in (["genre", *SUBSETS], *lines)]
    widths = [max(map(text_width, column)) for column in zip(*table, strict=True)]
    for first, *cells in table:
        line = first + " " * (widths[0] - text_width(first))
        print(line + "".join(f"  {c:>{w}}" for c, w in zip(cells, widths[1:], strict=True)))


def text_width(text):
    """Return the columns of a terminal that a text takes; Chinese characters take two."""
    return sum(
        1 + (unicodedata.east_asian_width(c) in "WF") for c in text if not unicodedata.combining(c)
    )


def inspect_clips(dataset, by_subset, seconds, jobs):
    """Return the reports of the clips that can be read, and what is wrong with the others."""
    clips = [(subset, clip) for subset in SUBSETS for clip in by_subset[subset]]
    # A second more than is used: lengths are rounded.
    calls = [(Path(dataset).absolute() / clip.file, seconds + 1) for _, clip in clips]
    outcomes = tqdm(parallel_map(inspect_clip, calls, jobs), "Listening", len(calls), unit="clip")
    reports, problems = [], []
    for (subset, clip), (result, problem) in zip(clips, outcomes, strict=True):
        if problem:
            problems.append(problem)
        else:
            reports.append(ClipReport(clip, subset, *result))
    return reports, problems


def limit_lines(lines):
    """Return the first lines, and one that counts the others."""
    n_more = len(lines) - MAX_LINES
    return lines if n_more <= 0 else [*lines[:MAX_LINES], f"and {n_more} more of this kind"]


def list_names(names):
    """Return the first names as text, with the number of the others."""
    n_more = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {n_more} others" if n_more > 0 else "")


def describe_short(reports, settings, seconds):
    """Return a line about the clips shorter than what is used of a clip, if there are any."""
    short = [report for report in reports if report.seconds < seconds]
    if not short:
        return []
    names = list_names([f"{report.clip.file} ({report.seconds:.2f} s)" for report in short])
    line = f"{len(short)} too short, repeated up to {seconds:.2f} s: {names}"
    length = statistics.median(report.seconds for report in short)
    frames = 1 + int(length / settings.seconds_per_frame)
    hint = f"; for clips of {length:.2f} s add --frames {frames}"
    return [line + hint * (len(short) > len(reports) / 2)]


def describe_silent(reports):
    """Return a line about the clips that are silent for a fifth or more, if there are any."""
    names = [f"{r.clip.file} ({r.silent:.0%})" for r in reports if r.silent >= MAX_SILENT]
    return [f"{len(names)} silent for a fifth or more: {list_names(names)}"] if names else []


def describe_copies(reports):
    """Return a line for each recording that is there more than once, but for pieces of a song."""
    lines = []
    for group in find_copies([report.fingerprint for report in reports]):
        songs = {reports[i].clip.song for i in group}
        if len(songs) == 1 and None not in songs:
            continue
        first = {reports[i].subset: i for i in reversed(group)}  # of each subset
        order = [*first.values(), *(i for i in group if i not in first.values())]
        names = list_names([f"{reports[i].clip.file} ({reports[i].subset})" for i in order])
        lines.append(f"the same audio{' in two subsets' * (len(first) > 1)}: {names}")
    return lines


def print_bandwidths(reports, genres):
    """Print where recordings are cut off, and warn if that tells their genre."""
    print("Clips with nothing above a cutoff, and the median cutoff:")
    rows, outliers = [], []
    for genre in genres:
        own = [report for report in reports if report.clip.genre == genre]
        rows.append([format_cutoffs([r for r in own if r.subset == s]) for s in SUBSETS])
        cut = [report for report in own if report.bandwidth < FULL]
        outliers += cut if len(cut) < RARE * len(own) else []
    print_table(genres, rows)
    if outliers:
        names = [f"{r.clip.file} ({r.bandwidth / 1000:.1f} kHz)" for r in outliers]
        print(escape_controls(f"Unlike most of their genre, cut off: {list_names(names)}"))
    accuracy, chance, limit = bandwidth_baseline(
        [report.bandwidth for report in reports], [report.clip.genre for report in reports]
    )
    if accuracy > limit:
        print(
            f"Warning: bandwidth alone predicts the genre of {accuracy:.0%} of the clips, by "
            f"chance {chance:.0%}. A model can learn it instead of the music: extract the features "
            "with --lowpass below the lowest cutoff."
        )


def format_cutoffs(reports):
    """Return how many of some clips are cut off, and at what frequency, as text."""
    cutoffs = [report.bandwidth for report in reports if report.bandwidth < FULL]
    median = f", {statistics.median(cutoffs) / 1000:.1f} kHz" if cutoffs else ""
    return f"{len(cutoffs)} of {len(reports)}{median}"


def print_shared_artists(by_subset):
    """Print how many clips of GTZAN may share their artist with another subset."""
    artists = shared_artists(by_subset)
    if any(counts["clips"] > counts["faulty"] for counts in artists.values()):  # this is GTZAN
        for subset, counts in artists.items():
            print(
                f"{subset}: according to the artist-aware lists {counts['shared']} of "
                f"{counts['clips']} clips may share their artist with another subset, and "
                f"{counts['faulty']} are faulty"
            )


def shared_artists(by_subset):
    """Count GTZAN's clips that may share their artist with another subset.

    The filtered lists name no artists, but their authors keep each artist in one subset. So two
    clips of a genre may share an artist if the lists have them in the same subset.

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
    if any((c.number or 0) >= N_TRACKS for clips in by_subset.values() for c in clips):
        listed = {}  # numbers of pieces
    places = {
        subset: [(c.genre, listed.get((genre_key(c.genre), c.number))) for c in by_subset[subset]]
        for subset in SUBSETS
    }
    counts = {}
    for subset, own in places.items():
        others = {place for other in SUBSETS if other != subset for place in places[other]}
        kept = [place for place in own if place[1]]
        shared = sum(place in others for place in kept)
        counts[subset] = {"clips": len(own), "shared": shared, "faulty": len(own) - len(kept)}
    return counts
