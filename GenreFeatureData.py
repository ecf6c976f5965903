"""Turn a folder of music into feature sequences, cached as .npy splits for training.

    python GenreFeatureData.py                        # audio in gtzan/ -> gtzan/data_*.npy
    python GenreFeatureData.py --download             # download GTZAN to gtzan/ first (1.2 GB)
    python GenreFeatureData.py --dataset my_music     # any folder of <genre>/<audio files>
    python GenreFeatureData.py --demo                 # synthesise a small corpus and use that

Each clip becomes a sequence of frames with 33 features each: 13 MFCC, the spectral centroid,
12 chroma and 7 bands of spectral contrast. A cache that matches the audio and the options is kept;
any other is rebuilt.
"""

import argparse
import shlex
from pathlib import Path

from common.cli import HelpFormatter, figure_path, number_in, run_script
from common.files import lock_folders

# The class is here for those who import this script, as in the original project.
from genre_features.cache import GenreFeatureData as GenreFeatureData
from genre_features.cache import stale_reason
from genre_features.clips import SUBSETS, find_clips
from genre_features.demo_corpus import CLIP_SECONDS, make_demo_corpus
from genre_features.extraction import update_cache
from genre_features.frame import (
    CUTOFF_RANGE,
    HOP_LENGTH,
    SAMPLE_RATE,
    FrameSettings,
    frames_per_clip,
)
from genre_features.manifest import make_manifest
from genre_features.splits import check_subsets, split_clips


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    add, count = parser.add_argument, {"metavar": "N", "type": number_in(1)}
    folder, file = {"metavar": "DIR", "type": Path}, {"metavar": "FILE", "type": Path}
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--download", action="store_true", help="download GTZAN first")
    mode.add_argument("--demo", action="store_true", help="make a small corpus in gtzan/demo")
    mode.add_argument(
        "--check",
        action="store_true",
        help="report unreadable, short, silent, duplicate and band-limited clips, extract nothing",
    )
    add("--dataset", **folder, help="the audio; layouts: see gtzan/README.md (default: gtzan)")
    add("--output", **folder, help="where the .npy splits go (default: gtzan)")
    add("--genres", metavar="G", nargs="+", help="genres to take, in this order (default: all)")
    split = {"choices": ["index", "filtered"], "default": "index"}
    add("--split", **split, help="by track number, or GTZAN's fault-filtered, artist-aware split")
    add("--labels", **file, help="a CSV table: file, and any of genre, group (artist) and subset")
    add("--hop-length", **count, default=HOP_LENGTH, help="samples between frames, at 22,050 Hz")
    add("--frames", **count, help="frames kept of each clip (default: 29.9 s, 1290 at 512)")
    cutoff = {"metavar": "HZ", "type": number_in(*CUTOFF_RANGE)}
    add("--lowpass", **cutoff, help="cutoff of a low-pass filter, such as 9000 (default: none)")
    add("--jobs", **count, help="clips extracted in parallel (default: one per core)")
    scheduler = "extract on the Dask cluster of this scheduler, as in tcp://10.0.0.1:8786"
    add("--dask", metavar="ADDRESS", help=scheduler)
    figure = {"metavar": "PNG", "type": figure_path}
    add("--plot", **figure, help="with --check: draw the clips' bandwidths (.png, .pdf or .svg)")
    add = parser.add_argument_group("where --download finds GTZAN").add_argument
    add("--archive", **file, help="unpack this archive, download nothing")
    add("--url", help="download from here (default: a copy on huggingface.co)")
    add("--sha256", metavar="HEX", help="checksum of the archive (default: GTZAN's)")
    options = parser.parse_args()
    check_options(options, parser.error)
    place = Path("gtzan", "demo") if options.demo else Path("gtzan")
    options.dataset, options.output = options.dataset or place, options.output or place
    return options


def check_options(options, refuse):
    """Refuse options that contradict each other, or lack the option they belong to.

    --check may be added to the command of an extraction, whatever its other options.
    """
    if options.demo and (options.dataset or options.output or options.frames):
        refuse("--demo has its own data set, output and frames: leave those options out")
    if options.labels and options.split != "index":
        refuse("--labels overrules --split: leave out one of them")
    if options.dask and options.check:
        refuse("--check works on this machine alone: leave out --dask")
    if options.plot and not options.check:
        refuse("--plot draws what --check reports: add --check")
    if not options.download and (options.archive or options.url or options.sha256):
        refuse("--archive, --url and --sha256 are options of --download: add it")


def provide_audio(options):
    """Put the audio of --download or --demo in its place."""
    if options.download:
        from genre_features.download import download_gtzan  # needs pooch, as nothing else does

        source = {"url": options.url, "archive": options.archive, "sha256": options.sha256}
        with lock_folders(options.dataset):
            download_gtzan(options.dataset, options.genres, **source)
    if options.demo:
        with lock_folders(options.dataset):
            make_demo_corpus(options.dataset)
        options.frames = max(1, CLIP_SECONDS * SAMPLE_RATE // options.hop_length)


def next_command(options):
    """Return the command line that trains on the features."""
    line = ["python", "lstm_genre_classifier_pytorch_PiecewiseDecay.py"]
    if options.demo:
        return shlex.join([*line, "--demo", "--recipe", "improved", "--epochs", "60"])
    if options.output != Path("gtzan"):
        line += ["--features", options.output.as_posix()]
    is_gtzan = options.dataset == Path("gtzan")
    if options.lowpass or not is_gtzan:  # the low-pass is the improved recipe's
        line += ["--recipe", "improved"]
    if not is_gtzan:
        name = options.dataset.resolve().name
        line += ["--weights", f"weights/{name}", "--result", f"result/{name}"]
    return shlex.join(line)


def main():
    options = parse_arguments()
    provide_audio(options)
    frames = options.frames or frames_per_clip(options.hop_length)
    settings = FrameSettings(hop_length=options.hop_length, frames=frames, lowpass=options.lowpass)
    clips, genres = find_clips(options.dataset, options.genres, options.labels)
    by_subset, split = split_clips(clips, options.split)
    if options.check:
        # Imported here: scipy.signal would cost every worker process a second.
        from genre_features.check import check_data_set

        check_data_set(options.dataset, by_subset, genres, settings, options.jobs, options.plot)
        return
    check_subsets(by_subset, genres)

    content = make_manifest(options.dataset, by_subset, genres, split, settings)
    reason = stale_reason(options.output, content)
    if not reason:
        print(f"The features in {options.output} are up to date.")
        return
    print(f"Extracting features into {options.output}: {reason}.", flush=True)
    places = options.output, options.dataset
    usable = update_cache(*places, by_subset, content, options.jobs, options.dask)
    n_train, n_validation, n_test = (len(usable[subset]) for subset in SUBSETS)
    print(
        f"{options.output} holds the features of {n_train} training, {n_validation} validation and "
        f"{n_test} test clips.\nNext: {next_command(options)}"
    )


if __name__ == "__main__":
    run_script(main)
