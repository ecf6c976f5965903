"""Extraction of a data set's features into a cache; an interrupted one can be continued."""

import contextlib
import errno
import itertools
import json
import os
import sys
import zlib
from pathlib import Path

import numpy as np
from tqdm import tqdm

from common.errors import InputError, escape_controls
from common.files import atomic_write, flush, write_json
from common.parallel import parallel_map
from genre_features import journal, manifest
from genre_features.audio import is_below_cutoff
from genre_features.clips import SUBSETS
from genre_features.features import extract_clip
from genre_features.frame import N_FEATURES, FrameSettings
from genre_features.journal import Entry, finished, row_counts, unfinished
from genre_features.splits import check_subsets


def extract_subsets(folder, dataset, by_subset, content, jobs, scheduler):
    """Extract the features of all clips into one unfinished array per subset.

    Parameters
    ----------
    folder : Path
        Gets the arrays, under the names of `unfinished`, and the journal.
    dataset : path-like
    by_subset : dict of str to list of Clip
        The clips of each subset; see `splits.split_clips`.
    content : dict
        See `manifest.describe`.
    jobs, scheduler
        See `parallel.parallel_map`.

    Returns
    -------
    kept : dict of str to list of Clip
        The clips that are rows of their subset's array; the others can't be used.
    notes : dict of str to dict
        The reason for each ``skipped`` file, the number of frames of each ``repeated`` one,
        the files too ``narrow`` for the low-pass filter to make them like the others, and the
        ``checksums`` of each subset's features.

    Raises
    ------
    InputError
        A subset is left without a usable clip, or a genre without one to train on; or a file
        can't be opened any more, and what is done is kept.
    """
    settings = FrameSettings.read(content)
    header = {key: content[key] for key in content if key not in manifest.OF_FILES}
    sources = content["sources"]
    planned = [
        Entry(subset, t.file, sources[subset][t.file])
        for subset in SUBSETS
        for t in by_subset[subset]
    ]
    entries = journal.read(folder, header, planned, settings)
    journal.write(folder, header, entries)
    place = Path(dataset).absolute()  # workers may have another current folder
    if len(entries) < len(planned) or not journal.is_moved(folder):
        calls = ((place / clip.file, settings) for clip in planned[len(entries) :])
        outcomes = parallel_map(extract_or_miss, calls, jobs, scheduler)
        append_clips(folder, planned, entries, outcomes, settings)
    kept, notes = sort_out(by_subset, entries, settings)
    report_notes(notes, len(planned), settings)
    try:
        check_subsets(kept, content["genres"])
    except InputError:
        journal.discard(folder)
        raise
    return kept, notes


def extract_or_miss(path, settings):
    """Return what `extract_clip` does, and whether the file is too narrow for the low-pass.

    If the file can't be opened, an OSError is returned instead. Such a file isn't broken: its disk
    or network may be away, or memory short.
    """
    try:
        return extract_clip(path, settings), is_below_cutoff(path, settings.lowpass)
    except MemoryError:
        return OSError(errno.ENOMEM, os.strerror(errno.ENOMEM), str(path))
    except (InputError, OSError):
        try:
            path.open("rb").close()
        except OSError as missing:
            return missing
        raise


def append_clips(folder, planned, entries, outcomes, settings):
    """Append the features of the `planned` clips to their arrays, and the clips to `entries`.

    Parameters
    ----------
    folder : Path
    planned : list of Entry
    entries : list of Entry
        Those of the first planned clips, which are there already.
    outcomes : iterable of (tuple, OSError or None; str or None)
        What `extract_or_miss` returns for each other planned clip, or the problem with it.
    settings : FrameSettings

    Raises
    ------
    InputError
        A file can't be opened any more, or the folder was removed.
    """
    checksums = journal.checksums(entries)
    with contextlib.ExitStack() as stack:
        arrays = {
            subset: stack.enter_context(journal.open_array(folder, subset, n_rows, settings))
            for subset, n_rows in row_counts(entries).items()
        }
        log = stack.enter_context((folder / journal.NAME).open("a", encoding="utf-8"))
        progress = stack.enter_context(
            tqdm(desc="Extracting", unit="clip", initial=len(entries), total=len(planned))
        )
        try:
            for outcome, problem in outcomes:
                entry = planned[len(entries)]._replace(problem=problem)
                check_outcome(folder, outcome, f"{len(entries)} of {len(planned)} clips")
                if not problem:
                    entry = append_row(arrays[entry.subset], entry, outcome, checksums, settings)
                log.write(json.dumps(entry._asdict()) + "\n")
                log.flush()
                entries.append(entry)
                progress.update()
        except KeyboardInterrupt:
            progress.close()
            print(
                f"Stopped after {len(entries)} of {len(planned)} clips. To continue, run the same "
                "command again.",
                file=sys.stderr,
            )
            raise
        for subset, n_rows in row_counts(entries).items():
            journal.write_header(arrays[subset], n_rows, settings.frames)


