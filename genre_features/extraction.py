"""Extraction of a data set's features into a cache; an interrupted one can be continued."""

import contextlib
import json
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from genre_features import journal, manifest
from genre_features.audio import can_fill
from genre_features.features import extract_clip
from genre_features.frame import N_FEATURES, FrameSettings
from genre_features.journal import Entry, row_counts, unfinished
from genre_features.splits import check_parts
from genre_features.tracks import PARTS
from plumbing.files import replacing, write_json
from plumbing.inputs import InputError
from plumbing.workers import spread


def extract_parts(folder, dataset, by_part, content, *, jobs=-1, scheduler=None):
    """Extract the features of all clips into one unfinished array per part.

    Parameters
    ----------
    folder : Path
        Gets the arrays, under the names of `unfinished`, and the journal.
    dataset : path-like
    by_part : dict of str to list of Track
        The clips of each part; see `splits.split_tracks`.
    content : dict
        See `manifest.describe`.
    jobs, scheduler
        See `workers.spread`.

    Returns
    -------
    kept : dict of str to list of Track
        The clips that are rows of their part's array; the others can't be used.
    notes : dict of str to dict
        The reason for each ``skipped`` file, the number of frames of each ``repeated`` one, and
        the files too ``narrow`` for the low-pass filter to make them like the others.

    Raises
    ------
    InputError
        A part is left without a usable clip, or a genre without one to train on.
    """
    settings = FrameSettings.read(content)
    header = {key: value for key, value in content.items() if key != "sources"}
    tracks = [(part, track) for part in PARTS for track in by_part[part]]
    planned = [Entry(part, t.file, content["sources"][part][t.file]) for part, t in tracks]
    entries = journal.read(folder, header, planned, settings)
    journal.write(folder, header, entries)
    place = Path(dataset).absolute()  # workers may have another current folder
    calls = ((place / clip.file, settings) for clip in planned[len(entries) :])
    append_clips(folder, planned, entries, spread(extract_clip, calls, jobs, scheduler), settings)
    kept, notes = sort_out(tracks, entries, place, settings)
    report_notes(notes, len(tracks), settings)
    try:
        check_parts(kept, content["genres"])
    except InputError:
        journal.discard(folder)
        raise
    return kept, notes


def append_clips(folder, planned, entries, outcomes, settings):
    """Append the features of the `planned` clips to their arrays, and the clips to `entries`.

    Parameters
    ----------
    folder : Path
    planned : list of Entry
    entries : list of Entry
        Those of the first planned clips, which are there already.
    outcomes : iterable of (numpy.ndarray, shape (T, 33), or None; str or None)
        The features of each other planned clip, or the problem with it.
    settings : FrameSettings
    """
    with contextlib.ExitStack() as stack:
        arrays = {
            part: stack.enter_context(journal.open_array(folder, part, n_rows, settings))
            for part, n_rows in row_counts(entries).items()
        }
        log = stack.enter_context((folder / journal.NAME).open("a", encoding="utf-8"))
        progress = stack.enter_context(
            tqdm(desc="Extracting", unit="clip", initial=len(entries), total=len(planned))
        )
        try:
            for features, problem in outcomes:
                entry = planned[len(entries)]._replace(problem=problem)
                if not problem:
                    entry = entry._replace(n_frames=len(features))
                    # Zeros behind a short clip would be learnt as a sign of its genre.
                    arrays[entry.part].write(np.resize(features, (settings.frames, N_FEATURES)))
                    arrays[entry.part].flush()
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
        for part, n_rows in row_counts(entries).items():
            journal.write_header(arrays[part], n_rows, settings.frames)


def sort_out(tracks, entries, dataset, settings):
    """Return the usable clips of each part, and notes on the others; see `extract_parts`."""
    kept = {part: [] for part in PARTS}
    notes = {"skipped": {}, "repeated": {}, "narrow": []}
    for (part, track), entry in zip(tracks, entries, strict=True):
        if entry.problem:
            notes["skipped"][track.file] = entry.problem
            continue
        kept[part].append(track)
        if entry.n_frames < settings.frames:
            notes["repeated"][track.file] = entry.n_frames
        if settings.lowpass and not can_fill(dataset / track.file, settings.lowpass):
            notes["narrow"].append(track.file)
    return kept, notes


def report_notes(notes, n_clips, settings):
    """Print to stderr which files were skipped, too short, or sampled at too low a rate."""
    for problem in notes["skipped"].values():
        print(f"Skipped: {problem}", file=sys.stderr)
    if notes["skipped"]:
        print(f"Skipped {len(notes['skipped'])} of {n_clips} files, see above.", file=sys.stderr)
    if notes["repeated"]:
        names = ", ".join(notes["repeated"])
        print(f"Repeated, since shorter than {settings.frames} frames: {names}.", file=sys.stderr)
    if notes["narrow"]:
        names = ", ".join(notes["narrow"])
        print(
            f"Narrower than the low-pass of {settings.lowpass} Hz by their sample rate: {names}.",
            file=sys.stderr,
        )


def write_cache(folder, kept, content, notes):
    """Write targets and manifest, and move the finished arrays to their place beside them.

    Parameters
    ----------
    folder : Path
    kept, notes
        See `extract_parts`.
    content : dict
        See `manifest.describe`.
    """
    genres = content["genres"]
    with contextlib.ExitStack() as stack:
        for part in PARTS:
            path = stack.enter_context(replacing(folder / f"data_{part}_target.npy"))
            rows = [genres.index(track.genre) for track in kept[part]]
            np.save(path, np.eye(len(genres), dtype=np.float32)[rows])
        # If the moves below are interrupted, arrays of two extractions don't pass for one cache.
        write_json(folder / manifest.NAME, {"complete": False})
        for part in PARTS:
            unfinished(folder, part).replace(folder / f"data_{part}_input.npy")
    tracks = {part: [track.name for track in kept[part]] for part in PARTS}
    write_json(folder / manifest.NAME, {"complete": True, **content, "tracks": tracks, **notes})
    journal.discard(folder)
