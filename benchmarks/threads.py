"""Measure how long an epoch takes with one and two threads, beside processes that keep cores busy.

    python -m benchmarks.threads

Each epoch of the improved recipe is trained in a process of its own, since OpenMP reads its
settings once, when it is loaded. All settings are measured by turns beside the same busy processes.
This says which default of `genre_lstm` has a good worst case. Two threads on a busy machine can
take many minutes for an epoch.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import ROOT, run_alone, write_features
from common.cli import HelpFormatter, number_in, run_script
from common.files import write_table

BUSY = (0, 1, 2, 4)  # processes that keep a core busy each
SETTINGS = [
    {"OMP_NUM_THREADS": "1"},
    {"OMP_NUM_THREADS": "2"},
    # Threads that wait sleep, instead of keeping a core busy.
    {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE"},
]
COLUMNS = ("cores", "busy", "threads", "wait_policy", "n", "seconds", "slowest")

EPOCH = """
import sys
from benchmarks.measuring import epoch
from genre_features.cache import GenreFeatureData
from genre_lstm.recipes import RECIPES
print(epoch(GenreFeatureData(sys.argv[1]).load(), RECIPES["improved"], "cpu")())
"""


def seconds_alone(folder, setting):
    """Return how long an epoch takes in a process with these variables in its environment."""
    return float(run_alone("-c", EPOCH, folder, environment=setting))


@contextlib.contextmanager
def busy(n):
    """Keep `n` processes busy while the block runs."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def measure(folder, times):
    """Yield a row for each number of busy processes and each setting."""
    for n_busy in BUSY:
        with busy(n_busy):
            turns = [[seconds_alone(folder, setting) for setting in SETTINGS] for _ in range(times)]
        for setting, seconds in zip(SETTINGS, zip(*turns, strict=True), strict=True):
            policy = setting.get("OMP_WAIT_POLICY", "")
            row = (os.cpu_count(), n_busy, setting["OMP_NUM_THREADS"], policy, times)
            numbers = (f"{value:.4g}" for value in (statistics.median(seconds), max(seconds)))
            yield dict(zip(COLUMNS, (*row, *numbers), strict=True))


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.threads", description=__doc__, formatter_class=HelpFormatter
    )
    add, count = parser.add_argument, {"metavar": "N", "type": number_in(1)}
    add("--times", **count, default=5, help="epochs of which a median is taken")
    add("--clips", **count, default=419, help="clips in an epoch")
    add("--output", metavar="CSV", type=Path, default=ROOT / "benchmarks" / "threads.csv")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for row in measure(write_features(Path(name) / "features", options.clips), options.times):
            rows.append(row)
            print(
                "{busy} busy, {threads} threads {wait_policy}: {seconds} s, at most {slowest} s"
                "".format(**row),
                flush=True,
            )
    write_table(options.output, COLUMNS, rows)


if __name__ == "__main__":
    run_script(main)
