"""Fit a support vector machine to summary statistics of the same features.

    python -m experiments.baseline --features gtzan --output svm

Writes summary.json and predictions.csv.
"""

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from common.cli import run_script
from common.files import write_json, write_table
from experiments.options import make_parser
from genre_features.cache import GenreFeatureData

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


def predict_subsets(data):
    """Fit a machine for each penalty; return the penalty and predictions of the best.

    The best has the highest accuracy on the validation subset.
    """
    inputs = {subset: summary_statistics(np.asarray(data.inputs[subset])) for subset in data.inputs}
    machines = [
        make_pipeline(StandardScaler(), SVC(C=penalty)).fit(inputs["train"], data.targets["train"])
        for penalty in PENALTIES
    ]
    best = max(machines, key=lambda m: m.score(inputs["validation"], data.targets["validation"]))
    return best["svc"].C, {subset: best.predict(inputs[subset]) for subset in inputs}


def main():
    options = make_parser("experiments.baseline", __doc__, "features").parse_args()
    data, rows = GenreFeatureData(options.features).load(), []
    penalty, predicted = predict_subsets(data)
    for subset in ("validation", "test"):
        clips = zip(data.tracks[subset], data.targets[subset], predicted[subset], strict=True)
        for track, true, guess in clips:
            row = {"track": track, "subset": subset, "true": data.genres[true]}
            row["predicted"] = data.genres[guess]
            # The machine has no probabilities: its predictions count as certain.
            rows.append(row | {f"p_{g}": int(i == guess) for i, g in enumerate(data.genres)})
    write_table(options.output / "predictions.csv", rows[0], rows)
    write_json(options.output / "summary.json", {"penalty": penalty})


if __name__ == "__main__":
    run_script(main)
