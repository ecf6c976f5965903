"""Predict the genre of audio files.

    python predict.py song.mp3 other.wav                  # with the weights of this project
    python predict.py song.mp3 --weights weights/improved # with those you trained
    python predict.py my_music --output genres.csv        # a folder; a rerun continues
    python predict.py mix.mp3 --plot mix.png              # how the prediction changes over time
    python predict.py --export model.onnx                 # the model for other programs

The features are computed with the settings that the model was trained with. Files more than a tenth
longer than a training clip are classified in windows of that length, whose predictions are
averaged. Several models below --weights predict together: their probabilities are averaged.

Every file gets one of the genres trained on, whatever it holds. Three kinds are marked: files that
are unlike the training music (synthetic speech, noise and single tones usually, other genres
seldom), predictions below 50 %, and files under 5 s. Silent stretches are left out.
"""

import argparse
import contextlib
import functools
import glob
import json
import os
import sys
from pathlib import Path

from tqdm import tqdm

from common.cli import HelpFormatter, figure_path, number_in, run_script
from common.errors import InputError, escape_controls, print_note, try_call
from common.parallel import parallel_map
from genre_features.features import extract_file
from genre_features.listing import list_audio
from genre_lstm.prediction import classify, predict_over_time
from genre_lstm.prediction_file import open_predictions, predictions_path
from genre_lstm.weights import checksum, load_models

WEIGHTS = Path(__file__).resolve().parent / "weights" / "reference" / "improved"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    add = parser.add_argument
    text = "audio (WAV, AU, FLAC, OGG or MP3), folders of it, or - for a list on stdin"
    add("files", metavar="FILE_OR_FOLDER", nargs="*", help=text)
    text = "a model.pt or a folder (default: weights/reference/improved)"
    add("--weights", metavar="PATH", type=Path, help=text)
    add("--top", metavar="K", type=number_in(1), default=3, help="number of genres to print")
    add("--json", action="store_true", help="print a JSON object per line, with all genres")
    text = "plot the probabilities of one file over time, as .png, .pdf or .svg"
    add("--plot", metavar="PNG", type=figure_path, help=text)
    text = "write a line per file there, as .csv, or .jsonl like --json; a rerun continues"
    add("--output", metavar="FILE", type=predictions_path, help=text)
    add("--jobs", metavar="N", type=number_in(1), help="files in parallel (default: one per core)")
    text = "compute features on the Dask cluster of this scheduler, as in tcp://10.0.0.1:8786"
    add("--dask", metavar="ADDRESS", help=text)
    add("--export", metavar="ONNX", type=Path, help="write the model as ONNX, predict nothing")
    options = parser.parse_args()
    if options.export and (options.plot or options.json or options.output):
        parser.error("--export predicts nothing: leave out --plot, --json and --output")
    if options.output and (options.json or options.plot):
        parser.error("--output writes a line per file: leave out --json and --plot")
    if bool(options.files) == bool(options.export):
        parser.error("name audio files, or a file to --export the model to")
    return options


def list_files(names):
    """Return the files named, those in folders, and for "-" those listed on stdin."""
    paths = []
    for name in names:
        if name == "-":
            # Names may be any bytes; Windows ends lines with two characters.
            lines = sys.stdin.buffer.read().replace(b"\r\n", b"\n").split(b"\n")
            paths += [Path(os.fsdecode(line)) for line in lines if line]
            continue
        # The Windows shells pass patterns on.
        matches = [] if Path(name).exists() else sorted(glob.glob(name))  # noqa: PTH207
        for path in map(Path, matches or [name]):
            paths += [path / file for file in list_audio(path)] if path.is_dir() else [path]
    if not paths:
        raise InputError(f"no audio in {', '.join(names)}: name WAV, AU, FLAC, OGG or MP3 files")
    return paths


def predict_files(paths, models, options, write):
    """Call `write` with the prediction for each file; return how many files had none."""
    about = {"weights": str(options.weights), "weights_crc32": checksum(models)}
    settings, n_failed = models[0][1]["settings"], 0
    # A single file is done here before another process has started.
    jobs = 1 if len(paths) == 1 else options.jobs
    calls = ((path.absolute(), settings) for path in paths)
    with (
        contextlib.closing(parallel_map(extract_file, calls, jobs, options.dask)) as outcomes,
        tqdm(zip(paths, outcomes, strict=True), unit="file", total=len(paths), disable=None) as bar,
    ):
        for path, (recording, problem) in bar:
            if not problem:
                prediction, problem = try_call(classify, path, models, recording)
            if problem:
                n_failed += 1
                tqdm.write(f"predict.py: {problem}", file=sys.stderr)
                continue
            if options.plot:
                plot(path, models, recording.features, prediction, options.plot)
            write(prediction | about)
    return n_failed


def print_prediction(options, prediction):
    """Print a line for a file."""
    if options.json:
        line = json.dumps(prediction)
    else:
        ranking = list(prediction["probabilities"].items())[: options.top]
        text = ", ".join(f"{genre} {probability:.0%}" for genre, probability in ranking)
        notes = "".join(f" ({note})" for note in prediction["notes"])
        line = escape_controls(f"{prediction['file']}: {text}{notes}")
    tqdm.write(line, file=sys.stdout)


def plot(path, models, features, prediction, figure):
    """Plot the probabilities of a file's genres over time."""
    # Imported here: only --plot needs matplotlib.
    from genre_features.figures import plot_label
    from genre_lstm.plots import plot_probabilities

    edges, by_window = predict_over_time(models, features)
    genre, probability = next(iter(prediction["probabilities"].items()))
    title = f"{plot_label(path.name, 60)}: {plot_label(genre)}, {probability:.0%} overall"
    title = "\n".join([title, *prediction["notes"]])
    model, saved = models[0]
    window = min(edges[-1] - edges[0], model.crop_frames * saved["settings"].seconds_per_frame)
    plot_probabilities(edges, by_window, saved["genres"], figure, title, window)


def continue_output(paths, models, options):
    """Write the lines that --output lacks; return how many files had no prediction."""
    paths = list(dict.fromkeys(paths))
    with open_predictions(options.output, models, paths) as (missing, write):
        n_done = len(paths) - len(missing)
        if n_done:
            print(f"Continuing: {n_done} of {len(paths)} files are there.", file=sys.stderr)
        try:
            n_failed = predict_files(missing, models, options, write)
        except KeyboardInterrupt:
            print_note("Stopped. To continue, run the same command again.")
            raise
    print(f"The predictions of {len(paths) - n_failed} files are in {options.output}.")
    return n_failed


def main():
    options = parse_arguments()
    options.weights = options.weights or WEIGHTS
    models = load_models(options.weights)
    if options.export:
        from genre_lstm.onnx_export import export_onnx

        export_onnx(models, options.export)
        print(f"{options.export} holds the model of {options.weights}.")
        return

    paths = list_files(options.files)
    if options.plot and len(paths) > 1:
        raise InputError(f"--plot draws one file, not {len(paths)}: name one")
    print(f"Using {options.weights}.", file=sys.stderr)
    if options.output:
        n_failed = continue_output(paths, models, options)
    else:
        write = functools.partial(print_prediction, options)
        n_failed = predict_files(paths, models, options, write)
    if n_failed:
        raise InputError(f"{n_failed} of {len(paths)} files were not classified, see above")


if __name__ == "__main__":
    run_script(main)
