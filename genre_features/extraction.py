"""Extraction of a data set's features: one file per clip, stacked to the arrays of a cache.

The files lie in a hidden folder of the cache. They are named by `manifest.clip_key`, so a run
extracts those that aren't there: what an interruption left over, new audio, or everything after a
change of the settings. Each clip has one file: a run removes those that its own replaced. Files of
audio that was removed stay; the whole folder may be deleted at any time, and costs an extraction.
"""

import contextlib
import errno
import os
import sys
import zipfile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from common.cli import library_versions
from common.errors import InputError, escape_controls
from common.files import atomic_write, lock_folders, write_json
from common.parallel import parallel_map
from genre_features import manifest
from genre_features.arrays import write_array
from genre_features.audio import is_below_cutoff
from genre_features.clips import SUBSETS
from genre_features.features import extract_file
from genre_features.frame import N_FEATURES, FrameSettings
from genre_features.splits import check_subsets

CLIPS = ".clips"  # the folder of the clips' files


def update_cache(folder, dataset, by_subset, content, jobs=None, dask=None):
    """Extract the features that are missing, and write the arrays and the manifest of a cache.

    Parameters
    ----------
    folder : Path
        Of the cache.
    dataset : path-like
    by_subset : dict of str to list of Clip
        The clips of each subset; see `splits.split_clips`.
    content : dict
        See `manifest.make_manifest`.
    jobs, dask
        See `parallel.parallel_map`.

    Returns
    -------
    dict of str to list of Clip
        The clips that are rows of their subset's array; the others can't be used.

    Raises
    ------
    InputError
        A subset is left without a usable clip, or a genre without one to train on; or a file can't
        be opened any more, or the disk is full, and what is done is kept.
    """
    with lock_folders(folder, folder / CLIPS):
        skipped = extract_missing(folder / CLIPS, Path(dataset).absolute(), content, jobs, dask)
        report_skipped(skipped, sum(map(len, by_subset.values())))
        usable = {
            subset: [clip for clip in clips if clip.file not in skipped]
            for subset, clips in by_subset.items()
        }
        check_subsets(usable, content["genres"])
        notes = write_cache(folder, usable, content, skipped)
        remove_replaced(folder / CLIPS, content["sources"])
    report_notes(notes, FrameSettings.read(content))
    return usable


def extract_missing(folder, dataset, content, jobs, dask):
    """Extract the clips that have no file in a folder; return the problem of each unusable one."""
    keys = {file: key for files in content["sources"].values() for file, key in files.items()}
    existing = {path.stem for path in folder.glob("*.npz")}
    missing = [file for file, key in keys.items() if key not in existing]
    n_done, problems = len(keys) - len(missing), {}
    if missing and n_done:
        print(f"Continuing: {n_done} of {len(keys)} clips are there.", flush=True)
    settings = FrameSettings.read(content)
    calls = ((dataset / file, settings) for file in missing)
    jobs = 1 if len(missing) == 1 else jobs  # sooner done than a process is started
    with (
        contextlib.closing(parallel_map(extract_or_miss, calls, jobs, dask)) as outcomes,
        tqdm(unit="clip", initial=n_done, total=len(keys), disable=not missing) as progress,
    ):
        try:
            for file, (outcome, problem) in zip(missing, outcomes, strict=True):
                if isinstance(outcome, OSError):
                    raise InputError(
                        f"{outcome.filename} can't be read any more ({outcome.strerror}): "
                        f"{progress.n} of {len(keys)} clips are done and kept; make it readable, "
                        "or take it out, and run the same command again"
                    )
                if problem:
                    problems[file] = problem
                else:
                    save_clip(folder / f"{keys[file]}.npz", *outcome)
                progress.update()
        except KeyboardInterrupt:
            progress.close()
            print(
                f"Stopped after {progress.n} of {len(keys)} clips. To continue, run the same "
                "command again.",
                file=sys.stderr,
            )
            raise
    return problems


def extract_or_miss(path, settings):
    """Return the features of a clip, whether it is too narrow for the low-pass, and notes on it.

    If the file can't be opened, an OSError is returned instead. Such a file isn't broken: its disk
    or network may be away, or memory short.
    """
    try:
        features, _, notes = extract_file(path, settings, settings.frames)
        return features, is_below_cutoff(path, settings.lowpass), notes
    except MemoryError:
        return OSError(errno.ENOMEM, os.strerror(errno.ENOMEM), str(path))
    except (InputError, OSError):
        try:
            path.open("rb").close()
        except OSError as missing:
            return missing
        raise


