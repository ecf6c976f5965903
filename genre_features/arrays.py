"""The .npy files of a cache: read and checked, or written row by row."""

import zlib

import numpy as np

from common.errors import InputError
from common.files import check_file, flush
from genre_features.frame import N_FEATURES

EXTRACT_AGAIN = "run GenreFeatureData.py to extract the features again"


def write_array(path, rows, shape):
    """Write float32 rows to a .npy file, one at a time, and to the disk; return their CRC-32."""
    checksum = 0
    with path.open("wb") as file:
        layout = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, layout)
        for row in rows:
            file.write(row)
            checksum = zlib.crc32(row, checksum)
    flush(path)
    return checksum


def load_subset(folder, subset, in_memory):
    """Open a subset's arrays; return inputs, one-hot targets and checksum, or raise InputError."""
    inputs, targets = (open_array(folder, subset, kind, in_memory) for kind in ("input", "target"))
    problem = ""
    if inputs.ndim != 3 or inputs.shape[2] != N_FEATURES or 0 in inputs.shape:
        problem = f"input has the shape {inputs.shape}, not (clips, frames, {N_FEATURES})"
    elif targets.ndim != 2 or len(targets) != len(inputs) or not targets.shape[1]:
        problem = f"target has the shape {targets.shape}, not ({len(inputs)}, genres)"
    elif inputs.dtype.kind != "f" or (checksum := checksum_if_finite(inputs)) is None:
        problem = "input holds NaN, infinite or non-float features"
    elif targets.dtype.kind not in "bfiu" or not is_one_hot(targets):
        problem = "target isn't one-hot"
    if problem:
        raise InputError(f"{folder}/data_{subset}_{problem}; {EXTRACT_AGAIN}")
    return inputs, targets, checksum


def open_array(folder, subset, kind, in_memory):
    """Read a subset's array of a kind, ``input`` or ``target``, or map it into memory."""
    path = folder / f"data_{subset}_{kind}.npy"
    check_file(path)
    try:
        if not in_memory:
            return np.lib.format.open_memmap(path, "r")
        with path.open("rb") as file:
            return np.lib.format.read_array(file)
    except FileNotFoundError:
        raise InputError(
            f"no features in {folder} ({path.name} is missing): run GenreFeatureData.py first, "
            "or name their folder with --features"
        ) from None
    except OSError:
        raise
    except Exception:  # of many types: numpy evaluates a header as a Python literal
        raise InputError(f"{path} isn't an array of numbers; {EXTRACT_AGAIN}") from None


def checksum_if_finite(inputs):
    """Return a CRC-32 of all clips, reading each once; None if one holds NaN or infinity."""
    checksum = 0
    for clip in inputs:
        if not np.isfinite(clip).all():
            return None
        checksum = zlib.crc32(np.ascontiguousarray(clip), checksum)
    return checksum


def is_one_hot(rows):
    """Whether each row holds a single 1 and otherwise zeros."""
    return ((np.count_nonzero(rows, axis=1) == 1) & (rows.max(axis=1) == 1)).all()
