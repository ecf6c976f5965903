"""Kill the feature script and a training script, and go on, again and again.

    python tests/crash.py --kills 50

Both are killed at random moments, and the feature script before each of its renames, too. The files
at the end must equal those of an undisturbed run, to the byte. Needs Linux or macOS.
"""

import argparse
import contextlib
import itertools
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent))

from helpers import (
    contents,
    extract,
    extraction_line,
    make_corpus,
    read_json,
    run,
    training_line,
    undrawn,
)

from common.errors import InputError
from genre_features import extraction
from genre_features.cache import GenreFeatureData


def start(function, *arguments):
    """Call a function in another process, and return the process."""
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=function, args=arguments)
    process.start()
    return process


def work(line, n_renames=None):
    """Run a script; kill this process before it renames a file more than `n_renames` times."""
    calls, replace = itertools.count(), os.replace

    def replace_or_die(*arguments):
        if next(calls) == n_renames:
            os.kill(os.getpid(), signal.SIGKILL)
        return replace(*arguments)

    os.replace = replace_or_die
    with undrawn():
        run(*line)


def ended(process, seconds=None):
    """Whether a process comes to its end within so many seconds; it is killed otherwise."""
    process.join(seconds)
    process.kill()
    process.join()
    if process.exitcode > 0:
        raise RuntimeError("a run failed that nobody killed")
    return process.exitcode == 0


def training(features, folder):
    """Return the command that trains in a folder, or goes on there."""
    begun = (folder / "weights" / "PiecewiseDecay" / "checkpoint.pt").exists()
    options = ["--recipe", "improved", "--epochs", 12, "--crop-seconds", 0.3, *["--resume"] * begun]
    return training_line(features, folder, *options)


def trained(folder):
    """Return the files that a training leaves, but for the seconds that it took."""
    result, weights = folder / "result" / "PiecewiseDecay", folder / "weights" / "PiecewiseDecay"
    summary = read_json(result / "summary.json") | {"seconds": None}
    return summary, (weights / "model.pt").read_bytes(), (result / "history.csv").read_bytes()


def disturb(command, outcome, folder, kills):
    """Kill a command's runs at random moments until so many are killed; return how many ended.

    `command` takes a folder, and returns a script with the arguments that begin or go on there;
    `outcome` takes a folder, and returns what must equal that of an undisturbed run.
    """
    begin = time.monotonic()
    ended(start(work, command(folder / "undisturbed")))
    seconds, expected = time.monotonic() - begin, outcome(folder / "undisturbed")
    place, n_killed, n_ended = folder / "disturbed", 0, 0
    while n_killed < kills or place.exists() or not n_ended:
        limit = random.uniform(0, seconds) if n_killed < kills else None
        if not ended(start(work, command(place)), limit):
            n_killed += 1
            continue
        if outcome(place) != expected:
            raise RuntimeError(f"after {n_killed} kills, the files in {folder} differ")
        shutil.rmtree(place)
        n_ended += 1
    return n_ended


def disturb_scripts(folder, kills):
    """Disturb an extraction and a training in an empty folder; return how often each one ended."""
    corpus, features = make_corpus(folder / "corpus", range(0, 100, 10)), folder / "features"
    extract(corpus, features)
    for name in ("extraction", "training"):
        (folder / name).mkdir()
    return {
        "extraction": disturb(
            lambda place: extraction_line(corpus, place), contents, folder / "extraction", kills
        ),
        "training": disturb(
            lambda place: training(features, place), trained, folder / "training", kills
        ),
    }


def disturb_renames(corpus, features, folder, first=0):
    """Kill an extraction over other features before each of its renames from number `first` on.

    Returns the number of kills.

    A kill must leave the old features, or none that load, and a second run must extract only the
    clips that have no file, and end with the files of an undisturbed one.
    """
    extract(corpus, folder / "old", "--hop-length", 1024)
    old, expected = contents(folder / "old"), contents(features)
    n_clips = len(list(corpus.glob("*/*")))
    for number in itertools.count(first):
        place = shutil.copytree(folder / "old", folder / f"killed-{number}")
        if ended(start(work, extraction_line(corpus, place), number)):
            return number - first
        if contents(place) != old:
            with contextlib.suppress(InputError):
                GenreFeatureData(place).load()
                if contents(place) != expected:
                    raise RuntimeError(f"after a kill at rename {number}, a mixed cache loads")
        with mock.patch.object(extraction, "extract_file", wraps=extraction.extract_file) as calls:
            extract(corpus, place)
        if calls.call_count != max(0, n_clips - number) or contents(place) != expected:
            raise RuntimeError(f"after a kill at rename {number}, the extraction ended otherwise")


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
        print(f"extraction: killed before each of {n_renames} renames, ended as undisturbed")
        for title, n_ended in disturb_scripts(Path(name, "scripts"), options.kills).items():
            print(f"{title}: killed {options.kills} times, ended {n_ended} times as undisturbed")


if __name__ == "__main__":
    main()
