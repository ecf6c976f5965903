"""Turn a folder of music into feature sequences, cached as .npy splits for training.

    python GenreFeatureData.py                        # audio in gtzan/ -> gtzan/data_*.npy
    python GenreFeatureData.py --dataset my_music     # any folder of <genre>/<audio files>
    python GenreFeatureData.py --demo                 # synthesise a small corpus and use that

Each clip becomes one row per frame of 33 features: 13 MFCC, the spectral centroid, 12 chroma and
7 bands of spectral contrast. A cache that matches what is asked for is kept, any other rebuilt.
"""

import argparse
import contextlib
import hashlib
import json
import sys
import zlib
from pathlib import Path

import numpy as np

from audio_features import (
    DEFINITION,
    HOP_LENGTH,
    N_FEATURES,
    N_FFT,
    SAMPLE_RATE,
)
from extraction import discard, extract_parts, unfinished
from gtzan.check import check_data_set
from gtzan.tracks import PARTS, check_parts, find_tracks, read_groups, split_tracks
from script_helpers import (
    HelpFormatter,
    InputError,
    alone,
    are_lengths,
    are_names,
    at_least,
    library_versions,
    replacing,
    run_script,
    write_json,
)

FRAMES = 1290  # frames kept of each clip: 29.95 s, the most that every GTZAN clip fills

# Caches of the original project name no genres: the number of columns tells which they are.
SIX_GENRES = ["classical", "hiphop", "jazz", "metal", "pop", "reggae"]
EIGHT_GENRES = sorted([*SIX_GENRES, "country", "disco"])
TEN_GENRES = sorted([*EIGHT_GENRES, "blues", "rock"])
ORIGINAL_GENRES = {6: SIX_GENRES, 8: EIGHT_GENRES, 10: TEN_GENRES}

SETTINGS = ("sample_rate", "n_fft", "hop_length", "frames")  # what the features depend on
EXTRACT_AGAIN = "run GenreFeatureData.py to extract the features again"


def report_notes(n_clips, frames, skipped, repeated):
    """Say on stderr which files were skipped, and which were too short."""
    for problem in skipped.values():
        print(f"Skipped: {problem}", file=sys.stderr)
    if skipped:
        print(f"Skipped {len(skipped)} of {n_clips} files, see above.", file=sys.stderr)
    if repeated:
        print(
            f"Repeated, since shorter than {frames} frames: {', '.join(repeated)}.",
            file=sys.stderr,
        )


