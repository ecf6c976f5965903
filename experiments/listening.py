"""Classify clips whole, with shuffled frames, and by their last seconds: what do models listen to?

    python -m experiments.listening --features gtzan/features

Each model sees the features that it was trained on, index-control or index-lowpass in --features.
Writes listening.csv: for every model below the folders in --weights, by default the shipped
ones, how many validation and test clips are right, and how many are classified as the whole clip.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from common.cli import run_script
from common.errors import InputError
from common.files import write_table
from experiments.caches import load_features
from experiments.collect import SUBSETS
from experiments.models import SHIPPED
from experiments.options import make_parser
from genre_lstm.prediction import predict
from genre_lstm.weights import load_models

NAME = "listening.csv"
WHOLE = "whole clip"
SECONDS = (3, 12)


def make_versions(features, settings, rng):
    """Return the features of a clip, (T, 33), whole, with shuffled frames, and its last seconds."""
    ends = {f"last {s} s": features[-settings.frames_in(s) :] for s in SECONDS}
    return {WHOLE: features, "frames shuffled": rng.permutation(features), **ends}


def count_predictions(data, models):
    """Return a row of listening.csv for each version of the validation and test clips."""
    counts, rng = {}, np.random.default_rng(0)
    for subset in SUBSETS:
        for target, features in zip(data.targets[subset], data.inputs[subset], strict=True):
            for version, frames in make_versions(np.array(features), data.settings, rng).items():
                guess = next(iter(predict(models, frames)))
                if version == WHOLE:
                    whole = guess
                correct = {"n": 1, "right": guess == data.genres[target], "same": guess == whole}
                counts.setdefault(version, Counter()).update(correct)
    return [{"version": version} | row for version, row in counts.items()]


def main():
    parser = make_parser("experiments.listening", __doc__, "features")
    default = [SHIPPED / "published", SHIPPED / "improved"]
    parser.add_argument("--weights", metavar="DIR", nargs="+", type=Path, default=default)
    options, rows = parser.parse_args(), []
    for folder in options.weights:
        paths = sorted(folder.rglob("model.pt"))
        if not paths:
            raise InputError(f"no model.pt below {folder}")
        for path in paths:
            models, model = load_models(path), path.parent.relative_to(folder).as_posix()
            data = load_features(options.features, models[0][1]["settings"])
            about = {"models": folder.name, "model": model}
            rows += [about | row for row in count_predictions(data, models)]
    write_table(options.output / NAME, rows[0], rows)


if __name__ == "__main__":
    run_script(main)
