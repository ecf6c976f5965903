"""Train every step of the ladder over seeds, and write what the README says of them.

    python -m experiments --features gtzan --filtered gtzan/filtered --jobs 2

Runs that are done are kept and runs that were stopped go on. Then the table and the figures are
made anew; python -m experiments.report makes them from the .csv files alone.
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from experiments import report
from experiments.artists import write_artists
from experiments.baseline import score_baseline
from experiments.chains import write_chains
from experiments.distances import write_distances
from experiments.plan import COMPARED, FINAL, RUNS, SPLITS, STEPS
from genre_features.cache import GenreFeatureData
from genre_features.genres import TEN_GENRES
from plumbing.files import read_table, write_table
from plumbing.inputs import InputError
from plumbing.scripts import HelpFormatter, at_least, run_script

ROOT = Path(__file__).parent.parent
COMPARED_STEPS = list(itertools.chain.from_iterable(COMPARED.values()))


def load_splits(options):
    """Return the features of each split that was given, by its name."""
    splits = {}
    for split in SPLITS:
        if folder := getattr(options, "features" if split == "index" else split):
            splits[split] = GenreFeatureData(folder.resolve()).load()
            for part, targets in splits[split].targets.items():
                there = {splits[split].genres[i] for i in np.unique(targets)}
                if missing := {"hiphop", "metal"} - there:
                    raise InputError(f"no clip of {min(missing)} in the {part} part of {folder}")
    return splits


def folder_of(run, data, output):
    """Return where a run's files go: other settings or other data have another name."""
    name = f"{run.step} {run.schedule} {run.seed}".replace(", ", "-").replace(" ", "-")
    return output / "runs" / f"{name}-{run.fingerprint(data.checksums)}"


def command(run, data, output):
    """Return the command line of a run; it goes on where an earlier one was stopped."""
    folder = folder_of(run, data, output)
    line = [*run.arguments(), "--features", str(data.folder), "--device", "cpu"]
    line += ["--weights", str(folder / "weights"), "--result", str(folder / "result")]
    begun = (folder / "weights" / run.schedule / "checkpoint.pt").exists()
    return line + ["--resume"] * begun


def train(run, data, output):
    """Train one run, with one thread, so that its numbers don't depend on the number of jobs."""
    folder = folder_of(run, data, output)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        line = [sys.executable, *command(run, data, output)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(line, cwd=ROOT, env=environment, stdout=log, stderr=log)
    if done.returncode:
        raise InputError(f"a run stopped: see {log.name}")


def counts(confusion, genres, part):
    """Return the columns of results.csv that a part's confusion matrix fills."""
    confusion, hiphop, metal = np.array(confusion), genres.index("hiphop"), genres.index("metal")
    return {
        f"{part}_n": int(confusion.sum()),
        f"{part}_correct": int(confusion.trace()),
        f"{part}_hiphop_n": int(confusion[hiphop].sum()),
        f"{part}_hiphop_correct": int(confusion[hiphop, hiphop]),
        f"{part}_hiphop_as_metal": int(confusion[hiphop, metal]),
    }


def baseline_row(split, data):
    """Return the row of results.csv of the support vector machine."""
    row = {"step": "svm", "split": split}
    for part, confusion in score_baseline(data).items():
        row |= counts(confusion, data.genres, part)
    return row


def collect(run, data, output):
    """Return a finished run's row of results.csv and its rows of curves.csv; None if unfinished."""
    folder = folder_of(run, data, output) / "result" / run.schedule
    if not (folder / "summary.json").exists():
        return None
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    validated = [row for row in read_table(folder / "history.csv") if row["val_loss"] != ""]
    losses = np.array([float(row["val_loss"]) for row in validated])
    key = {"fingerprint": run.fingerprint(data.checksums)}
    key |= {"step": run.step, "split": run.split, "schedule": run.schedule, "seed": run.seed}
    row = key | {
        "epochs": run.recipe.epochs,
        "learning_rate": run.recipe.learning_rate,
        "seconds": summary["seconds"],
        "final_val_loss": losses[-1],
        "lowest_val_loss": losses.min(),
        "oscillation": np.abs(np.diff(losses)).mean(),
    }
    for part in ("validation", "test") if run.step in FINAL else ("validation",):
        row |= counts(summary[part]["confusion"], data.genres, part)
    curve = [
        key | {name: point[name] for name in ("epoch", "val_loss", "val_accuracy")}
        for point in validated
        if run.step in COMPARED_STEPS and run.split == "index"
    ]
    return row, curve


def gather(splits, output):
    """Return the rows of results.csv and of curves.csv of every run that is done.

    They come from the runs' folders or else from the tables themselves, which hold the runs of
    other days and machines. Rows of a split that isn't given stay; those of other features than
    these, or of settings that are no longer planned, go.
    """
    held, held_curves = (read_table(output / name) for name in (report.RESULTS, report.CURVES))
    rows = [row for row in held if row["split"] not in splits]
    curves = [row for row in held_curves if row["split"] not in splits]
    for run in RUNS:
        if not (data := splits.get(run.split)):
            continue
        if found := collect(run, data, output):
            rows.append(found[0])
            curves += found[1]
        else:
            key = run.fingerprint(data.checksums)
            rows += [row for row in held if row["fingerprint"] == key]
            curves += [row for row in held_curves if row["fingerprint"] == key]
    return rows, curves


def write_results(splits, output, baselines):
    """Write the tables of what is done."""
    rows, curves = gather(splits, output)
    write_table(output / report.RESULTS, report.RESULT_COLUMNS, [*baselines, *rows])
    write_table(output / report.CURVES, report.CURVE_COLUMNS, curves)


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="python -m experiments", description=__doc__, formatter_class=HelpFormatter
    )
    add, folder = parser.add_argument, {"metavar": "DIR", "type": Path}
    add("--features", **folder, default="gtzan", help=SPLITS["index"])
    for split in list(SPLITS)[1:]:
        add(f"--{split}", **folder, help=SPLITS[split])
    add("--output", **folder, default="experiments", help="where all of it goes")
    add("--steps", metavar="STEP", nargs="+", choices=list(STEPS), help="run these alone")
    add("--jobs", metavar="N", type=at_least(1), default=1, help="runs at a time, a core each")
    add("--dry-run", action="store_true", help="list the runs, and train none")
    return parser.parse_args()


def main():
    options = parse_arguments()
    splits, output = load_splits(options), options.output.resolve()
    done = {row["fingerprint"] for row in gather(splits, output)[0]}
    chosen = [
        (run, data, run.fingerprint(data.checksums) in done)
        for run in RUNS
        if (data := splits.get(run.split)) and (not options.steps or run.step in options.steps)
    ]
    left = [(run, data) for run, data, is_done in chosen if not is_done]
    if options.dry_run:
        for run, data, is_done in chosen:
            print("# done: " * is_done + shlex.join(["python", *command(run, data, output)]))
        print(f"{len(left)} of {len(chosen)} runs are left.", file=sys.stderr)
        return
    baselines = [baseline_row(split, data) for split, data in splits.items()]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        try:
            begun = [pool.submit(train, run, data, output) for run, data in left]
            ended = concurrent.futures.as_completed(begun)
            for future in tqdm(ended, desc="Experiments", unit="run", total=len(left)):
                future.result()
                write_results(splits, output, baselines)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    write_results(splits, output, baselines)
    write_distances(splits["index"], output)
    write_chains(splits["index"], output)
    if set(splits["index"].genres) <= set(TEN_GENRES):
        write_artists(splits["index"].genres, output)
    report.write_report(output)


if __name__ == "__main__":
    run_script(main)
