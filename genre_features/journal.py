"""The journal of an extraction, and the unfinished arrays beside it.

Each clip is appended to the array of its subset and then entered in the journal. After an
interruption at any moment, the extraction continues behind the last entry whose features are there.
"""

import contextlib
import json
import os
import zlib
from typing import NamedTuple

import numpy as np

from common.files import atomic_write
from genre_features.clips import SUBSETS
from genre_features.frame import N_FEATURES

NAME = ".part-features.jsonl"
HEADER_BYTES = 128  # of a .npy file, with room for the first dimension to grow
VALUE_BYTES = 4  # of a float32


class Entry(NamedTuple):
    """A line of the journal: a clip that has been extracted, or why it can't be."""

    subset: str
    file: str
    digest: str | None
    n_frames: int | None = None  # before a short clip is repeated
    problem: str | None = None
    is_below_cutoff: bool = (
        False  # its sample rate leaves nothing for the low-pass filter to take out
    )
    checksum: int | None = None  # CRC-32 of all features of the subset up to this clip's

    @property
    def clip(self):
        """What tells whether a later extraction is of the same clip."""
        return self.subset, self.file, self.digest


def unfinished(folder, subset):
    """Return the path of a subset's features until those of all subsets are extracted."""
    return folder / f".part-data_{subset}_input.npy"


def finished(folder, subset):
    """Return the path of a subset's features in a complete cache."""
    return folder / f"data_{subset}_input.npy"


def is_moved(folder):
    """Whether some arrays aren't there, because they were finished and moved to their places."""
    return not all(unfinished(folder, subset).exists() for subset in SUBSETS)


def discard(folder):
    """Remove the files of an interrupted extraction."""
    for path in (folder / NAME, *(unfinished(folder, subset) for subset in SUBSETS)):
        path.unlink(missing_ok=True)


def row_bytes(settings):
    """Return the size of a clip's features."""
    return settings.frames * N_FEATURES * VALUE_BYTES


def row_counts(entries):
    """Return how many clips of each subset have been written, according to the journal."""
    return {
        subset: sum(e.subset == subset and not e.problem for e in entries) for subset in SUBSETS
    }


def checksums(entries):
    """Return the CRC-32 of each subset's features, according to the journal."""
    return dict.fromkeys(SUBSETS, 0) | {e.subset: e.checksum for e in entries if not e.problem}


def read(folder, header, planned, settings):
    """Return the journal's entries for the first of the `planned` clips; none if they differ.

    They end where the features aren't those that the journal names: after a power cut, an array
    may hold less. If arrays were moved to their places, all of them count or none.
    """
    entries, checksum = [], dict.fromkeys(SUBSETS, 0)
    # The last line may have been cut off, and then isn't JSON.
    with contextlib.suppress(OSError, ValueError, TypeError), contextlib.ExitStack() as stack:
        first, *lines = (folder / NAME).read_text(encoding="utf-8").splitlines() or [""]
        if json.loads(first) != header:
            return []
        arrays = {}
        for subset in SUBSETS:
            path = unfinished(folder, subset)
            path = path if path.exists() else finished(folder, subset)
            arrays[subset] = stack.enter_context(path.open("rb"))
            arrays[subset].seek(HEADER_BYTES)
        for clip, line in zip(planned, lines, strict=False):
            entry = Entry(**json.loads(line))
            if entry.clip != clip.clip:
                break
            if not entry.problem:
                row = arrays[entry.subset].read(row_bytes(settings))
                checksum[entry.subset] = zlib.crc32(row, checksum[entry.subset])
                if checksum[entry.subset] != entry.checksum:
                    break
            entries.append(entry)
    return [] if is_moved(folder) and len(entries) < len(planned) else entries


def write(folder, header, entries):
    """Write a journal with the entries that are kept of an earlier one."""
    with atomic_write(folder / NAME) as temporary:
        lines = [header, *(entry._asdict() for entry in entries)]
        temporary.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def write_header(file, n_clips, frames):
    """Write the header of an array of features, (n_clips, frames, 33), to its file."""
    layout = {"descr": "<f4", "fortran_order": False, "shape": (n_clips, frames, N_FEATURES)}
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, layout)


def open_array(folder, subset, n_rows, settings):
    """Open a subset's unfinished array to append to it, keeping its first `n_rows` rows."""
    path = unfinished(folder, subset)
    file = path.open("r+b" if path.exists() else "w+b")
    write_header(file, 0, settings.frames)
    file.truncate(HEADER_BYTES + n_rows * row_bytes(settings))
    file.seek(0, os.SEEK_END)
    return file
