"""Extraction of a data set's features into a cache; an interrupted extraction can be continued.

Each clip is appended to the array of its part and then entered in a journal. After an
interruption at any moment, the same call continues behind the last entry.
"""

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from genre_features import manifest
from genre_features.features import extract_clip
from genre_features.frame import N_FEATURES, FrameSettings
from genre_features.splits import check_parts
from genre_features.tracks import PARTS
from plumbing.files import replacing, write_json
from plumbing.inputs import InputError
from plumbing.workers import spread

JOURNAL = ".part-features.jsonl"
HEADER_BYTES = 128  # of a .npy file, with room for the first dimension to grow
VALUE_BYTES = 4  # of a float32


class Entry(NamedTuple):
    """A line of the journal: a clip that has been extracted, or why it can't be."""

    part: str
    file: str
    digest: str | None
    n_frames: int | None = None  # before a short clip is repeated
    problem: str | None = None

    @property
    def clip(self):
        """What tells whether a later extraction is of the same clip."""
        return self.part, self.file, self.digest


# The journal and the arrays beside it


def unfinished(folder, part):
    """Return the path of a part's features until those of all parts are extracted."""
    return folder / f".part-data_{part}_input.npy"


def discard(folder):
    """Remove the files of an interrupted extraction."""
    for path in (folder / JOURNAL, *(unfinished(folder, part) for part in PARTS)):
        path.unlink(missing_ok=True)


def row_bytes(settings):
    """Return the size of a clip's features."""
    return settings.frames * N_FEATURES * VALUE_BYTES


def row_counts(entries):
    """Return how many clips of each part have been written, according to the journal."""
    return {part: sum(e.part == part and not e.problem for e in entries) for part in PARTS}


def read_journal(folder, header, planned, settings):
    """Return the journal's entries for the first of the `planned` clips; none if they differ."""
    entries = []
    # The last line may have been cut off, and then isn't JSON.
    with contextlib.suppress(OSError, ValueError, TypeError):
        with (folder / JOURNAL).open(encoding="utf-8") as file:
            if json.loads(file.readline()) == header:
                for clip, line in zip(planned, file, strict=False):
                    entry = Entry(**json.loads(line))
                    if entry.clip != clip.clip:
                        break
                    entries.append(entry)
        for part, n_rows in row_counts(entries).items():
            size = unfinished(folder, part).stat().st_size
            if size < HEADER_BYTES + n_rows * row_bytes(settings):
                return []
        return entries
    return []


def write_journal(folder, header, entries):
    """Write a journal with the entries that are kept of an earlier one."""
    with replacing(folder / JOURNAL) as temporary:
        lines = [header, *(entry._asdict() for entry in entries)]
        temporary.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def write_header(file, n_clips, frames):
    """Write the header of an array of features, (n_clips, frames, 33), to its file."""
    layout = {"descr": "<f4", "fortran_order": False, "shape": (n_clips, frames, N_FEATURES)}
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, layout)


def open_array(path, n_rows, settings):
    """Open a part's array to append to it, keeping its first `n_rows` rows."""
    file = path.open("r+b" if path.exists() else "w+b")
    write_header(file, 0, settings.frames)
    file.truncate(HEADER_BYTES + n_rows * row_bytes(settings))
    file.seek(0, os.SEEK_END)
    return file


# Extraction


def extract_parts(folder, dataset, dealt, content, *, jobs=-1, scheduler=None):
    """Extract the features of all clips into one unfinished array per part.

    Parameters
    ----------
    folder : Path
        Gets the arrays, under the names of `unfinished`, and the journal.
    dataset : path-like
    dealt : dict of str to list of Track
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
        The reason for each ``skipped`` file, and the number of frames of each ``repeated`` one.

    Raises
    ------
    InputError
        A part is left without a usable clip, or a genre without one to train on.
    """
    settings = FrameSettings.read(content)
    header = {key: value for key, value in content.items() if key != "sources"}
    tracks = [(part, track) for part in PARTS for track in dealt[part]]
    planned = [Entry(part, t.file, content["sources"][part][t.file]) for part, t in tracks]
    entries = read_journal(folder, header, planned, settings)
    write_journal(folder, header, entries)
    place = Path(dataset).absolute()  # workers may have another current folder
    calls = ((place / clip.file, settings) for clip in planned[len(entries) :])
    append_clips(folder, planned, entries, spread(extract_clip, calls, jobs, scheduler), settings)
    kept, notes = sort_out(tracks, entries, settings)
    report_notes(notes, len(tracks), settings)
    try:
        check_parts(kept, content["genres"])
    except InputError:
        discard(folder)
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
            part: stack.enter_context(open_array(unfinished(folder, part), n_rows, settings))
            for part, n_rows in row_counts(entries).items()
        }
        journal = stack.enter_context((folder / JOURNAL).open("a", encoding="utf-8"))
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
                journal.write(json.dumps(entry._asdict()) + "\n")
                journal.flush()
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
            write_header(arrays[part], n_rows, settings.frames)


def sort_out(tracks, entries, settings):
    """Return the usable clips of each part, and notes on the others; see `extract_parts`."""
    kept = {part: [] for part in PARTS}
    notes = {"skipped": {}, "repeated": {}}
    for (part, track), entry in zip(tracks, entries, strict=True):
        if entry.problem:
            notes["skipped"][track.file] = entry.problem
            continue
        kept[part].append(track)
        if entry.n_frames < settings.frames:
            notes["repeated"][track.file] = entry.n_frames
    return kept, notes


def report_notes(notes, n_clips, settings):
    """Print to stderr which files were skipped, and which were too short."""
    for problem in notes["skipped"].values():
        print(f"Skipped: {problem}", file=sys.stderr)
    if notes["skipped"]:
        print(f"Skipped {len(notes['skipped'])} of {n_clips} files, see above.", file=sys.stderr)
    if notes["repeated"]:
        names = ", ".join(notes["repeated"])
        print(f"Repeated, since shorter than {settings.frames} frames: {names}.", file=sys.stderr)


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
    discard(folder)
