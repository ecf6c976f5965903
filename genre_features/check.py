"""The check of a data set: unreadable, short, silent, duplicate and band-limited clips."""

import statistics
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from common.errors import InputError, escape_controls, list_names, try_call
from common.parallel import parallel_map
from genre_features.audio import load_signal
from genre_features.bandwidth import FULL, bandwidth_baseline, effective_bandwidth
from genre_features.clips import SUBSETS, Clip
from genre_features.features import extract_features
from genre_features.fingerprint import Fingerprint, find_copies, make_fingerprint
from genre_features.frame import SAMPLE_RATE, FrameSettings
from genre_features.silence import silent_frames
from genre_features.splits import check_subsets, filtered_subsets

MAX_SILENT = 0.2  # of a clip
MAX_LINES = 20  # of problems that are printed
RARE = 0.2  # of a genre's clips: the band-limited ones are named


class ClipReport(NamedTuple):
    """The result of checking a clip."""

    clip: Clip
    subset: str
    fingerprint: Fingerprint
    seconds: float
    bandwidth: float  # Hz
    silent: float  # fraction
    losses: list  # a sentence on what couldn't be read, if anything


def inspect_clip(path, clip, subset, seconds):
    """Return the report of a clip, of which the first seconds are used."""
    losses = []
    signal = load_signal(path, seconds + 1, losses)  # a second more: lengths are rounded
    silent = silent_frames(extract_features(signal), FrameSettings()).mean()
    measured = len(signal) / SAMPLE_RATE, effective_bandwidth(signal), silent
    return ClipReport(clip, subset, make_fingerprint(signal), *measured, losses)


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
    # The first frame is centred on the first sample.
    seconds = (settings.frames - 1) * settings.seconds_per_frame
    reports, unreadable = inspect_clips(dataset, by_subset, seconds, jobs)
    print_genres(by_subset, genres, reports)
    report_faulty(by_subset)
    if reports:
        warn_of_chains(reports, genres)
    if reports and picture:
        from genre_features.dataset_plots import plot_bandwidths

        plot_bandwidths(reports, genres, picture)
        print(f"The bandwidths are plotted in {picture}.")
    too_few = try_call(check_subsets, by_subset, genres)[1]
    problems = [too_few] if too_few else []
    problems += describe_clips(reports, settings, seconds)
    problems += unreadable + describe_copies(reports)
    report_problems(problems, sum(map(len, by_subset.values())))


def inspect_clips(dataset, by_subset, seconds, jobs):
    """Return the reports of the clips that can be read, and what is wrong with the others."""
    folder = Path(dataset).absolute()
    calls = [(folder / c.file, c, subset, seconds) for subset in SUBSETS for c in by_subset[subset]]
    outcomes = parallel_map(inspect_clip, calls, jobs)
    reports, problems = zip(*tqdm(outcomes, "Listening", len(calls), unit="clip"), strict=True)
    return list(filter(None, reports)), list(filter(None, problems))


def describe_clips(reports, settings, seconds):
    """Return a line about each: clips that are short, silent or read in part, if there are any."""
    short = [f"{r.clip.file} ({r.seconds:.2f} s)" for r in reports if r.seconds < seconds]
    silent = [f"{r.clip.file} ({r.silent:.0%})" for r in reports if r.silent >= MAX_SILENT]
    partly = [f"{r.clip.file} ({'; '.join(r.losses)})" for r in reports if r.losses]
    lines = []
    if short:
        lines = [f"{len(short)} too short, repeated up to {seconds:.2f} s: {list_names(short)}"]
    if len(short) > len(reports) / 2:
        length = statistics.median(report.seconds for report in reports)
        frames = 1 + int(length / settings.seconds_per_frame)
        lines[0] += f"; for clips of {length:.2f} s add --frames {frames}"
    if silent:
        lines.append(f"{len(silent)} silent for a fifth or more: {list_names(silent)}")
    if partly:
        lines.append(f"{len(partly)} read in part: {list_names(partly)}")
    return lines


def describe_copies(reports):
    """Return a line for each recording that occurs more than once, except pieces of a song."""
    lines = []
    for group in find_copies([report.fingerprint for report in reports]):
        copies = [reports[i] for i in group]
        if copies[0].clip.song and len({copy.clip.song for copy in copies}) == 1:
            continue
        subsets = dict.fromkeys(copy.subset for copy in copies)
        names = list_names([f"{copy.clip.file} ({copy.subset})" for copy in copies])
        lines.append(f"the same audio in {' and '.join(subsets)}: {names}")
    return lines


def report_problems(problems, n_clips):
    """Print what is wrong with the clips, and raise InputError if anything is."""
    for problem in problems[:MAX_LINES]:
        print(escape_controls(problem))
    if len(problems) > MAX_LINES:
        print(f"and {len(problems) - MAX_LINES} more problems")
    if problems:
        raise InputError(
            f"{len(problems)} problems in {n_clips} clips, see above: unreadable clips are skipped "
            "and short ones repeated, but remove copies"
        )
    print(f"All {n_clips} clips can be read, are long enough, and are unique.")


def print_genres(by_subset, genres, reports):
    """Print a row per genre: its clips by subset, and the band-limited ones and their cutoff."""
    table = [["genre", *SUBSETS, "band-limited"]]
    for genre in genres:
        counts = [sum(clip.genre == genre for clip in by_subset[subset]) for subset in SUBSETS]
        cutoffs = [r.bandwidth for r in reports if r.clip.genre == genre and r.bandwidth < FULL]
        median = f" ({statistics.median(cutoffs) / 1000:.1f} kHz)" if cutoffs else ""
        table.append([escape_controls(genre), *map(str, counts), f"{len(cutoffs)}{median}"])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def warn_of_chains(reports, genres):
    """Name clips that are band-limited unlike their genre; warn if bandwidth predicts the genre."""
    unusual = []
    for genre in genres:
        clips = [report for report in reports if report.clip.genre == genre]
        limited = [clip for clip in clips if clip.bandwidth < FULL]
        unusual += limited if len(limited) < RARE * len(clips) else []
    if unusual:
        names = [f"{r.clip.file} ({r.bandwidth / 1000:.1f} kHz)" for r in unusual]
        print(escape_controls(f"Band-limited, unlike most of their genre: {list_names(names)}"))
    accuracy, chance, limit = bandwidth_baseline(
        [report.bandwidth for report in reports], [report.clip.genre for report in reports]
    )
    if accuracy > limit:
        print(
            f"Warning: bandwidth alone predicts the genre of {accuracy:.0%} of the clips, by "
            f"chance {chance:.0%}. A model can learn it instead of the music: extract the features "
            "with --lowpass below the lowest cutoff."
        )


def report_faulty(by_subset):
    """Print how many of GTZAN's clips the filtered split leaves out, unless it is used."""
    clips = [clip for clips in by_subset.values() for clip in clips]
    listed, _ = try_call(filtered_subsets, clips)  # None for other music
    if listed and None in listed:
        print(
            f"{listed.count(None)} of {len(clips)} clips are faulty, according to the authors of "
            "the filtered split. The subsets of the index split share artists: see gtzan/README.md."
        )
