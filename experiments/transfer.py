"""Show the classical and pop clips of another data set to the improved models of GTZAN.

    python -m experiments.transfer --emotify emotify/features --lowpass gtzan/lowpass

What carries over is the share of clips that get the name they have there. This writes
transfer.csv. It needs the weights in experiments/runs/ that python -m experiments leaves.
"""

import argparse
from pathlib import Path

import numpy as np

from common.cli import HelpFormatter, run_script
from common.errors import InputError
from common.files import write_table
from experiments.collect import KEY, add_models, find_models
from experiments.plan import SPLITS
from experiments.tables import lines_of_models, select, shares, summarise, table
from genre_features.cache import GenreFeatureData
from genre_features.clips import SUBSETS
from genre_lstm.prediction import classify

NAME = "transfer"


def write_answers(data, models, output):
    """Write transfer.csv: how often each model gives each of its genres to those of the data.

    Parameters
    ----------
    data : GenreFeatureData
        Clips of all subsets are taken, of the genres that the models know.
    models : list
        See `collect.find_models`.
    output : pathlib.Path
    """
    hops = {data.settings.hop_length, *(saved["settings"].hop_length for _, _, saved in models)}
    if len(hops) > 1:
        found = " and ".join(map(str, sorted(hops)))
        raise InputError(f"data and models differ in hop length, {found}: extract with one of them")
    known = models[0][2]["genres"]
    clips = {genre: [] for genre in data.genres if genre in known}
    for subset in SUBSETS:
        for target, features in zip(data.targets[subset], data.inputs[subset], strict=True):
            if (genre := data.genres[target]) in clips:
                clips[genre].append(np.array(features))
    rows = []
    for key, model, saved in models:
        for genre, own in clips.items():
            answers = [next(iter(classify(model, saved, features))) for features in own]
            counts = {answer: answers.count(answer) for answer in known}
            rows.append(key | {"genre": genre, "n": len(own), **counts})
    write_table(output / f"{NAME}.csv", (*KEY, "genre", "n", *known), rows)


def make_tables(rows):
    """Return a Markdown table, by its title, of the share of each genre's clips recognised."""

    def recall(genre):
        return lambda own: summarise(shares(select(own, genre=genre), genre, "n"), "{:.2f}")

    columns = {f"{genre} recall": recall(genre) for genre in sorted({r["genre"] for r in rows})}
    lines = table(rows, lines_of_models(), columns, head="trained on clips")
    return {"GTZAN's models on another data set": lines}


def main():
    parser = argparse.ArgumentParser(
        prog="python -m experiments.transfer", description=__doc__, formatter_class=HelpFormatter
    )
    features = {"metavar": "DIR", "type": Path, "required": True}
    parser.add_argument("--emotify", **features, help=SPLITS["emotify"])
    add_models(parser)
    options = parser.parse_args()
    models = find_models(vars(options), options.output)
    write_answers(GenreFeatureData(options.emotify).load(), models, options.output)


if __name__ == "__main__":
    run_script(main)
