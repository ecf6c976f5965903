"""Kill the feature script and a training script at random moments, and go on, again and again.

    python tests/crash.py --kills 50

What is there in the end must be what an undisturbed run writes, to the byte. Needs fork: Linux or
macOS.
"""

import argparse
import contextlib
import json
import os
import random
import runpy
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent))

from helpers import ROOT, contents, extract, extraction_line, make_corpus, training_line
from tqdm import tqdm

import genre_lstm.run  # noqa: F401  imported once, not by every process
from genre_lstm.tensors import read_tensors

SCHEDULE = "PiecewiseDecay"


def begin(script, *arguments):
    """Run a script in a process of its own, a fork of this one; return the process's number."""
    if process := os.fork():
        return process
    status = 1
    try:
        sys.argv = [script, *arguments]
        with (
            Path(os.devnull).open("w") as nowhere,
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
            contextlib.suppress(SystemExit),
        ):
            runpy.run_path(str(ROOT / script), run_name="__main__")
            status = 0
    finally:
        os._exit(status)


def wait(process, seconds=None):
    """Wait for a process to end; return whether it has, if no longer than so many seconds."""
    end = None if seconds is None else time.monotonic() + seconds
    while True:
        found, status = os.waitpid(process, 0 if end is None else os.WNOHANG)
        if found:
            if status:
                raise RuntimeError("a run failed that nobody killed")
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.001)


def training(features, folder):
    """Return the command that trains in a folder, or goes on there."""
    begun = (folder / "weights" / SCHEDULE / "checkpoint.pt").exists()
    options = ["--recipe", "improved", "--epochs", 12, "--crop", 0.3, *["--resume"] * begun]
    return training_line(SCHEDULE, features, folder, *options)


def trained(folder):
    """Return what a training leaves, but for the seconds that it took."""
    result, weights = folder / "result" / SCHEDULE, folder / "weights" / SCHEDULE
    summary = json.loads((result / "summary.json").read_text(encoding="utf-8"))
    del summary["seconds"]
    model = read_tensors(weights / "model.pt")
    state = {name: tensor.tolist() for name, tensor in model["state"].items()}
    return summary, state, (result / "history.csv").read_bytes()


def disturb(title, command, outcome, folder, kills):
    """Kill a command's runs at random moments until so many are killed; return how many ended.

    Parameters
    ----------
    title : str
    command : callable
        Takes a folder, and returns a script with the arguments that begin or go on there.
    outcome : callable
        Takes a folder, and returns what is compared.
    folder : Path
    kills : int

    Raises
    ------
    RuntimeError
        A run that went on after a kill failed, or left something else than an undisturbed one.
    """
    start = time.monotonic()
    wait(begin(*command(folder / "undisturbed")))
    seconds, expected = time.monotonic() - start, outcome(folder / "undisturbed")
    place, n_killed, n_ended = folder / "disturbed", 0, 0
    with tqdm(desc=title, unit="kill", total=kills) as progress:
        while n_killed < kills or place.exists():
            process = begin(*command(place))
            if not wait(process, random.uniform(0, seconds) if n_killed < kills else None):
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
                n_killed += 1
                progress.update()
                continue
            if outcome(place) != expected:
                raise RuntimeError(f"after {n_killed} kills, {title} ended otherwise")
            shutil.rmtree(place)
            n_ended += 1
    return n_ended


def disturb_scripts(folder, kills):
    """Disturb an extraction and a training; yield each one's name and how often it ended.

    `folder` is an empty one; see `disturb`.
    """
    corpus, features = make_corpus(folder / "corpus", range(0, 100, 10)), folder / "features"
    extract(corpus, features)
    for title, command, outcome in (
        ("extraction", lambda place: extraction_line(corpus, place), contents),
        ("training", lambda place: training(features, place), trained),
    ):
        (folder / title).mkdir()
        yield title, disturb(title, command, outcome, folder / title, kills)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="of each of the two scripts")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory() as name:
        for title, n_ended in disturb_scripts(Path(name), options.kills):
            print(f"{title}: killed {options.kills} times, ended {n_ended} times as undisturbed")


if __name__ == "__main__":
    main()