def save_clip(path, features, narrow, notes):
    """Write the features of a clip to its file. Waiting for the disk would take longest."""
    with atomic_write(path, flushed=False) as temporary, temporary.open("wb") as file:
        np.savez(file, features=features, narrow=narrow, notes=np.array(notes, dtype=str))


def load_clip(path):
    """Return (features, narrow, notes) of a clip; InputError if its file is damaged."""
    try:
        with np.load(path) as content:  # checks the checksums of the archive
            return content["features"], bool(content["narrow"]), content["notes"].tolist()
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        path.unlink(missing_ok=True)
        raise InputError(f"{path} was missing or damaged: run the same command again") from None


def write_cache(folder, usable, content, skipped):
    """Write the arrays of a cache and its manifest, and return the manifest.

    All of them are on the disk before the first is moved to its place, the manifest, which has the
    arrays' checksums. After an interruption, the cache is the old one, or one that doesn't load and
    that the next run completes.
    """
    settings, genres = FrameSettings.read(content), content["genres"]
    subsets = [subset for subset in SUBSETS if usable.get(subset)]
    tracks = {subset: [clip.name for clip in usable[subset]] for subset in subsets}
    notes = {"skipped": skipped, "partly_read": {}, "repeated": {}, "narrow": []}
    checksums = {"input": {}, "target": {}}
    content = content | {"tracks": tracks, **notes, "checksums": checksums}
    content["versions"] = library_versions("numpy", "soundfile", "soxr")
    with contextlib.ExitStack() as stack:
        for subset in subsets:
            keys, clips = content["sources"][subset], usable[subset]
            paths = {clip.file: folder / CLIPS / f"{keys[clip.file]}.npz" for clip in clips}
            targets = np.eye(len(genres), dtype=np.float32)[[genres.index(c.genre) for c in clips]]
            for kind, rows, shape in (
                ("input", stack_clips(paths, settings, notes), (settings.frames, N_FEATURES)),
                ("target", targets, (len(genres),)),
            ):
                path = stack.enter_context(atomic_write(folder / f"data_{subset}_{kind}.npy"))
                checksums[kind][subset] = write_array(path, rows, (len(clips), *shape))
        write_json(folder / manifest.NAME, content)
        for subset in set(SUBSETS) - set(subsets):
            for kind in checksums:
                (folder / f"data_{subset}_{kind}.npy").unlink(missing_ok=True)
    return content


def stack_clips(paths, settings, notes):
    """Yield the row of each clip, (frames, 33), and collect the notes on them."""
    for file, path in paths.items():
        features, narrow, partly_read = load_clip(path)
        if partly_read:
            notes["partly_read"][file] = partly_read
        if narrow:
            notes["narrow"].append(file)
        if len(features) < settings.frames:
            notes["repeated"][file] = len(features)
            # Zeros behind a short clip would be learnt as a sign of its genre.
            features = np.resize(features, (settings.frames, N_FEATURES))
        yield features


def remove_replaced(folder, sources):
    """Remove the files of clips of which a folder has another file that is in use."""
    used = {key.partition("-")[0]: key for files in sources.values() for key in files.values()}
    for path in folder.glob("*.npz"):
        if used.get(path.stem.partition("-")[0], path.stem) != path.stem:
            path.unlink()


def report_skipped(problems, n_files):
    """Print to stderr which files can't be used."""
    for problem in problems.values():
        print(f"Skipped: {problem}", file=sys.stderr)
    if problems:
        print(f"Skipped {len(problems)} of {n_files} files, see above.", file=sys.stderr)


def report_notes(notes, settings):
    """Print to stderr which clips are cut off, too short, or sampled at too low a rate."""
    for file, sentences in notes["partly_read"].items():
        print(escape_controls(f"{file}: {'; '.join(sentences)}"), file=sys.stderr)
    if notes["repeated"]:
        names = escape_controls(", ".join(notes["repeated"]))
        print(f"Repeated, since shorter than {settings.frames} frames: {names}.", file=sys.stderr)
    if notes["narrow"]:
        names = escape_controls(", ".join(notes["narrow"]))
        print(
            f"Narrower than the low-pass of {settings.lowpass} Hz by their sample rate: {names}.",
            file=sys.stderr,
        )
