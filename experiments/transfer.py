"""Classify another data set's clips with the improved models, where both know the genre.

    python -m experiments.transfer --features gtzan/features/emotify

Writes transfer.csv: how often each model predicts each of its genres.
"""

from collections import Counter

from common.cli import run_script
from common.errors import InputError
from common.files import write_table
from experiments.models import load_models, predict_genre
from experiments.options import make_parser
from experiments.plan import Run
from genre_features.cache import GenreFeatureData
from genre_features.clips import SUBSETS

NAME = "transfer.csv"


def write_counts(data, models, output):
    """Write transfer.csv: for each model and genre of the data, counts of the predictions.

    Clips of all subsets are used. Data and models of different hop lengths are refused.
    """
    genres = models[0][2]["genres"]
    hops = {data.settings.hop_length, *(saved["settings"].hop_length for *_, saved in models)}
    if len(hops) > 1:
        both = " and ".join(map(str, sorted(hops)))
        raise InputError(f"data and models differ in hop length, {both}: extract with one of them")
    shared = [genre for genre in data.genres if genre in genres]
    counts = {(run, genre): Counter() for run, *_ in models for genre in shared}
    for subset in SUBSETS:
        for target, features in zip(data.targets[subset], data.inputs[subset], strict=True):
            if (genre := data.genres[target]) in shared:
                for run, model, saved in models:
                    counts[run, genre][predict_genre(model, saved, features.copy())] += 1
    rows = [
        run._asdict() | {"genre": genre, "n": n.total()} | {guess: n[guess] for guess in genres}
        for (run, genre), n in counts.items()
    ]
    write_table(output / NAME, (*Run._fields, "genre", "n", *genres), rows)


def main():
    options = make_parser("experiments.transfer", __doc__, "features").parse_args()
    models = load_models(options.runs)
    write_counts(GenreFeatureData(options.features).load(), models, options.output)


if __name__ == "__main__":
    run_script(main)
