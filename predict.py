"""Tell the genre of audio files.

    python predict.py song.mp3 other.wav              # by the weights in weights/improved

A file is classified as it was trained on: at the same frame rate, with the same input
processing, in windows as long as a training clip, over which the answers are averaged.
"""

import argparse
import json
import sys
from pathlib import Path

import torch

from genre_lstm import load_model
from GenreFeatureData import SAMPLE_RATE, extract_features, load_signal
from script_helpers import HelpFormatter, InputError, at_least, run_script

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


@torch.inference_mode()
def predict(path, model, saved):
    """Classify an audio file.

    Parameters
    ----------
    path : path-like
        Audio of any length.
    model : GenreLSTM
    saved : dict
        What came with the model; see `genre_lstm.load_model`.

    Returns
    -------
    probabilities : dict of str to float
        Of every genre, the likeliest first.
    seconds : float
        Length of the audio.

    Raises
    ------
    InputError
        The file can't be read as audio.
    """
    signal = load_signal(path)
    features = extract_features(signal, hop_length=saved["features"]["hop_length"])
    found = model(torch.from_numpy(features)[None])[0].exp().tolist()
    ranking = sorted(zip(found, saved["genres"], strict=True), reverse=True)
    return {genre: probability for probability, genre in ranking}, len(signal) / SAMPLE_RATE


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    add = parser.add_argument
    add("files", metavar="FILE", type=Path, nargs="+", help="audio: WAV, AU, FLAC, OGG or MP3")
    add(
        "--weights",
        metavar="DIR",
        type=Path,
        default="weights/improved",
        help="the folder that holds <Schedule>/model.pt",
    )
    add("--top", metavar="K", type=at_least(1), default=3, help="how many genres to print")
    add("--json", action="store_true", help="print one JSON object a line instead, of all genres")
    return parser.parse_args()


def main():
    options = parse_arguments()
    weights = find_weights(options.weights)
    model, saved = load_model(weights)
    n_failed = 0
    for path in options.files:
        try:
            probabilities, seconds = predict(path, model, saved)
        except InputError as error:
            n_failed += 1
            print(f"predict.py: {error}", file=sys.stderr)
            continue
        if options.json:
            answer = {"file": str(path), "genre": next(iter(probabilities))}
            answer |= {"probabilities": probabilities, "seconds": seconds, "weights": str(weights)}
            print(json.dumps(answer), flush=True)
        else:
            ranking = list(probabilities.items())[: options.top]
            shown = ", ".join(f"{genre} {probability:.0%}" for genre, probability in ranking)
            print(f"{path}: {shown}", flush=True)
    if n_failed:
        raise InputError(f"{n_failed} of {len(options.files)} files were not classified, see above")


if __name__ == "__main__":
    run_script(main)
