"""Extraction of a data set's features: one file per clip, stacked to the arrays of a cache.

The files lie in a hidden folder of the cache. They are named by `manifest.clip_key`, so a run
extracts those that aren't there: what an interruption left over, new audio, or everything after a
change of the settings. A run removes the files that its own replaced. The whole folder may be
deleted at any time, and costs an extraction.
"""

import contextlib
import zipfile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from common.cli import library_versions
from common.errors import InputError, list_names, print_note
from common.files import PARTIAL, atomic_write, lock_folders, write_json
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
        notes = extract_missing(folder / CLIPS, Path(dataset).absolute(), content, jobs, dask)
        usable = leave_out(notes["skipped"], by_subset)
        check_subsets(usable, content["genres"])
        write_cache(folder, usable, content, notes)
        remove_replaced(folder / CLIPS, manifest.clip_keys(content))
    report_notes(notes, FrameSettings.read(content))
    return usable


def leave_out(skipped, by_subset):
    """Return the clips of each subset but those of skipped files, which are named on stderr."""
    for problem in skipped.values():
        print_note(f"Skipped: {problem}")
    if skipped:
        print_note(f"Skipped {len(skipped)} of {sum(map(len, by_subset.values()))} files.")
    return {
        subset: [clip for clip in clips if clip.file not in skipped]
        for subset, clips in by_subset.items()
    }


def extract_missing(folder, dataset, content, jobs, dask):
    """Extract the clips that have no file in a folder, and return the manifest's notes on clips."""
    keys = manifest.clip_keys(content)
    existing = {path.stem for path in folder.glob("*.npz")}
    missing = [file for file, key in keys.items() if key not in existing]
    n_done, notes = len(keys) - len(missing), {"skipped": {}, "partly_read": {}}
    if missing and n_done:
        print(f"Continuing: {n_done} of {len(keys)} clips are there.", flush=True)
    settings = FrameSettings.read(content)
    calls = ((dataset / file, settings) for file in missing)
    jobs = 1 if len(missing) == 1 else jobs  # sooner done than a process is started
    with (
        contextlib.closing(parallel_map(extract_clip, calls, jobs, dask)) as outcomes,
        tqdm(unit="clip", initial=n_done, total=len(keys), disable=not missing) as progress,
    ):
        try:
            for file, (clip, problem) in zip(missing, outcomes, strict=True):
                if problem:
                    check_access(dataset / file, f"{progress.n} of {len(keys)} clips")
                    notes["skipped"][file] = problem
                else:
                    features, narrow, losses = clip
                    if losses:
                        notes["partly_read"][file] = losses
                    path = clip_path(folder, keys[file], losses)
                    with atomic_write(path, flushed=False) as temporary:  # waiting takes longest
                        np.savez(temporary, features=features, narrow=narrow)
                progress.update()
        except KeyboardInterrupt:
            progress.close()
            done = f"{progress.n} of {len(keys)} clips"
            print_note(f"Stopped after {done}. To continue, run the same command again.")
            raise
    return notes


def extract_clip(path, settings):
    """Return the features of a clip, whether it is too narrow for the low-pass, and its losses."""
    features, _, losses = extract_file(path, settings, settings.frames)
    return features, is_below_cutoff(path, settings.lowpass), losses


def check_access(path, done):
    """Raise InputError if a file can't be opened. It isn't broken: its disk may be away."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise InputError(
            f"{path} can't be read any more ({error.strerror}): {done} are done and kept; make it "
            "readable, or take it out, and run the same command again"
        ) from None


def clip_path(folder, key, losses):
    """Return the path of a clip's file.

    With losses it counts as unfinished: the next run extracts the clip again, and may read more of
    it, if PyAV was installed meanwhile.
    """
    return folder / f"{PARTIAL * bool(losses)}{key}.npz"


def load_clip(path):
    """Return the features of a clip and whether it is narrow; InputError if the file is damaged."""
    try:
        with np.load(path) as content:  # checks the checksums of the archive
            return content["features"], bool(content["narrow"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        path.unlink(missing_ok=True)
        raise InputError(f"{path} was missing or damaged: run the same command again") from None


def write_cache(folder, usable, content, notes):
    """Write the arrays of a cache and its manifest, to which notes on clips are added.

    All of them are on the disk before the first is moved to its place, the manifest, which has the
    arrays' checksums. After an interruption, the cache is the old one, or one that doesn't load and
    that the next run completes.
    """
    settings, genres = FrameSettings.read(content), content["genres"]
    keys = manifest.clip_keys(content)
    subsets = [subset for subset in SUBSETS if usable[subset]]
    checksums = {"input": {}, "target": {}}
    notes |= {"repeated": {}, "narrow": []}
    with contextlib.ExitStack() as stack:
        for subset in subsets:
            clips = usable[subset]
            inputs = stack_clips(folder / CLIPS, clips, keys, settings.frames, notes)
            targets = np.eye(len(genres), dtype=np.float32)[[genres.index(c.genre) for c in clips]]
            for kind, rows, shape in (
                ("input", inputs, (settings.frames, N_FEATURES)),
                ("target", targets, (len(genres),)),
            ):
                path = stack.enter_context(atomic_write(folder / f"data_{subset}_{kind}.npy"))
                checksums[kind][subset] = write_array(path, rows, (len(clips), *shape))
        content = content | notes | {"checksums": checksums}
        content["tracks"] = {subset: [clip.name for clip in usable[subset]] for subset in subsets}
        content["versions"] = library_versions("numpy", "soundfile", "soxr")
        write_json(folder / manifest.NAME, content)
        for subset in set(SUBSETS) - set(subsets):
            for kind in checksums:
                (folder / f"data_{subset}_{kind}.npy").unlink(missing_ok=True)


def stack_clips(folder, clips, keys, n_frames, notes):
    """Yield the row of each clip, (n_frames, 33); note which clips are repeated or narrow."""
    for file in (clip.file for clip in clips):
        features, narrow = load_clip(clip_path(folder, keys[file], file in notes["partly_read"]))
        if narrow:
            notes["narrow"].append(file)
        if len(features) < n_frames:
            notes["repeated"][file] = len(features)
            # Zeros behind a short clip would be learnt as a sign of its genre.
            features = np.resize(features, (n_frames, N_FEATURES))
        yield features


def remove_replaced(folder, keys):
    """Remove the files of clips of which a folder has another file that is in use."""
    used = {key.partition("-")[0]: key for key in keys.values()}
    for path in folder.glob("*.npz"):
        if used.get(path.stem.partition("-")[0], path.stem) != path.stem:
            path.unlink()


def report_notes(notes, settings):
    """Print to stderr which clips are cut off, too short, or sampled at too low a rate."""
    losses = [f"{file} ({'; '.join(losses)})" for file, losses in notes["partly_read"].items()]
    for what, names in (
        ("Read in part", losses),
        (f"Repeated, since shorter than {settings.frames} frames", list(notes["repeated"])),
        (f"Narrower than the low-pass of {settings.lowpass} Hz by their rate", notes["narrow"]),
    ):
        if names:
            print_note(f"{what}: {list_names(names)}.")
