"""The models that clips are shown to, and their predictions for changed versions of real clips."""

import itertools
from collections import Counter

from tqdm import tqdm

from common.errors import InputError
from experiments.options import ROOT
from experiments.plan import INDEX, PIECEWISE, PLATEAU, RUNS
from genre_features.audio import load_signal
from genre_features.clips import find_clips
from genre_features.features import extract_features
from genre_lstm.prediction import predict
from genre_lstm.weights import load_models

SHIPPED = ROOT / "weights" / "reference"
# The improved models of the index split: for each kind of features the step.
STEP = dict.fromkeys(INDEX, "improved") | {"index-both": "improved-120-epochs"}
SECONDS = 31  # GTZAN's clips are shorter; of longer files the start is used
UNCHANGED = "unchanged"  # the version of a clip that others are compared with


def load_runs(runs):
    """Return the plan's models for `STEP` by run, each as `load_models` does."""
    models = {
        run: load_models(path)
        for run in RUNS
        if run.step == STEP.get(run.features) and (path := run.weights(runs) / "model.pt").exists()
    }
    if not models:
        raise InputError(f"no improved models in {runs}: python -m experiments says how to train")
    return models


def load_published():
    """Return the shipped published models by schedule, each as `load_models` does."""
    return {name: load_models(SHIPPED / "published" / name) for name in (PIECEWISE, PLATEAU)}


def load_shipped():
    """Return every shipped model, and the improved ones together, by name; see `load_models`."""
    models = {
        ", ".join(path.parent.relative_to(SHIPPED).parts): load_models(path)
        for recipe in ("published", "improved")
        for path in sorted((SHIPPED / recipe).rglob("model.pt"))
    }
    return models | {"improved, together": load_models(SHIPPED / "improved")}


def classify_versions(dataset, models, make_versions):
    """Yield the predictions for every version of the clips whose genre the models know.

    Parameters
    ----------
    dataset : pathlib.Path
        A folder of labelled clips.
    models : dict
        Under any keys, models that answer together; see `load_models`.
    make_versions : function
        From a signal at 22,050 Hz to a dict of signals.

    Yields
    ------
    tuple
        The `Clip`, the key of the models, the key of the version, and what `predict` returns.
    """
    settings = {key: group[0][1]["settings"] for key, group in models.items()}
    known = next(iter(models.values()))[0][1]["genres"]
    clips = [clip for clip in find_clips(dataset)[0] if clip.genre in known]
    if not clips:
        raise InputError(f"{dataset} has no clips of the models' genres, {', '.join(known)}")
    for clip in tqdm(clips, "Clips", unit="clip"):
        versions = make_versions(load_signal(dataset / clip.file, SECONDS))
        features = {
            (name, each): extract_features(signal, each)[: each.frames]
            for (name, signal), each in itertools.product(versions.items(), set(settings.values()))
        }
        for (key, group), name in itertools.product(models.items(), versions):
            yield clip, key, name, predict(group, features[name, settings[key]])


def count_predictions(dataset, models, make_versions):
    """Return, for each key of the models, counts of the clips and of the predictions for versions.

    Those that are right, and the same as for the unchanged clip, which must be the first version;
    see `classify_versions`.
    """
    counts = {}
    for clip, key, name, probabilities in classify_versions(dataset, models, make_versions):
        guess, row = next(iter(probabilities)), counts.setdefault(key, Counter())
        if name == UNCHANGED:
            row["clips"] += 1
            unchanged = guess
        row[f"right, {name}"] += guess == clip.genre
        row[f"same, {name}"] += guess == unchanged
    return counts
