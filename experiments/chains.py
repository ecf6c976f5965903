"""Tell GTZAN's two recording chains apart, and show what their cutoff does to the published models.

    python -m experiments.chains --features gtzan/features --artists gtzan/artists.csv

From 6.4 to 11 kHz, the spectral contrast is high where a recording chain has let nothing through.
Writes chains.csv: for each track its mean contrast, and the predictions of the shipped published
models for index-control and index-lowpass in --features, so that only the highest band differs.
With --artists, a table with the columns track and artist, also writes chain_auc.csv: how well the
features of held-out artists tell the chains apart, within each genre that has both.
"""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from common.cli import run_script
from common.errors import InputError
from common.files import read_table, write_table
from experiments.caches import check_same_tracks, load_features, read_artists
from experiments.models import load_published
from experiments.options import ROOT, make_parser
from experiments.plan import PIECEWISE
from genre_lstm.prediction import predict

NAME, AUC = "chains.csv", "chain_auc.csv"
VERSIONS = UNFILTERED, LOWPASSED = "unfiltered", "low-passed"
MAX_CONTRAST = 25  # dB; band-limited clips have more
MIN_CLIPS = 20  # of each chain, in the genres within which the chains are told apart


def is_band_limited(row):
    """Whether a row of chains.csv is of a band-limited clip."""
    return float(row["contrast"]) > MAX_CONTRAST


def band_limited_tracks(folder):
    """Return the band-limited tracks in a folder's chains.csv, or else in the committed one."""
    rows = read_table(folder / NAME) or read_table(ROOT / "experiments" / NAME)
    return {row["track"] for row in rows if is_band_limited(row)}


def classify_tracks(versions, models):
    """Return a row of chains.csv for each track of the features, given by version."""
    unfiltered, rows = versions[UNFILTERED], []
    for subset, tracks in unfiltered.tracks.items():
        for i, track in enumerate(tracks):
            clips = {
                version: np.array(data.inputs[subset][i]) for version, data in versions.items()
            }
            genre = unfiltered.genres[unfiltered.targets[subset][i]]
            row = {"track": track, "subset": subset, "genre": genre}
            row["contrast"] = f"{clips[UNFILTERED][:, -1].mean(dtype=float):.2f}"
            for (name, group), version in itertools.product(models.items(), clips):
                row[f"{name}, {version}"] = next(iter(predict(group, clips[version])))
            rows.append(row)
    return rows


def cross_validate(inputs, targets, artists):
    """Return the area under the ROC curve of a logistic regression, for held-out artists.

    The mean over ten random divisions of the artists into five folds.
    """
    machine, areas = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)), []
    for seed in range(10):
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        options = {"groups": artists, "cv": folds, "method": "decision_function"}
        areas.append(roc_auc_score(targets, cross_val_predict(machine, inputs, targets, **options)))
    return np.mean(areas)


def tell_chains_apart(rows, versions, artists):
    """Return the rows of chain_auc.csv, from those of chains.csv and each track's artist.

    The inputs are each track's means and deviations of the features, and the deviations alone:
    they are left when each track's mean is removed.
    """
    inputs = {}
    for version, data in versions.items():
        clips = np.concatenate(list(data.inputs.values()))
        mean, std = clips.mean(axis=1), clips.std(axis=1)
        inputs |= {version: np.hstack([mean, std]), f"{version}, mean removed": std}
    genres = np.array([row["genre"] for row in rows])
    limited = np.array([is_band_limited(row) for row in rows])
    areas = []
    for genre in np.unique(genres):
        clips = genres == genre
        n_full, n_limited = np.bincount(limited[clips], minlength=2)
        if min(n_full, n_limited) >= MIN_CLIPS:
            row = {"genre": genre, "band-limited": n_limited, "full band": n_full}
            row["artists"] = len(np.unique(artists[clips]))
            for name, values in inputs.items():
                area = cross_validate(values[clips], limited[clips], artists[clips])
                row[name] = f"{area:.2f}"
            areas.append(row)
    return areas


def main():
    parser = make_parser("experiments.chains", __doc__, "features")
    parser.add_argument("--artists", metavar="CSV", type=Path)
    options, models = parser.parse_args(), load_published()
    (_, saved), *_ = models[PIECEWISE]
    settings = [dataclasses.replace(saved["settings"], lowpass=hz) for hz in (None, 9000)]
    data = [load_features(options.features, each) for each in settings]
    check_same_tracks(*data)
    versions = dict(zip(VERSIONS, data, strict=True))
    rows = classify_tracks(versions, models)
    write_table(options.output / NAME, rows[0], rows)
    if options.artists:
        artist_of = read_artists(options.artists)
        # Unknown artists count as one artist each.
        artists = np.array([artist_of.get(row["track"]) or row["track"] for row in rows])
        if not (rows := tell_chains_apart(rows, versions, artists)):
            raise InputError(f"no genre has {MIN_CLIPS} clips of each recording chain")
        write_table(options.output / AUC, rows[0], rows)


if __name__ == "__main__":
    run_script(main)
