"""Predict the genre of audio files.

    python predict.py song.mp3 other.wav              # with the weights that come with the project
    python predict.py song.mp3 --weights weights      # with those you trained
    python predict.py my_music --json > genres.jsonl  # every file of a folder
    python predict.py mix.mp3 --plot mix.png          # how the prediction changes over time
    python predict.py --export model.onnx             # the model for other programs

The features are computed with the settings that the model was trained with. Files more than a tenth
longer than a training clip are classified in windows of that length, whose predictions are
averaged. Several models below --weights predict together: their probabilities are averaged.

Every file gets one of the genres trained on, whatever it holds. Marked are files that are unlike
the training music (19 of 20 recordings of speech, noise or single tones; other genres of music
seldom are), predictions below 50 %, and files under 5 s. Silent stretches are left out.
"""

import argparse
import glob
import json
import os
import sys
from pathlib import Path

from tqdm import tqdm

from common.cli import HelpFormatter, figure_path, number_in, run_script
from common.errors import InputError, escape_controls, try_call
from common.parallel import parallel_map
from genre_features.audio import is_below_cutoff
from genre_features.features import extract_file
from genre_features.listing import list_audio
from genre_features.silence import silent_frames
from genre_lstm.device import report_out_of_memory
from genre_lstm.prediction import predict, predict_over_time
from genre_lstm.similarity import is_unlike_training
from genre_lstm.weights import load_models

MIN_SECONDS = 5  # experiments/robustness.py measures how shorter files fare
WEIGHTS = Path(__file__).resolve().parent / "weights" / "reference" / "improved"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    add = parser.add_argument
    add(
        "files",
        metavar="FILE_OR_FOLDER",
        nargs="*",
        help="audio (WAV, AU, FLAC, OGG or MP3), folders of it, or - for a list on stdin",
    )
    add(
        "--weights",
        metavar="PATH",
        type=Path,
        help="a model.pt or a folder (default: weights/reference/improved)",
    )
    add("--top", metavar="K", type=number_in(1), default=3, help="number of genres to print")
    add("--json", action="store_true", help="print a JSON object per line, with all genres")
    add(
        "--plot",
        metavar="PNG",
        type=figure_path,
        help="plot the probabilities of one file over time, as .png, .pdf or .svg",
    )
    add("--jobs", metavar="N", type=number_in(1), help="files in parallel (default: one per core)")
    add("--export", metavar="ONNX", type=Path, help="write the model as ONNX, predict nothing")
    options = parser.parse_args()
    if options.export and (options.plot or options.json):
        parser.error("--export predicts nothing: leave out --plot and --json")
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
        elif Path(name).is_dir():
            paths += [Path(name, file) for file in list_audio(name)]
        elif not Path(name).exists() and (matches := sorted(glob.glob(name))):  # noqa: PTH207
            paths += map(Path, matches)  # the Windows shells pass patterns on
        else:
            paths.append(Path(name))
    if not paths:
        raise InputError(f"no audio in {', '.join(names)}: name WAV, AU, FLAC, OGG or MP3 files")
    return paths


def classify(path, models, recording):
    """Return the probabilities of a file's genres, whether it is unlike the training clips (None
    if that can't be judged), and notes on the prediction.
    """
    saved = models[0][1]
    settings = saved["settings"]
    features = recording.features[~silent_frames(recording.features, settings)]
    if not len(features):
        raise InputError(f"{path} is silent: there is nothing to classify")
    with report_out_of_memory(f"{path} is too long: split it"):
        probabilities = predict(models, features)
    is_short = len(features) * settings.seconds_per_frame < MIN_SECONDS
    is_narrow = is_below_cutoff(path, settings.lowpass)
    unlike = None
    if not is_short and not is_narrow:
        unlike = is_unlike_training(saved["reference"], features, settings)
    caveats = {
        "unlike the training music: the genres may not fit": unlike,
        "unsure: below 50%, a prediction is more likely wrong than right": (
            max(probabilities.values()) < 0.5
        ),
        f"shorter than {MIN_SECONDS} s: right less often than with longer audio": is_short,
        f"sampled below {2 * (settings.lowpass or 0)} Hz: less reliable": is_narrow,
    }
    return probabilities, unlike, [*recording.notes, *(text for text, on in caveats.items() if on)]


def format_prediction(path, probabilities, unlike, notes, seconds, options):
    """Return the line to print for a file."""
    if not options.json:
        ranking = list(probabilities.items())[: options.top]
        text = ", ".join(f"{genre} {probability:.0%}" for genre, probability in ranking)
        return escape_controls(f"{path}: {text}" + "".join(f" ({note})" for note in notes))
    fields = {
        "file": str(path),
        "genre": next(iter(probabilities)),
        "probabilities": probabilities,
        "seconds": seconds,
        "notes": notes,
        "unlike_training": unlike,
        "weights": str(options.weights),
    }
    return json.dumps(fields)


def plot(path, models, features, probabilities, notes, figure):
    """Plot the probabilities of a file's genres over time."""
    # Imported here: only --plot needs matplotlib.
    from genre_features.figures import plot_label
    from genre_lstm.plots import plot_probabilities

    edges, by_window = predict_over_time(models, features)
    genre, probability = next(iter(probabilities.items()))
    title = f"{plot_label(path.name, 60)}: {plot_label(genre)}, {probability:.0%} overall"
    title = "\n".join([title, *notes])
    model, saved = models[0]
    window = min(edges[-1], model.crop_frames * saved["settings"].seconds_per_frame)
    plot_probabilities(edges, by_window, saved["genres"], figure, title, window)


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
    # A single file is done here before another process has started.
    jobs = 1 if len(paths) == 1 else options.jobs
    settings = models[0][1]["settings"]
    outcomes = parallel_map(extract_file, ((path.absolute(), settings) for path in paths), jobs)
    n_failed = 0
    progress = tqdm(zip(paths, outcomes, strict=True), unit="file", total=len(paths), disable=None)
    for path, (recording, problem) in progress:
        if not problem:
            classified, problem = try_call(classify, path, models, recording)
        if problem:
            n_failed += 1
            tqdm.write(f"predict.py: {problem}", file=sys.stderr)
            continue
        probabilities, unlike, notes = classified
        if options.plot:
            plot(path, models, recording.features, probabilities, notes, options.plot)
        line = format_prediction(path, probabilities, unlike, notes, recording.seconds, options)
        tqdm.write(line, file=sys.stdout)
    if n_failed:
        raise InputError(f"{n_failed} of {len(paths)} files were not classified, see above")


if __name__ == "__main__":
    run_script(main)
