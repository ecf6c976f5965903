"""The tables of runs: a row, or several, for each run that is done."""

import itertools
import json
from pathlib import Path

import numpy as np

from common.errors import InputError
from common.files import read_table, write_table
from experiments.baseline import score_baseline
from experiments.plan import (
    COMPARED,
    FILTERED_SPLITS,
    FINAL,
    HALVED,
    INDEX_SPLITS,
    MODEL_SPLITS,
    RUNS,
    SPLITS,
)
from genre_features.cache import GenreFeatureData
from genre_lstm.weights import load_model

RESULTS, CURVES = "results.csv", "curves.csv"
HIPHOP, CONFUSIONS = "hiphop.csv", "confusions.csv"
KEY = ("fingerprint", "step", "split", "schedule", "seed")
SCORES = ("n", "correct", "hiphop_n", "hiphop_correct", "hiphop_as_metal")
HIPHOP_ANSWERS = ("hiphop", "metal")
# The columns of each table.
TABLES = {
    RESULTS: (
        *KEY,
        *("epochs", "learning_rate", "seconds", "final_val_loss", "lowest_val_loss", "oscillation"),
        *(f"{subset}_{score}" for subset in ("validation", "test") for score in SCORES),
        *("whole_batches_n", "whole_batches_correct"),
    ),
    CURVES: (*KEY, "epoch", "val_loss", "val_accuracy"),
    HIPHOP: (*KEY, "chain", "n", *HIPHOP_ANSWERS),
    CONFUSIONS: (*KEY, "genre", "predicted", "n"),  # of the validation subset
}
CHAINS = {True: "band-limited", False: "full band"}
COMPARED_STEPS = list(itertools.chain.from_iterable(COMPARED.values()))


def folder_of(run, data, output):
    """Return where a run's files go: other settings or other data have another name."""
    name = f"{run.step} {run.schedule} {run.seed}".replace(", ", "-").replace(" ", "-")
    return output / "runs" / f"{name}-{run.fingerprint(data.checksums)}"


def key_of(run, data):
    """Return the columns of every table that say which run a row is of."""
    about = {"step": run.step, "split": run.split, "schedule": run.schedule, "seed": run.seed}
    return {"fingerprint": run.fingerprint(data.checksums)} | about


def add_models(parser):
    """Add the options that say where `find_models` finds models, and where a table goes."""
    folder = {"metavar": "DIR", "type": Path}
    for split in MODEL_SPLITS:
        parser.add_argument(f"--{split}", **folder, help=SPLITS[split])
    text = "where runs/ is and the table goes"
    parser.add_argument("--output", **folder, default="experiments", help=text)


def find_models(folders, output):
    """Return the improved models in runs/, as (key, model, saved): see `key_of`, `load_model`.

    Parameters
    ----------
    folders : dict
        Under the name of each split the folder of the features that models were trained on, if
        theirs are wanted.
    output : pathlib.Path

    Raises
    ------
    InputError
        There is none.
    """
    models = []
    for split in MODEL_SPLITS:
        if not folders.get(split):
            continue
        data = GenreFeatureData(folders[split]).load()
        runs = [run for run in RUNS if run.split == split and run.step in ("improved", HALVED)]
        for run in runs:
            path = folder_of(run, data, output) / "weights" / run.schedule / "model.pt"
            if path.exists():
                models.append((key_of(run, data), *load_model(path)))
    if not models:
        raise InputError(
            f"no weights of an improved model in {output / 'runs'} for these features: "
            "python -m experiments trains them"
        )
    return models


def counts(confusion, genres, subset):
    """Return the columns of results.csv that a subset's confusion matrix fills."""
    confusion = np.array(confusion)
    filled = {f"{subset}_n": int(confusion.sum()), f"{subset}_correct": int(confusion.trace())}
    if "hiphop" in genres:
        hiphop, metal = genres.index("hiphop"), genres.index("metal")
        filled |= {
            f"{subset}_hiphop_n": int(confusion[hiphop].sum()),
            f"{subset}_hiphop_correct": int(confusion[hiphop, hiphop]),
            f"{subset}_hiphop_as_metal": int(confusion[hiphop, metal]),
        }
    return filled


