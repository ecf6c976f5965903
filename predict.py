"""Tell the genre of audio files.

    python predict.py song.mp3 other.wav              # by the weights in weights/improved
    python predict.py my_music --json > genres.jsonl  # every file of a folder
    python predict.py mix.mp3 --plot mix.png          # how the answer changes over time
    python predict.py --export model.onnx             # the model for other programs

A file is classified as the model was trained: at the same frame rate, with the same input
processing, its mean that of the whole file, in windows as long as a training clip, over which
the answers are averaged.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from audio_features import SAMPLE_RATE, extract_file
from genre_lstm import load_model
from gtzan.tracks import audio_files
from onnx_export import export_onnx
from script_helpers import HelpFormatter, InputError, at_least, run_script
from workers import spread

SCHEDULES = ("PiecewiseDecay", "ReduceLROnPlateau", "Constant")


def find_weights(folder):
    """Return the model.pt of the first schedule that has one in a folder; InputError if none."""
    for schedule in SCHEDULES:
        if (path := folder / schedule / "model.pt").exists():
            return path
    raise InputError(
        f"no <Schedule>/model.pt in {folder}: train one first, or name a folder of weights with "
        "--weights"
    )


def list_files(names):
    """Return the files meant: those named, those in folders, and for - those listed on stdin."""
    paths = []
    for name in names:
        if name == "-":
            # In whatever encoding names have; Windows ends lines with two characters.
            lines = sys.stdin.buffer.read().replace(b"\r\n", b"\n").split(b"\n")
            paths += [Path(os.fsdecode(line)) for line in lines if line]
        elif Path(name).is_dir():
            paths += audio_files(name, nested=True)
        else:
            paths.append(Path(name))
    if not paths:
        raise InputError(f"no audio in {', '.join(names)}: name WAV, AU, FLAC, OGG or MP3 files")
    return paths


def extract(path, hop_length):
    """Return ((features, seconds), None) of a file, or (None, what is wrong with it)."""
    try:
        return extract_file(path, hop_length), None
    except (InputError, OSError) as error:
        return None, str(error)


@torch.inference_mode()
def classify(model, saved, features):
    """Return the probability of every genre, the likeliest first.

    Parameters
    ----------
    model : GenreLSTM
    saved : dict
        What came with the model; see `genre_lstm.load_model`.
    features : numpy.ndarray, shape (T, 33)
        Those of a file, at the hop length that the model was trained at.

    Returns
    -------
    dict of str to float
    """
    scores = model(torch.from_numpy(features)[None])[0] / saved["temperature"]
    ranking = sorted(zip(scores.softmax(0).tolist(), saved["genres"], strict=True), reverse=True)
    return {genre: probability for probability, genre in ranking}


@torch.inference_mode()
def draw(model, saved, features, answer, title, path):
    """Draw the probabilities of a file's genres over time, and the answer for all of it."""
    # A second of loading that only pictures need.
    from matplotlib.figure import Figure

    from genre_plots import genre_colors, save

    # Windows as short as a training example show as much of the time as can be heard apart.
    length = min(model.crop_length, len(features))
    starts, scores = zip(
        *model.classify_windows(torch.from_numpy(features)[None], length), strict=True
    )
    shares = (torch.cat(scores) / saved["temperature"]).softmax(1).numpy().T
    second = saved["features"]["hop_length"] / SAMPLE_RATE
    # Windows overlap by half: each is drawn over the half that is nearest to its centre.
    middles = np.add(starts[1:], starts[:-1]) / 2 + length / 2
    edges = np.concatenate([[0], middles, [len(features)]]) * second
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="time (s)", ylabel="probability", ylim=(0, 1))
    axes.stackplot(
        edges,
        np.column_stack([shares, shares[:, -1]]),
        labels=saved["genres"],
        colors=genre_colors(saved["genres"]),
        step="post",
    )
    genre, probability = next(iter(answer.items()))
    axes.set(title=f"{title}: {genre}, {probability:.0%} over all", xlim=(0, edges[-1]))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, reverse=True)
    save(figure, path)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    add = parser.add_argument
    add(
        "files",
        metavar="FILE",
        nargs="*",
        help="audio (WAV, AU, FLAC, OGG or MP3), folders of it, or - for a list on stdin",
    )
    add(
        "--weights",
        metavar="DIR",
        type=Path,
        default="weights/improved",
        help="the folder that holds <Schedule>/model.pt",
    )
    add("--top", metavar="K", type=at_least(1), default=3, help="how many genres to print")
    add("--json", action="store_true", help="print one JSON object a line instead, of all genres")
    add("--plot", metavar="PNG", type=Path, help="draw one file's probabilities over time")
    add("--jobs", metavar="N", type=at_least(1), help="files side by side (default: one a core)")
    add("--export", metavar="ONNX", type=Path, help="write the model as ONNX and predict nothing")
    options = parser.parse_args()
    if bool(options.files) == bool(options.export):
        parser.error("name audio files, or a file to --export the model to")
    return options


def main():
    options = parse_arguments()
    weights = find_weights(options.weights)
    model, saved = load_model(weights)
    if options.export:
        export_onnx(model, saved, options.export)
        print(f"{options.export} holds the model of {weights}.")
        return
    paths = list_files(options.files)
    if options.plot and len(paths) > 1:
        raise InputError(f"--plot draws one file, not {len(paths)}: name one")
    # One file is done sooner here than processes start; its workers would be the first.
    jobs = 1 if len(paths) == 1 else options.jobs or -1
    calls = [(path.absolute(), saved["features"]["hop_length"]) for path in paths]
    found = zip(paths, spread(extract, calls, jobs), strict=True)
    n_failed = 0
    for path, (extracted, problem) in tqdm(found, unit="file", total=len(paths), disable=None):
        if problem:
            n_failed += 1
            tqdm.write(f"predict.py: {problem}", file=sys.stderr)
            continue
        features, seconds = extracted
        answer = classify(model, saved, features)
        if options.plot:
            draw(model, saved, features, answer, path.name, options.plot)
        if options.json:
            fields = {"file": str(path), "genre": next(iter(answer)), "probabilities": answer}
            line = json.dumps(fields | {"seconds": seconds, "weights": str(weights)})
        else:
            ranking = list(answer.items())[: options.top]
            line = f"{path}: " + ", ".join(f"{genre} {share:.0%}" for genre, share in ranking)
        tqdm.write(line, file=sys.stdout)
    if n_failed:
        raise InputError(f"{n_failed} of {len(paths)} files were not classified, see above")


if __name__ == "__main__":
    run_script(main)