def append_row(array, entry, outcome, checksums, settings):
    """Append the features of a clip to the array of its subset; return its completed entry."""
    features, narrow = outcome
    # Zeros behind a short clip would be learnt as a sign of its genre.
    row = np.resize(features, (settings.frames, N_FEATURES))
    array.write(row)
    array.flush()
    checksums[entry.subset] = checksum = zlib.crc32(row, checksums[entry.subset])
    return entry._replace(n_frames=len(features), is_below_cutoff=narrow, checksum=checksum)


def check_outcome(folder, outcome, done):
    """Raise InputError where going on would lose clips; see `append_clips`."""
    if isinstance(outcome, OSError):
        raise InputError(
            f"{outcome.filename} can't be read any more ({outcome.strerror}): {done} are done "
            "and kept; make it readable, or take it out, and run the same command again"
        )
    if not (folder / journal.NAME).exists():
        raise InputError(f"{folder} was moved or removed after {done}: run the command again")


def sort_out(by_subset, entries, settings):
    """Return the usable clips of each subset, and notes on the others; see `extract_subsets`."""
    kept = {subset: [] for subset in SUBSETS}
    notes = {"skipped": {}, "repeated": {}, "narrow": [], "checksums": {}}
    notes["checksums"]["input"] = journal.checksums(entries)
    tracks = itertools.chain.from_iterable(by_subset[subset] for subset in SUBSETS)
    for track, entry in zip(tracks, entries, strict=True):
        if entry.problem:
            notes["skipped"][track.file] = entry.problem
            continue
        kept[entry.subset].append(track)
        if entry.n_frames < settings.frames:
            notes["repeated"][track.file] = entry.n_frames
        if entry.is_below_cutoff:
            notes["narrow"].append(track.file)
    return kept, notes


def report_notes(notes, n_clips, settings):
    """Print to stderr which files were skipped, too short, or sampled at too low a rate."""
    for problem in notes["skipped"].values():
        print(f"Skipped: {problem}", file=sys.stderr)
    if notes["skipped"]:
        print(f"Skipped {len(notes['skipped'])} of {n_clips} files, see above.", file=sys.stderr)
    if notes["repeated"]:
        names = escape_controls(", ".join(notes["repeated"]))
        print(f"Repeated, since shorter than {settings.frames} frames: {names}.", file=sys.stderr)
    if notes["narrow"]:
        names = escape_controls(", ".join(notes["narrow"]))
        print(
            f"Narrower than the low-pass of {settings.lowpass} Hz by their sample rate: {names}.",
            file=sys.stderr,
        )


def write_cache(folder, kept, content, notes):
    """Write targets and manifest, and move the finished arrays to their place beside them.

    The manifest goes first, and the moves are made last: after an interruption, the cache is the
    old one, or one that doesn't load and that the next extraction completes at once.

    Parameters
    ----------
    folder : Path
    kept, notes
        See `extract_subsets`.
    content : dict
        See `manifest.describe`.
    """
    tracks = {subset: [track.name for track in kept[subset]] for subset in SUBSETS}
    content = {"complete": True, **content, "tracks": tracks, **notes}
    genres, content["checksums"]["target"] = content["genres"], {}
    with contextlib.ExitStack() as stack:
        for subset in SUBSETS:
            path = stack.enter_context(atomic_write(folder / f"data_{subset}_target.npy"))
            rows = [genres.index(track.genre) for track in kept[subset]]
            targets = np.eye(len(genres), dtype=np.float32)[rows]
            np.save(path, targets)
            content["checksums"]["target"][subset] = zlib.crc32(targets)
        left = [subset for subset in SUBSETS if unfinished(folder, subset).exists()]
        for subset in left:
            flush(unfinished(folder, subset))
        write_json(folder / manifest.NAME, content)
        for subset in left:
            unfinished(folder, subset).replace(finished(folder, subset))
    journal.discard(folder)
