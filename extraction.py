"""The features of a data set's clips, written so that a stopped extraction can go on."""

import contextlib
import json
import os
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from audio_features import N_FEATURES, extract_clip
from gtzan.tracks import PARTS
from script_helpers import replacing
from workers import spread

JOURNAL = ".part-features.jsonl"
HEADER_BYTES = 128  # of a .npy file; its first dimension has room to grow


def unfinished(folder, part):
    """Return where a part's features lie until those of all parts are extracted."""
    return folder / f".part-data_{part}_input.npy"


def discard(folder):
    """Remove what a stopped extraction would go on from."""
    for path in (folder / JOURNAL, *(unfinished(folder, part) for part in PARTS)):
        path.unlink(missing_ok=True)


def write_header(file, n_clips, frames):
    """Write the header of an array of features, (n_clips, frames, 33), to its file."""
    layout = {"descr": "<f4", "fortran_order": False, "shape": (n_clips, frames, N_FEATURES)}
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, layout)


def row_counts(entries):
    """Return how many clips of each part have been written, by the journal's entries."""
    return {part: sum(e[0] == part and not e[4] for e in entries) for part in PARTS}


def read_journal(folder, settings, clips):
    """Return the journal's entries that hold for the first of `clips`; none if it is another's."""
    entries = []
    # The last line may be cut short, and then is no JSON.
    with contextlib.suppress(OSError, ValueError, TypeError, LookupError):
        with (folder / JOURNAL).open(encoding="utf-8") as file:
            if json.loads(file.readline()) == settings:
                for clip, line in zip(clips, file, strict=False):
                    entry = json.loads(line)
                    if entry[:3] != clip:
                        break
                    entries.append(entry)
        row_bytes = settings["frames"] * N_FEATURES * 4
        for part, n_rows in row_counts(entries).items():
            if unfinished(folder, part).stat().st_size < HEADER_BYTES + n_rows * row_bytes:
                return []
        return entries
    return []


def open_array(path, n_rows, frames):
    """Open a part's array to append to, keeping the rows that are known to be whole."""
    file = path.open("r+b" if path.exists() else "w+b")
    write_header(file, 0, frames)
    file.truncate(HEADER_BYTES + n_rows * frames * N_FEATURES * 4)
    file.seek(0, os.SEEK_END)
    return file


def extract_parts(folder, dataset, dealt, wanted, *, jobs=-1, scheduler=None):
    """Extract the features of all clips into one array a part; go on with what is there of them.

    Each clip is appended to its part's array, and then entered in a journal. After a stop at any
    moment the same call goes on behind the last entry, unless clips or settings have changed.

    Parameters
    ----------
    folder : Path
        Where the arrays go, by the names that `unfinished` gives them.
    dataset : path-like
    dealt : dict of str to list of Track
        The clips of each part; see `split_tracks`.
    wanted : dict
        What the manifest says of the features: all settings, and the clips' hashes.
    jobs, scheduler
        See `workers.spread`.

    Returns
    -------
    kept : dict of str to list of Track
        Those that are rows of their part's array; the others can't be used.
    notes : dict of str to dict
        Of files ``skipped`` the reason, of those ``repeated`` the frames that they have.
    """
    frames = wanted["frames"]
    settings = {key: value for key, value in wanted.items() if key != "sources"}
    planned = [(part, track) for part in PARTS for track in dealt[part]]
    clips = [[part, track.file, wanted["sources"][part][track.file]] for part, track in planned]
    entries = read_journal(folder, settings, clips)
    with replacing(folder / JOURNAL) as temporary:
        lines = (json.dumps(line) + "\n" for line in [settings, *entries])
        temporary.write_text("".join(lines), encoding="utf-8")
    place = Path(dataset).absolute()  # workers that live on keep the folder they started in
    calls = ((place / file, wanted["hop_length"], frames) for _, file, _ in clips[len(entries) :])
    with contextlib.ExitStack() as stack:
        arrays = {
            part: stack.enter_context(open_array(unfinished(folder, part), n_rows, frames))
            for part, n_rows in row_counts(entries).items()
        }
        journal = stack.enter_context((folder / JOURNAL).open("a", encoding="utf-8"))
        progress = stack.enter_context(
            tqdm(desc="Extracting", unit="clip", initial=len(entries), total=len(clips))
        )
        try:
            for features, problem in spread(extract_clip, calls, jobs, scheduler):
                clip, n_frames = clips[len(entries)], None
                if not problem:
                    n_frames = len(features)
                    # A clip too short is heard again: silence would be no music of its genre.
                    arrays[clip[0]].write(np.resize(features, (frames, N_FEATURES)))
                    arrays[clip[0]].flush()
                entries.append([*clip, n_frames, problem])
                journal.write(json.dumps(entries[-1]) + "\n")
                journal.flush()
                progress.update()
        except KeyboardInterrupt:
            progress.close()
            print(
                f"Stopped after {len(entries)} of {len(clips)} clips: the same command goes on.",
                file=sys.stderr,
            )
            raise
        for part, n_rows in row_counts(entries).items():
            write_header(arrays[part], n_rows, frames)
    kept = {part: [] for part in PARTS}
    notes = {"skipped": {}, "repeated": {}}
    for (part, track), (_, file, _, n_frames, problem) in zip(planned, entries, strict=True):
        if problem:
            notes["skipped"][file] = problem
            continue
        kept[part].append(track)
        if n_frames < frames:
            notes["repeated"][file] = n_frames
    return kept, notes
