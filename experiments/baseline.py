"""Fit a support vector machine to summary statistics of the same features.

    python -m experiments.baseline --features gtzan --output svm

Writes summary.json and predictions.csv.
"""

import numpy as np
import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from common.cli import run_script
from common.files import write_json, write_table
from experiments.options import make_parser
from genre_features.cache import GenreFeatureData
from genre_lstm.results import prediction_rows
from genre_lstm.scoring import Predictions

PENALTIES = (0.3, 1, 3, 10, 30)


def summary_statistics(features):
    """Return 231 numbers a clip, (n, 231), of features, (n, T, 33).

    Of each feature the mean, standard deviation, 10th, 50th and 90th percentile, and the mean and
    standard deviation of the absolute change from frame to frame.
    """
    changes = np.abs(np.diff(features, axis=1))
    quantiles = np.quantile(features, (0.1, 0.5, 0.9), axis=1)
    statistics = [features.mean(axis=1), features.std(axis=1), *quantiles]
    return np.concatenate([*statistics, changes.mean(axis=1), changes.std(axis=1)], axis=1)


def fit_machine(data):
    """Fit a machine for each penalty; return the one that is right most often on validation."""
    inputs = {
        subset: summary_statistics(np.asarray(clips)) for subset, clips in data.inputs.items()
    }
    machines = [
        make_pipeline(StandardScaler(), SVC(C=penalty)).fit(inputs["train"], data.targets["train"])
        for penalty in PENALTIES
    ]
    best = max(machines, key=lambda m: m.score(inputs["validation"], data.targets["validation"]))
    return best, inputs


def main():
    options = make_parser("experiments.baseline", __doc__, "features").parse_args()
    data, rows = GenreFeatureData(options.features).load(), []
    machine, inputs = fit_machine(data)
    for subset in ("validation", "test"):
        # The machine has no probabilities: its predictions count as certain.
        guesses = np.eye(len(data.genres))[machine.predict(inputs[subset])]
        predictions = Predictions(torch.tensor(guesses).log(), data.targets[subset])
        rows += prediction_rows(subset, data, predictions, temperature=1)
    write_table(options.output / "predictions.csv", rows[0], rows)
    write_json(options.output / "summary.json", {"penalty": machine["svc"].C})


if __name__ == "__main__":
    run_script(main)
