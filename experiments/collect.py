"""Add the finished runs to the tables: scores, validation losses and predictions of each.

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
from experiments.plan import COMPARED, FINAL, RUNS, STEPS, Run

RESULTS, CURVES, PREDICTIONS = "results.csv", "curves.csv", "predictions"
SUBSETS = ("validation", "test")
CHAINS = {"band_limited": "band-limited", "full_band": "full band"}
SCORES = ("n", "correct", "hiphop_n", "hiphop_correct", "hiphop_as_metal")
COLUMNS = (
    *Run._fields,
    *("epochs", "learning_rate", "seconds", "final_val_loss", "lowest_val_loss", "oscillation"),
    *(f"{subset}_{score}" for subset in SUBSETS for score in SCORES),
    *("whole_batches_n", "whole_batches_correct"),
    *(f"{chain}_{score}" for chain in CHAINS for score in ("n", "correct", "as_metal")),
    "validation_confusion",  # row by row; rows are true genres
)


def read_rows(path):
    """Return the rows of a table of runs by their `Run`."""
    return {Run(*(row[k] for k in Run._fields)): row for row in read_table(path)}


def count_correct(predictions, prefix):
    """Return two columns of results.csv that count rows of predictions.csv."""
    n_correct = sum(row["true"] == row["predicted"] for row in predictions)
    return {f"{prefix}_n": len(predictions), f"{prefix}_correct": n_correct}


def count_hiphop(predictions, prefix):
    """Return three columns of results.csv that count the hiphop clips in predictions.csv."""
    guesses = [row["predicted"] for row in predictions if row["true"] == "hiphop"]
    counts = {"n": len(guesses)}
    counts |= {"correct": guesses.count("hiphop"), "as_metal": guesses.count("metal")}
    return {f"{prefix}_{name}": n for name, n in counts.items()}


def genres_in(predictions):
    """Return the genres that the columns of predictions.csv name."""
    return [column[2:] for column in predictions[0] if column.startswith("p_")]


def count_confusions(predictions):
    """Return the cells of the confusion matrix, row by row, as text."""
    pairs = Counter((row["true"], row["predicted"]) for row in predictions)
    genres = genres_in(predictions)
    return " ".join(str(pairs[pair]) for pair in itertools.product(genres, genres))


def read_training(run, folder):
    """Return a training's settings and validation losses as columns; refuse another recipe."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    recipe = STEPS[run.step]
    if summary["recipe"] != json.loads(json.dumps(dataclasses.asdict(recipe))):
        raise InputError(f"{folder} has another recipe than the plan: delete or rename its folder")
    history = read_table(folder / "history.csv")
    losses = [float(row["val_loss"]) for row in history if row["val_loss"]]
    return {
        "epochs": recipe.epochs,
        "learning_rate": recipe.learning_rate,
        "seconds": summary["seconds"],
        "final_val_loss": f"{losses[-1]:.6g}",
        "lowest_val_loss": f"{min(losses):.6g}",
        "oscillation": f"{np.abs(np.diff(losses)).mean():.6g}",
        "val_losses": " ".join(f"{loss:.4g}" for loss in losses),  # for curves.csv
    }


def read_run(run, folder, band_limited):
    """Return a run's columns of results.csv and curves.csv, and its rows of predictions.csv.

    Only final steps are scored on test clips: between the others, a choice may still be made.
    """
    subsets = SUBSETS if run.step in FINAL else SUBSETS[:1]
    rows = [row for row in read_table(folder / "predictions.csv") if row["subset"] in subsets]
    by_subset = {subset: [row for row in rows if row["subset"] == subset] for subset in subsets}
    validation, columns = by_subset["validation"], run._asdict()
    if run.step != "svm":
        columns |= read_training(run, folder)
        # The original dropped the last validation batch unless it was full.
        n = len(validation) - len(validation) % STEPS[run.step].batch_size
        columns |= count_correct(validation[:n], "whole_batches")
    for subset, clips in by_subset.items():
        columns |= count_correct(clips, subset) | count_hiphop(clips, f"{subset}_hiphop")
    for chain in CHAINS:
        is_limited = chain == "band_limited"
        clips = [row for row in rows if (row["track"] in band_limited) == is_limited]
        columns |= count_hiphop(clips, chain)
    return columns | {"validation_confusion": count_confusions(validation)}, rows


def write_predictions(path, by_run):
    """Add the probabilities of runs on the same features to an .npz file.

    Parameters
    ----------
    path : pathlib.Path
        A file of ``genres``, each clip's ``track``, ``subset`` and ``true`` genre, and under each
        run's name its probabilities: float16, (clips, genres).
    by_run : dict of str to list of dict
        For each run's name its rows of predictions.csv: validation clips, then any test clips.

    Raises
    ------
    InputError
        The file has the predictions of other clips.
    """
    longest = max(by_run.values(), key=len)
    genres = genres_in(longest)
    arrays = {name: np.array([r[name] for r in longest]) for name in ("track", "subset", "true")}
    arrays["genres"] = np.array(genres)
    if path.exists():
        with np.load(path) as file:
            saved = dict(file)
        n = min(len(saved["track"]), len(longest))
        if (saved["track"][:n] != arrays["track"][:n]).any():
            raise InputError(f"{path} has other clips: choose another --output, or delete it")
        arrays = saved if len(saved["track"]) > n else saved | arrays
    for name, rows in by_run.items():
        arrays[name] = np.array([[row[f"p_{g}"] for g in genres] for row in rows], np.float16)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def collect(runs, output):
    """Add the finished runs in a folder to the tables in another; return their number."""
    results, curves, predictions = read_rows(output / RESULTS), read_rows(output / CURVES), {}
    band_limited = band_limited_tracks(output)
    for run in RUNS:
        folder = run.result(runs)
        if (folder / "summary.json").exists():
            columns, rows = read_run(run, folder, band_limited)
            results[run] = {name: columns.get(name) for name in COLUMNS}
            predictions.setdefault(run.features, {})[run.name] = rows
            if run.step in COMPARED:
                curves[run] = run._asdict() | {"val_losses": columns["val_losses"]}
    write_table(output / RESULTS, COLUMNS, results.values())
    write_table(output / CURVES, (*Run._fields, "val_losses"), curves.values())
    for features, by_run in predictions.items():
        write_predictions(output / PREDICTIONS / f"{features}.npz", by_run)
    return sum(map(len, predictions.values()))


def main():
    options = make_parser("experiments.collect", __doc__).parse_args()
    n_runs = collect(options.runs, options.output)
    print(f"{n_runs} finished runs are in {options.output / RESULTS}.")


if __name__ == "__main__":
    run_script(main)
