"""Classify another data set's clips with the improved models, where both know the genre.

    python -m experiments.transfer --features gtzan/features/emotify

Of the models in --runs, those trained on features of the same hop length and low-pass are used.
Writes transfer.csv: how often each of them predicts each of its genres.
"""

from collections import Counter

import numpy as np

from common.cli import run_script
from common.errors import InputError
from common.files import write_table
from experiments.caches import fits
from experiments.models import load_runs
from experiments.options import make_parser
from genre_features.cache import GenreFeatureData
from genre_lstm.prediction import predict

NAME = "transfer.csv"


def count_predictions(data, models):
    """Return the rows of transfer.csv for all clips of a `GenreFeatureData`; see `load_runs`."""
    models = {run: group for run, group in models.items() if fits(data, group[0][1]["settings"])}
    if not models:
        raise InputError(f"no model was trained on features computed as {data.folder}")
    (_, saved), *_ = next(iter(models.values()))
    counts = {}
    for subset, targets in data.targets.items():
        for target, features in zip(targets, data.inputs[subset], strict=True):
            if (genre := data.genres[target]) in saved["genres"]:
                for run, group in models.items():
                    guess = next(iter(predict(group, np.array(features))))
                    counts.setdefault((run, genre), Counter())[guess] += 1
    return [
        run._asdict() | {"genre": genre, "n": n.total()} | {g: n[g] for g in saved["genres"]}
        for (run, genre), n in counts.items()
    ]


def main():
    options = make_parser("experiments.transfer", __doc__, "features", runs=True).parse_args()
    data = GenreFeatureData(options.features).load()
    rows = count_predictions(data, load_runs(options.runs))
    write_table(options.output / NAME, rows[0], rows)


if __name__ == "__main__":
    run_script(main)
