"""Kill the feature script and a training script, and go on, again and again.

    python tests/crash.py --kills 50

Both are killed at random moments, and the feature script before each of its renames, too. The files
at the end must equal those of an undisturbed run, to the byte. Needs fork: Linux or macOS.
"""

import argparse
import contextlib
import itertools
import json
import os
import random
import runpy
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from unittest import mock

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent))

from helpers import ROOT, contents, extract, extraction_line, make_corpus, training_line
from tqdm import tqdm

import genre_lstm.run  # noqa: F401  imported once, not by every process
from common.errors import InputError
from genre_features import extraction
from genre_features.cache import GenreFeatureData

SCHEDULE = "PiecewiseDecay"
tqdm.set_lock(threading.RLock())  # forks share tqdm's own, which a killed one never unlocks
tqdm.monitor_interval = 0


def begin(script, *arguments, renames=None):
    """Run a script in a process of its own, a fork of this one; return the process's number.

    It is killed before it renames a file once more than `renames` times.
    """
    if process := os.fork():
        return process
    status = 1
    try:
        if renames is not None:
            os.replace = kill_after(renames, os.replace)
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


def kill_after(n_calls, function):
    """Return a function that can be called so many times and then kills its process."""
    calls = itertools.count()

    def call(*arguments):
        if next(calls) == n_calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)

    return call


def wait(process, seconds=None):
    """Wait for a process to end; return whether it did, of itself, within so many seconds."""
    end = None if seconds is None else time.monotonic() + seconds
    while True:
        pid, status = os.waitpid(process, 0 if end is None else os.WNOHANG)
        if pid:
            if status and not os.WIFSIGNALED(status):
                raise RuntimeError("a run failed that nobody killed")
            return not status
        if time.monotonic() > end:
            return False
        time.sleep(0.001)


def training(features, folder):
    """Return the command that trains in a folder, or goes on there."""
    begun = (folder / "weights" / SCHEDULE / "checkpoint.pt").exists()
    options = ["--recipe", "improved", "--epochs", 12, "--crop-seconds", 0.3, *["--resume"] * begun]
    return training_line(SCHEDULE, features, folder, *options)


def trained(folder):
    """Return the files that a training leaves, but for the seconds that it took."""
    result, weights = folder / "result" / SCHEDULE, folder / "weights" / SCHEDULE
    summary = json.loads((result / "summary.json").read_text(encoding="utf-8"))
    del summary["seconds"]
    return summary, (weights / "model.pt").read_bytes(), (result / "history.csv").read_bytes()


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
        A run that went on after a kill failed, or its files differ from an undisturbed one's.
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
                raise RuntimeError(f"after {n_killed} kills, the files of {title} differ")
            shutil.rmtree(place)
            n_ended += 1
    return n_ended


def disturb_renames(corpus, features, folder):
    """Kill an extraction over other features before each of its renames; return their number.

    A kill must leave the old features, or none that load, and a second run must extract only the
    clips that have no file, and end with the files of an undisturbed one.
    """
    extract(corpus, folder / "old", "--hop-length", 1024)
    old, expected = contents(folder / "old"), contents(features)
    n_clips = len(list(corpus.glob("*/*")))
    for number in itertools.count():
        place = shutil.copytree(folder / "old", folder / f"killed-{number}")
        if wait(begin(*extraction_line(corpus, place), renames=number)):
            return number - n_clips
        if contents(place) != old:
            with contextlib.suppress(InputError):
                GenreFeatureData(place).load()
                if contents(place) != expected:
                    raise RuntimeError(f"after a kill at rename {number}, a mixed cache loads")
        with mock.patch.object(extraction, "extract_file", wraps=extraction.extract_file) as calls:
            extract(corpus, place)
        if calls.call_count != max(0, n_clips - number) or contents(place) != expected:
            raise RuntimeError(f"after a kill at rename {number}, the extraction ended otherwise")


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
        (folder / title).mkdir(parents=True)
        yield title, disturb(title, command, outcome, folder / title, kills)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="of each of the two scripts")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory() as name:
        corpus, features = make_corpus(Path(name, "corpus")), Path(name, "features")
        extract(corpus, features)
        n_renames = disturb_renames(corpus, features, Path(name))
        print(f"extraction: killed at each clip and {n_renames} renames, ended as undisturbed")
        for title, n_ended in disturb_scripts(Path(name, "scripts"), options.kills):
            print(f"{title}: killed {options.kills} times, ended {n_ended} times as undisturbed")


if __name__ == "__main__":
    main()