def count_whole_batches(predictions, batch_size):
    """Return the columns of results.csv that tell what the original would have scored.

    It left out the last validation batch unless it was full.
    """
    right = [
        row["true"] == row["predicted"] for row in predictions if row["subset"] == "validation"
    ]
    n = len(right) // batch_size * batch_size
    return {"whole_batches_n": n, "whole_batches_correct": sum(right[:n])}


def count_by_chain(predictions, cut):
    """Yield columns of hiphop.csv: the answers to hiphop clips of each recording chain.

    Parameters
    ----------
    predictions : list of dict
        Of predictions.csv.
    cut : dict of str to bool
        Whether a track is band-limited.
    """
    hiphop = [row for row in predictions if row["true"] == "hiphop"]
    for chain in (True, False):
        answers = [row["predicted"] for row in hiphop if cut[row["track"]] == chain]
        yield {
            "chain": CHAINS[chain],
            "n": len(answers),
            **{answer: answers.count(answer) for answer in HIPHOP_ANSWERS},
        }


def baseline_row(split, data):
    """Return the row of results.csv of the support vector machine."""
    row = {"step": "svm", "split": split}
    for subset, confusion in score_baseline(data).items():
        row |= counts(confusion, data.genres, subset)
    return row


def collect(run, data, output, cut):
    """Return the rows that a finished run adds to each table, by its file; {} if unfinished."""
    folder = folder_of(run, data, output) / "result" / run.schedule
    if not (folder / "history.csv").exists() or not (folder / "summary.json").exists():
        return {}
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    predictions = read_table(folder / "predictions.csv")
    validated = [row for row in read_table(folder / "history.csv") if row["val_loss"] != ""]
    losses = np.array([float(row["val_loss"]) for row in validated])
    key = key_of(run, data)
    row = key | {
        "epochs": run.recipe.epochs,
        "learning_rate": run.recipe.learning_rate,
        "seconds": summary["seconds"],
        "final_val_loss": losses[-1],
        "lowest_val_loss": losses.min(),
        "oscillation": np.abs(np.diff(losses)).mean(),
    }
    row |= count_whole_batches(predictions, run.recipe.batch_size)
    for subset in ("validation", "test") if run.step in FINAL else ("validation",):
        row |= counts(summary[subset]["confusion"], data.genres, subset)
    rows = {RESULTS: [row]}
    if run.step in COMPARED_STEPS and run.split == "index":
        names = ("epoch", "val_loss", "val_accuracy")
        rows[CURVES] = [key | {name: point[name] for name in names} for point in validated]
    if run.step in FINAL and run.split in INDEX_SPLITS + FILTERED_SPLITS:
        rows[HIPHOP] = [key | found for found in count_by_chain(predictions, cut)]
        rows[CONFUSIONS] = [
            key | {"genre": genre, "predicted": answer, "n": n}
            for genre, counted in zip(data.genres, summary["validation"]["confusion"], strict=True)
            for answer, n in zip(data.genres, counted, strict=True)
        ]
    return rows


def gather(splits, output, cut):
    """Return the rows of every table, by its file: those of every run that is done.

    They come from the runs' folders or else from the tables themselves, which hold the runs of
    other days and machines. Rows of a split that isn't given stay; those of other features than
    these, or of settings that are no longer planned, go.
    """
    held = {name: read_table(output / name) for name in TABLES}
    gathered = {
        name: [row for row in rows if row["split"] not in splits] for name, rows in held.items()
    }
    for run in RUNS:
        if not (data := splits.get(run.split)):
            continue
        found, key = collect(run, data, output, cut), run.fingerprint(data.checksums)
        for name, rows in held.items():
            kept = [row for row in rows if (row["fingerprint"], row["split"]) == (key, run.split)]
            gathered[name] += found.get(name, []) if found else kept
    return gathered


def write_results(splits, output, baselines, cut):
    """Write the tables of what is done."""
    gathered = gather(splits, output, cut)
    gathered[RESULTS] = baselines + gathered[RESULTS]
    for name, columns in TABLES.items():
        write_table(output / name, columns, gathered[name])
