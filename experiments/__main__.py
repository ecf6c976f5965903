"""Train every step of the ladder over seeds, and write what the README says of them.

    python -m experiments --features gtzan --control gtzan --lowpass gtzan/lowpass --jobs 2

Runs that are done are kept and runs that were stopped go on. Then the table and the figures are
made anew; python -m experiments.report makes them from the .csv files alone.
"""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from common.cli import HelpFormatter, number_in, run_script
from common.errors import InputError
from common.files import lock_folders
from experiments import chains, report
from experiments.artists import write_artists
from experiments.collect import RESULTS, baseline_row, folder_of, gather, write_results
from experiments.plan import RUNS, SPLITS, STEPS
from genre_features.cache import GenreFeatureData
from genre_features.genres import TEN_GENRES

ROOT = Path(__file__).parent.parent
PAUSE = 0.2  # s, between looks at what has ended


def load_splits(options):
    """Return the features of each split that was given, by its name."""
    splits = {}
    for split in SPLITS:
        if folder := getattr(options, option_of(split).replace("-", "_")):
            splits[split] = GenreFeatureData(folder.resolve()).load()
            for subset, targets in splits[split].targets.items():
                there = {splits[split].genres[i] for i in np.unique(targets)}
                if split != "emotify" and (missing := {"hiphop", "metal"} - there):
                    raise InputError(
                        f"no clip of {min(missing)} in the {subset} subset of {folder}"
                    )
    return splits


def option_of(split):
    """Return the name of the option that gives a split's features."""
    return "features" if split == "index" else split


def command(run, data, output, device):
    """Return the command line of a run; it goes on where an earlier one was stopped."""
    folder = folder_of(run, data, output)
    line = [*run.arguments(), "--features", str(data.folder), "--device", device]
    line += ["--weights", str(folder / "weights"), "--result", str(folder / "result")]
    begun = (folder / "weights" / run.schedule / "checkpoint.pt").exists()
    return line + ["--resume"] * begun


def begin(run, data, options):
    """Start the training of a run; return its process and the file of its messages.

    It has one thread, so that its numbers don't depend on the number of jobs.
    """
    folder = folder_of(run, data, options.output)
    folder.mkdir(parents=True, exist_ok=True)
    line = [sys.executable, *command(run, data, options.output, options.device)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(line, cwd=ROOT, env=environment, stdout=log, stderr=log)
    return process, log.name


def train_all(runs, options):
    """Train runs, several at a time; yield after each. If this is stopped, so are they."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    left, running = list(runs), []
    with tqdm(desc="Experiments", unit="run", total=len(left)) as progress:
        try:
            while left or running:
                while left and len(running) < options.jobs:
                    running.append(begin(*left.pop(0), options))
                time.sleep(PAUSE)
                for process, log in [pair for pair in running if pair[0].poll() is not None]:
                    running.remove((process, log))
                    if process.returncode:
                        raise InputError(f"a run stopped: see {log}")
                    progress.update()
                    yield
        finally:
            for process, _ in running:
                process.terminate()
            signal.signal(signal.SIGTERM, before)


def complete(splits, left, options, tracks, cut):
    """Train the runs that are left, and write all tables and figures."""
    output = options.output
    baselines = [baseline_row(split, data) for split, data in splits.items()]
    for _ in train_all(left, options):
        write_results(splits, output, baselines, cut)
    write_results(splits, output, baselines, cut)
    chains.write_chains(tracks, output)
    if set(splits["index"].genres) <= set(TEN_GENRES):
        write_artists(splits["index"].genres, output)
    report.write_report(output)


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="python -m experiments", description=__doc__, formatter_class=HelpFormatter
    )
    add, folder = parser.add_argument, {"metavar": "DIR", "type": Path}
    add("--features", **folder, default="gtzan", help=SPLITS["index"])
    for split in list(SPLITS)[1:]:
        add(f"--{option_of(split)}", **folder, help=SPLITS[split])
    add("--output", **folder, default="experiments", help="where all of it goes")
    add("--steps", metavar="STEP", nargs="+", choices=list(STEPS), help="run these alone")
    add("--jobs", metavar="N", type=number_in(1), default=1, help="runs at a time, a core each")
    add(
        "--device",
        choices=["auto", "cpu", "cuda", "mps"],
        default="cpu",
        help="where the runs are trained; the committed ones were on the CPU",
    )
    add("--dry-run", action="store_true", help="list the runs, and train none")
    options = parser.parse_args()
    options.output = options.output.resolve()
    return options


def main():
    options = parse_arguments()
    splits, output = load_splits(options), options.output
    tracks = chains.describe_tracks(splits["index"])
    cut = {row["track"]: chains.is_cut(row) for row in tracks}
    done = {(row["fingerprint"], row["split"]) for row in gather(splits, output, cut)[RESULTS]}
    # By folder: with audio at hand, two splits may be the same features.
    chosen = {
        folder_of(run, data, output): (
            run,
            data,
            (run.fingerprint(data.checksums), run.split) in done,
        )
        for run in RUNS
        if (data := splits.get(run.split)) and (not options.steps or run.step in options.steps)
    }
    left = [(run, data) for run, data, is_done in chosen.values() if not is_done]
    if options.dry_run:
        for run, data, is_done in chosen.values():
            line = ["python", *command(run, data, output, options.device)]
            print("# done: " * is_done + shlex.join(line))
        print(f"{len(left)} of {len(chosen)} runs are left.", file=sys.stderr)
        return
    with lock_folders(output):
        complete(splits, left, options, tracks, cut)


if __name__ == "__main__":
    run_script(main)
