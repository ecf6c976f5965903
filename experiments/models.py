"""The improved models in the folder of the runs, which other audio is shown to."""

from common.errors import InputError
from experiments.plan import INDEX, RUNS
from genre_lstm.prediction import predict
from genre_lstm.weights import load_model

STEP = dict.fromkeys(INDEX, "improved") | {"index-both": "improved-120-epochs"}


def load_models(runs):
    """Return the improved models of each version of the index split, as (run, model, saved)."""
    models = [
        (run, *load_model(path))
        for run in RUNS
        if run.step == STEP.get(run.features) and (path := run.weights(runs) / "model.pt").exists()
    ]
    if not models:
        raise InputError(f"no improved models in {runs}: python -m experiments says how to train")
    return models


def predict_genre(model, saved, features):
    """Return the most likely genre of a clip."""
    return next(iter(predict([(model, saved)], features)))
