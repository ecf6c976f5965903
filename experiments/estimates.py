"""Classify real clips, and the estimated features of the same tracks, with the shipped models.

    python -m experiments.estimates --clips gtzan/genres --features gtzan/features

Each model sees the features it was trained on, index-control or index-lowpass in --features.
Writes estimates.csv: how many predictions are right for the audio and for the features, and how
many are the same.
"""

import numpy as np

from common.cli import run_script
from common.files import write_table
from experiments.caches import load_features
from experiments.models import UNCHANGED, classify_versions, load_shipped
from experiments.options import make_parser
from genre_lstm.prediction import predict

NAME = "estimates.csv"


def compare_predictions(dataset, folder, models):
    """Return a row of estimates.csv for each of the models; clips without features are left out."""
    rows, features = {}, {}
    for key, ((_, saved), *_) in models.items():
        data = load_features(folder, saved["settings"])
        rows[key] = {"models": key, "clips": 0, "right, audio": 0, "right, estimates": 0, "same": 0}
        for subset, tracks in data.tracks.items():
            features |= {(key, t): x for t, x in zip(tracks, data.inputs[subset], strict=True)}
    versions = classify_versions(dataset, models, lambda signal: {UNCHANGED: signal})
    for clip, key, _, probabilities in versions:
        if (key, clip.name) in features:
            estimate = predict(models[key], np.array(features[key, clip.name]))
            audio, estimate = next(iter(probabilities)), next(iter(estimate))
            rows[key]["clips"] += 1
            rows[key]["right, audio"] += audio == clip.genre
            rows[key]["right, estimates"] += estimate == clip.genre
            rows[key]["same"] += audio == estimate
    return list(rows.values())


def main():
    options = make_parser("experiments.estimates", __doc__, "clips", "features").parse_args()
    rows = compare_predictions(options.clips, options.features, load_shipped())
    write_table(options.output / NAME, rows[0], rows)


if __name__ == "__main__":
    run_script(main)
