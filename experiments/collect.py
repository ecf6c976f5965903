"""Add the finished runs to results.csv, and the predictions of each to predictions/.

    python -m experiments.collect                         # tables beside the runs
    python -m experiments.collect --output experiments    # the committed ones

Runs that are in the tables already are replaced, other rows stay. Run experiments.chains first.
"""

import dataclasses
import itertools
import json
from collections import Counter

import numpy as np

from common.cli import run_script
from common.errors import InputError
from common.files import atomic_write, read_table, write_table
from experiments.chains import band_limited_tracks
from experiments.options import make_parser
from experiments.plan import FINAL, RUNS, STEPS, Run

RESULTS, PREDICTIONS = "results.csv", "predictions"
SUBSETS = ("validation", "test")
CHAINS = {"band_limited": "band-limited", "full_band": "full band"}
SCORES = ("n", "correct", "hiphop_n", "hiphop_correct", "hiphop_as_metal")
COLUMNS = (
    *Run._fields,
    *("epochs", "learning_rate", "seconds", "final_val_loss", "lowest_val_loss"),
    *("change_at_first", "change_reduced"),  # of the loss between validations, by the rate
    *(f"{subset}_{score}" for subset in SUBSETS for score in SCORES),
    *("whole_batches_n", "whole_batches_correct"),
    *(f"{chain}_{score}" for chain in CHAINS for score in ("n", "correct", "as_metal")),
    "validation_confusion",  # row by row; rows are true genres
)


def read_rows(path):
    """Return the rows of a table of runs by their `Run`."""
    return {Run(*(row[k] for k in Run._fields)): row for row in read_table(path)}


def count_correct(rows, prefix):
    """Return two columns of results.csv that count rows of predictions.csv."""
    n_correct = sum(row["true"] == row["predicted"] for row in rows)
    return {f"{prefix}_n": len(rows), f"{prefix}_correct": n_correct}


def count_hiphop(rows, prefix):
    """Return three columns of results.csv that count the hiphop clips in predictions.csv."""
    hiphop = [row for row in rows if row["true"] == "hiphop"]
    n_metal = sum(row["predicted"] == "metal" for row in hiphop)
    return count_correct(hiphop, prefix) | {f"{prefix}_as_metal": n_metal}


def genres_in(rows):
    """Return the genres that the columns of predictions.csv name."""
    return [column[2:] for column in rows[0] if column.startswith("p_")]


def read_training(run, folder):
    """Return a training's settings and validation losses as columns; refuse another recipe."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    recipe = STEPS[run.step]
    if summary["recipe"] != json.loads(json.dumps(dataclasses.asdict(recipe))):
        raise InputError(f"{folder} has another recipe than the plan: delete or rename its folder")
    history = [row for row in read_table(folder / "history.csv") if row["val_loss"]]
    losses = np.array([row["val_loss"] for row in history], float)
    rates = np.array([row["learning_rate"] for row in history], float)
    changes, is_first = np.abs(np.diff(losses)), rates[1:] == rates[0]
    columns = {
        "epochs": recipe.epochs,
        "learning_rate": recipe.learning_rate,
        "seconds": summary["seconds"],
        "final_val_loss": losses[-1],
        "lowest_val_loss": losses.min(),
        "change_at_first": changes[is_first].mean() if is_first.any() else None,
        "change_reduced": changes[~is_first].mean() if not is_first.all() else None,
    }
    return {k: f"{v:.6g}" if isinstance(v, np.floating) else v for k, v in columns.items()}


def read_run(run, folder, predictions, band_limited):
    """Return the row of results.csv of a run, whose rows of predictions.csv are given.

    Only final steps are scored on test clips: between the others, a choice may still be made.
    """
    subsets = SUBSETS if run.step in FINAL else SUBSETS[:1]
    scored = [row for row in predictions if row["subset"] in subsets]
    validation = [row for row in scored if row["subset"] == "validation"]
    columns = run._asdict()
    if run.step != "svm":
        columns |= read_training(run, folder)
        # The original dropped the last validation batch unless it was full.
        n = len(validation) - len(validation) % STEPS[run.step].batch_size
        columns |= count_correct(validation[:n], "whole_batches")
    for subset in subsets:
        rows = [row for row in scored if row["subset"] == subset]
        columns |= count_correct(rows, subset) | count_hiphop(rows, f"{subset}_hiphop")
    for chain in CHAINS:
        is_limited = chain == "band_limited"
        rows = [row for row in scored if (row["track"] in band_limited) == is_limited]
        columns |= count_hiphop(rows, chain)
    pairs = Counter((row["true"], row["predicted"]) for row in validation)
    cells = (pairs[pair] for pair in itertools.product(genres_in(validation), repeat=2))
    return columns | {"validation_confusion": " ".join(map(str, cells))}


def write_predictions(path, by_run):
    """Add the probabilities of runs, given by their rows of predictions.csv, to an .npz file.

    It has ``genres``, each clip's ``track``, ``subset`` and ``true`` genre, and under each run's
    name its probabilities: float16, (clips, genres). InputError if it has other clips.
    """
    arrays = {}
    if path.exists():
        with np.load(path) as file:
            arrays = dict(file)
    for run, rows in by_run.items():
        genres = genres_in(rows)
        clips = {name: np.array([r[name] for r in rows]) for name in ("track", "subset", "true")}
        if not np.array_equal(arrays.get("track", clips["track"]), clips["track"]):
            raise InputError(f"{path} has other clips: choose another --output, or delete it")
        p = np.array([[row[f"p_{genre}"] for genre in genres] for row in rows], np.float16)
        arrays |= clips | {"genres": np.array(genres), run.name: p}
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def collect(runs, output):
    """Add the finished runs in a folder to the tables in another; return their number."""
    results, predictions = read_rows(output / RESULTS), {}
    band_limited = band_limited_tracks(output)
    for run in RUNS:
        folder = run.result(runs)
        if (folder / "summary.json").exists():
            rows = read_table(folder / "predictions.csv")
            predictions.setdefault(run.features, {})[run] = rows
            columns = read_run(run, folder, rows, band_limited)
            results[run] = {name: columns.get(name) for name in COLUMNS}
    write_table(output / RESULTS, COLUMNS, results.values())
    for features, by_run in predictions.items():
        write_predictions(output / PREDICTIONS / f"{features}.npz", by_run)
    return sum(map(len, predictions.values()))


def main():
    options = make_parser("experiments.collect", __doc__, runs=True).parse_args()
    n_runs = collect(options.runs, options.output)
    print(f"{n_runs} finished runs are in {options.output / RESULTS}.")


if __name__ == "__main__":
    run_script(main)