def file_digest(path):
    """Return a hash of the content, by which a changed file is noticed; None if unreadable."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def checksum_if_finite(inputs):
    """Return a CRC-32 of all clips, reading each once; None if one holds NaN or infinity."""
    checksum = 0
    for clip in inputs:
        if not np.isfinite(clip).all():
            return None
        checksum = zlib.crc32(np.ascontiguousarray(clip), checksum)
    return checksum


def is_one_hot(rows):
    """Whether each row holds a single 1, and zeros beside it."""
    return ((np.count_nonzero(rows, axis=1) == 1) & (rows.max(axis=1) == 1)).all()


# The cache


class GenreFeatureData:
    """The cached feature sequences of a data set, split into three parts.

    Parameters
    ----------
    folder : path-like
        Where ``data_*.npy`` and ``features.json`` lie, or shall lie.

    Attributes
    ----------
    genres : list of str
        Names of the target columns, in order.
    inputs : dict of str to numpy.memmap, shape (N, T, 33)
        Feature sequences of each part; float32, or float64 in the original project's caches.
    targets : dict of str to numpy.ndarray, shape (N,), int64
        The genre of each sequence, as an index into `genres`.
    settings : dict
        What the numbers depend on: sample rate, FFT size, hop length and frames, in samples.
    split : str or None
        How the clips were dealt to the parts; None if the cache doesn't say.
    checksums : dict of str to int
        A CRC-32 of each part's inputs, by which a run that is resumed knows its data again.
    """

    def __init__(self, folder="gtzan"):
        self.folder = Path(folder)
        self.manifest = self.folder / "features.json"

    def prepare(
        self,
        dataset,
        *,
        genres=None,
        split="index",
        groups=None,
        hop_length=HOP_LENGTH,
        frames=FRAMES,
        jobs=-1,
        scheduler=None,
    ):
        """Make the cache hold the features of a data set, extracting them if it doesn't yet.

        Parameters
        ----------
        dataset : path-like
            See `find_tracks`.
        genres : list of str, optional
            The genres to take, in this order; by default all there are, sorted.
        split : {'index', 'filtered'}
        groups : dict of str to str, optional
            See `split_tracks`.
        hop_length : int
            Samples from one frame to the next.
        frames : int
            Frames kept of each clip: longer ones are cut, shorter ones repeated.
        jobs, scheduler
            See `workers.spread`.

        Raises
        ------
        InputError
            The data set has no audio, lacks a genre, or leaves a part without a usable clip; or
            another process is extracting into the folder.
        """
        tracks, genres = find_tracks(dataset, genres)
        dealt, split = split_tracks(tracks, split, groups)
        wanted = {
            "genres": genres,
            "split": split,
            **DEFINITION,
            "sample_rate": SAMPLE_RATE,
            "n_fft": N_FFT,
            "hop_length": hop_length,
            "frames": frames,
            "sources": {
                part: {track.file: file_digest(Path(dataset) / track.file) for track in tracks}
                for part, tracks in dealt.items()
            },
        }
        stale = self.why_stale(wanted)
        if stale:
            print(f"Extracting features into {self.folder}: {stale}.", flush=True)
            with alone(self.folder):
                self.extract(dataset, dealt, wanted, jobs, scheduler)
        else:
            print(f"The features in {self.folder} are up to date.")

    def why_stale(self, wanted):
        """Say how the cache differs from what is wanted; None if it doesn't."""
        if not any(self.folder.glob("data_*.npy")):
            return "there are none yet"
        if not self.manifest.exists():
            return "the .npy files there have no features.json that says what they hold"
        try:
            found = json.loads(self.manifest.read_text(encoding="utf-8"))
            # Arrays opened here would be in the way of those that replace them, on Windows.
            GenreFeatureData(self.folder).load()
            for key, value in wanted.items():
                if key != "sources" and found[key] != value:
                    return f"{key} was {found[key]}, is now {value}"
            if found["sources"] != wanted["sources"]:
                return "the audio files have changed"
        except (InputError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return "the cache there is incomplete or damaged"
        return None

    def extract(self, dataset, dealt, wanted, jobs, scheduler):
        """Extract the features of all parts, then put the arrays and the manifest in place."""
        versions = library_versions("librosa", "numpy", "scipy", "soundfile", "soxr")
        wanted = {**wanted, "versions": versions}
        kept, notes = extract_parts(
            self.folder, dataset, dealt, wanted, jobs=jobs, scheduler=scheduler
        )
        report_notes(sum(map(len, dealt.values())), wanted["frames"], **notes)
        try:
            check_parts(kept, wanted["genres"])
        except InputError:
            discard(self.folder)
            raise
        with contextlib.ExitStack() as stack:
            for part in PARTS:
                path = stack.enter_context(replacing(self.folder / f"data_{part}_target.npy"))
                rows = [wanted["genres"].index(track.genre) for track in kept[part]]
                np.save(path, np.eye(len(wanted["genres"]), dtype=np.float32)[rows])
            # Arrays of two extractions never pass for one, should the moves below be cut short.
            write_json(self.manifest, {"complete": False})
            for part in PARTS:
                unfinished(self.folder, part).replace(self.folder / f"data_{part}_input.npy")
        tracks = {part: [track.name for track in kept[part]] for part in PARTS}
        write_json(self.manifest, {"complete": True, **wanted, "tracks": tracks, **notes})
        discard(self.folder)

    def load(self):
        """Open the cache, checking that its arrays fit together.

        The original project's caches, which have no manifest, load too.

        Returns
        -------
        GenreFeatureData
            Itself, with the attributes set.

        Raises
        ------
        InputError
            An array is missing, isn't one, or doesn't fit the others, or features are not finite.
        """
        self.inputs, self.checksums, one_hot = {}, {}, {}
        for part in PARTS:
            self.inputs[part], one_hot[part], self.checksums[part] = self.load_part(part)
        self.targets = {part: rows.argmax(axis=1) for part, rows in one_hot.items()}
        sizes = {part: (self.inputs[part].shape[1], one_hot[part].shape[1]) for part in PARTS}
        if len(set(sizes.values())) > 1:
            found = ", ".join(f"{part} {t} x {g}" for part, (t, g) in sizes.items())
            raise InputError(
                f"the parts in {self.folder} differ in frames x genres: {found}; {EXTRACT_AGAIN}"
            )
        n_frames, n_genres = sizes["train"]
        if self.manifest.exists():
            self.read_manifest(n_frames, n_genres)
        else:
            self.guess_manifest(n_frames, n_genres)
        return self

    def load_part(self, part):
        """Open one part; return its inputs, one-hot targets and checksum if they are sound."""
        arrays = []
        for kind in ("input", "target"):
            path = self.folder / f"data_{part}_{kind}.npy"
            try:
                arrays.append(np.lib.format.open_memmap(path, "r"))
            except FileNotFoundError:
                raise InputError(
                    f"no features in {self.folder} ({path.name} is missing): run "
                    "GenreFeatureData.py first, or name their folder with --features"
                ) from None
            except OSError:
                raise
            except Exception:  # of many kinds: a damaged header is parsed as Python's literals are
                raise InputError(f"{path} isn't an array of numbers; {EXTRACT_AGAIN}") from None
        inputs, targets = arrays
        problem = None
        if inputs.ndim != 3 or inputs.shape[2] != N_FEATURES or 0 in inputs.shape:
            problem = f"input has the shape {inputs.shape}, not (clips, frames, {N_FEATURES})"
        elif targets.ndim != 2 or len(targets) != len(inputs) or not targets.shape[1]:
            problem = f"target has the shape {targets.shape}, not ({len(inputs)}, genres)"
        elif inputs.dtype.kind != "f" or (checksum := checksum_if_finite(inputs)) is None:
            problem = "input holds NaN, infinite or non-float features"
        elif targets.dtype.kind not in "bfiu" or not is_one_hot(targets):
            problem = "target isn't one-hot"
        if problem:
            raise InputError(f"{self.folder}/data_{part}_{problem}; {EXTRACT_AGAIN}")
        return inputs, targets, checksum

    def read_manifest(self, n_frames, n_genres):
        """Set `genres` and `settings` from features.json, which must fit the arrays."""
        try:
            found = json.loads(self.manifest.read_text(encoding="utf-8"))
            self.genres, self.split = found["genres"], found.get("split")
            self.settings = {key: found[key] for key in SETTINGS}
            fits = (
                are_names(self.genres)
                and are_lengths(self.settings.values())
                and (len(self.genres), self.settings["frames"]) == (n_genres, n_frames)
            )
        except (ValueError, KeyError, TypeError, RecursionError):
            fits = False
        if not fits:
            raise InputError(f"{self.manifest} doesn't fit the arrays beside it; {EXTRACT_AGAIN}")

    def guess_manifest(self, n_frames, n_genres):
        """Set `genres` and `settings` for arrays without features.json, saying what is assumed."""
        self.genres = ORIGINAL_GENRES.get(n_genres) or [f"genre_{i}" for i in range(n_genres)]
        # GTZAN's clips last 30 s: 1290 to 1293 frames mean the original's hop of 512 samples.
        hop_length = max(1, 30 * SAMPLE_RATE // n_frames)
        power_of_two = 2 ** round(np.log2(hop_length))
        if abs(hop_length / power_of_two - 1) < 0.01:
            hop_length = power_of_two
        self.split = None
        self.settings = dict(zip(SETTINGS, (SAMPLE_RATE, N_FFT, hop_length, n_frames), strict=True))
        print(
            f"No features.json in {self.folder}: assuming the genres {', '.join(self.genres)} "
            f"and 30-s clips, so a hop of {hop_length} samples.",
            file=sys.stderr,
        )


# Command line


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    add, count = parser.add_argument, {"metavar": "N", "type": at_least(1)}
    add("--dataset", metavar="DIR", help="the audio; layouts: gtzan/README.md (default: gtzan)")
    add("--output", metavar="DIR", help="where the .npy splits go (default: gtzan)")
    add("--genres", metavar="G", nargs="+", help="genres to take, in this order (default: all)")
    add(
        "--split",
        choices=["index", "filtered"],
        default="index",
        help="by track number, or fault-filtered and artist-aware",
    )
    add(
        "--hop-length",
        **count,
        default=HOP_LENGTH,
        help="samples at 22,050 Hz from one frame to the next",
    )
    add("--frames", **count, help=f"frames kept of each clip (default: {FRAMES})")
    add("--jobs", **count, help="processes that extract side by side (default: one a core)")
    add(
        "--scheduler",
        metavar="ADDRESS",
        help="extract on the Dask cluster of this scheduler, as in tcp://10.0.0.1:8786",
    )
    add(
        "--groups",
        metavar="CSV",
        help="columns file and group, such as its artist: each to one part",
    )
    add("--check", action="store_true", help="only say what is there, broken, short or there twice")
    add("--demo", action="store_true", help="synthesise a small corpus in gtzan/demo and use that")
    options = parser.parse_args()
    if options.demo and (options.dataset or options.output or options.frames):
        parser.error("--demo has a data set, an output and frames of its own: leave those out")
    return options


def main():
    options = parse_arguments()
    if options.demo:
        from gtzan.demo_corpus import CLIP_SECONDS, make_demo_corpus

        options.dataset = options.output = make_demo_corpus("gtzan/demo")
        options.frames = CLIP_SECONDS * SAMPLE_RATE // options.hop_length
    dataset, frames = options.dataset or "gtzan", options.frames or FRAMES
    groups, jobs = options.groups and read_groups(options.groups), options.jobs or -1
    if options.check:
        tracks, genres = find_tracks(dataset, options.genres)
        dealt, _ = split_tracks(tracks, options.split, groups)
        seconds = (frames - 1) * options.hop_length / SAMPLE_RATE  # frame 0 is centred on 0 s
        check_data_set(dataset, dealt, genres, seconds, jobs)
        return
    GenreFeatureData(options.output or "gtzan").prepare(
        dataset,
        genres=options.genres,
        split=options.split,
        groups=groups,
        hop_length=options.hop_length,
        frames=frames,
        jobs=jobs,
        scheduler=options.scheduler,
    )


if __name__ == "__main__":
    run_script(main)
