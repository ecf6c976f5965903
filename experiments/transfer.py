"""Show the classical and pop clips of another data set to the improved models of GTZAN.

    python -m experiments.transfer --emotify emotify/features --lowpass gtzan/lowpass

What carries over is the share of clips that get the name they have there. This writes
transfer.csv. It needs the weights in experiments/runs/ that python -m experiments leaves.
"""

import argparse
from pathlib import Path

import numpy as np

from experiments.collect import KEY, find_models
from experiments.plan import PIECEWISE, PLATEAU, SPLITS
from experiments.tables import VERSION_LABELS, markdown, name_of, select, spread
from genre_features.cache import GenreFeatureData
from genre_features.tracks import PARTS
from genre_lstm.prediction import classify
from plumbing.files import write_table
from plumbing.scripts import HelpFormatter, run_script

NAME = "transfer"
TITLE = "GTZAN's models on another data set"
MODEL_SPLITS = ("control", "lowpass", "both")


def write_answers(data, models, output):
    """Write transfer.csv: how often each model gives each of its genres to those of the data.

    Parameters
    ----------
    data : GenreFeatureData
        Clips of all parts are taken, of the genres that the models know.
    models : list
        See `collect.find_models`.
    output : pathlib.Path
    """
    known = models[0][2]["genres"]
    clips = {genre: [] for genre in data.genres if genre in known}
    for part in PARTS:
        for target, features in zip(data.targets[part], data.inputs[part], strict=True):
            if (genre := data.genres[target]) in clips:
                clips[genre].append(np.array(features))
    rows = []
    for key, model, saved in models:
        for genre, own in clips.items():
            answers = [next(iter(classify(model, saved, features))) for features in own]
            counts = {answer: answers.count(answer) for answer in known}
            rows.append(key | {"genre": genre, "n": len(own), **counts})
    write_table(output / f"{NAME}.csv", (*KEY, "genre", "n", *known), rows)


def make_table(rows):
    """Return a Markdown table of the share of each genre's clips that is recognised."""
    genres = sorted({row["genre"] for row in rows})
    lines = [["trained on clips", "seeds", *(f"{genre} recall" for genre in genres)]]
    lines.append(["---", *["---:"] * (len(genres) + 1)])
    for split in MODEL_SPLITS:
        for schedule in (PIECEWISE, PLATEAU):
            if own := select(rows, split=split, schedule=schedule):
                label = name_of(VERSION_LABELS.get(split, "in both versions"), schedule)
                recalls = [
                    [int(row[genre]) / int(row["n"]) for row in select(own, genre=genre)]
                    for genre in genres
                ]
                lines.append([label, len(recalls[0]), *(spread(r, "{:.2f}") for r in recalls)])
    return markdown(lines)


def main():
    parser = argparse.ArgumentParser(
        prog="python -m experiments.transfer", description=__doc__, formatter_class=HelpFormatter
    )
    add, folder = parser.add_argument, {"metavar": "DIR", "type": Path}
    add("--emotify", **folder, required=True, help=SPLITS["emotify"])
    for split in MODEL_SPLITS:
        add(f"--{split}", **folder, help=SPLITS[split])
    add("--output", **folder, default="experiments", help="where runs/ is and the table goes")
    options = parser.parse_args()
    models = find_models({split: getattr(options, split) for split in MODEL_SPLITS}, options.output)
    write_answers(GenreFeatureData(options.emotify).load(), models, options.output)


if __name__ == "__main__":
    run_script(main)
