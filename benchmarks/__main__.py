"""Measure speed and memory against references, and write them to benchmarks/results.md.

    python -m benchmarks               # about 20 minutes on two idle cores

The two sides of a row run in turn, as a user starts them, imports included: machines and their load
differ, the ratio of the two sides hardly does. Clips and features are synthetic.
"""

import argparse
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import soundfile

from genre_features.demo_corpus import STYLES, make_clip
from genre_features.frame import SAMPLE_RATE

ROOT = Path(__file__).parent.parent
WEIGHTS = ROOT / "weights" / "reference" / "improved"
# Run in a small process: Linux counts the memory of the one that starts a command as its own.
PEAK = """
import resource, subprocess, sys
subprocess.run([sys.executable, *sys.argv[1:]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


class Row(NamedTuple):
    """A row of the table: its two sides are functions that return seconds or megabytes."""

    measured: str
    reference: str
    ours: Callable
    theirs: Callable
    goal: float | None = None  # for theirs / ours
    unit: str = "s"


def run(*command):
    """Run a Python command as a user does; return the words that it prints."""
    return subprocess.check_output([sys.executable, *map(str, command)], cwd=ROOT).split()


def seconds(*command):
    """Return how long a Python command takes."""
    start = time.perf_counter()
    run(*command)
    return time.perf_counter() - start


def megabytes(*command):
    """Return the peak memory of a Python command, or of the largest process that it starts."""
    return int(run("-c", PEAK, *command)[-1]) * (1 if sys.platform == "darwin" else 1024) / 1e6


def write_audio(path, clip, times):
    """Write an audio file that repeats a clip of ten seconds; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "PCM_16") as file:
        for _ in range(times):
            file.write(clip)
    return path


def extraction(folder):
    """Yield rows on 600 clips of 30 s: all of them, another split, and an added clip."""
    corpus, output = folder / "corpus", folder / "features"
    for genre, number in itertools.product(STYLES, range(100)):
        path = write_audio(corpus / genre / f"{genre}.{number:05}.au", make_clip(genre, number), 3)

    def extract(*options):
        return seconds("GenreFeatureData.py", "--dataset", corpus, "--output", output, *options)

    def extract_all(*options):
        shutil.rmtree(output, ignore_errors=True)
        return extract(*options)

    def split_again():
        extract()
        return extract("--split", "filtered")

    def add_clip():
        content = path.read_bytes()
        path.unlink()
        extract()
        path.write_bytes(content)
        return extract()

    name = f"extraction of 600 clips, {os.cpu_count()} cores"
    librosa = ("-m", "benchmarks.references", "librosa", corpus)
    yield Row(name, "librosa's functions", extract_all, lambda: seconds(*librosa), 7.5)
    yield Row(name, "the same with --jobs 1", extract_all, lambda: extract_all("--jobs", 1))
    yield Row("another split of 600 clips", "3 s", split_again, lambda: 3, 1)
    yield Row("a clip added to 599", "3 s", add_clip, lambda: 3, 1)


def training(folder):
    """Yield rows on an epoch of the published recipe: GTZAN's six genres at a hop of 1709."""
    random = np.random.default_rng(0)
    for subset, n in (("train", 419), ("validation", 6), ("test", 6)):
        features = random.standard_normal((n, 387, 33), np.float32)
        np.save(folder / f"data_{subset}_input.npy", features)
        np.save(folder / f"data_{subset}_target.npy", np.eye(6, dtype=np.float32)[np.arange(n) % 6])

    def epoch():
        with tempfile.TemporaryDirectory(dir=folder) as output:
            options = ("--features", folder, "--weights", output, "--result", output, "--epochs", 8)
            run("lstm_genre_classifier_pytorch_PiecewiseDecay.py", *options, "--device", "cpu")
            (summary,) = Path(output).rglob("summary.json")
            return json.loads(summary.read_text(encoding="utf-8"))["seconds"] / 8

    bare = ("-m", "benchmarks.references", "lstm", folder)
    sides = (epoch, lambda: float(run(*bare, "flush")[0]))
    yield Row("training, an epoch", "a bare nn.LSTM", *sides, 1 / 1.05)
    sides = (epoch, lambda: float(run(*bare, "keep")[0]))
    yield Row("training, an epoch", "the same, denormals not flushed", *sides)


def prediction(folder):
    """Yield rows on predict.py and on --help."""
    clip = write_audio(folder / "clip.wav", make_clip("jazz", 0), 3)
    code = "import torch, librosa"
    sides = (lambda: seconds("predict.py", clip), lambda: seconds("-c", code))
    yield Row("predict.py, a clip of 30 s", code, *sides, 1 / 1.5)
    clips, model = [clip] * 20, WEIGHTS / "PiecewiseDecay-0"
    options = ("predict.py", *clips, "--jobs", 1, "--weights")
    sides = (lambda: seconds(*options, WEIGHTS), lambda: seconds(*options, model))
    yield Row("predict.py, 20 clips, five models", "one model", *sides, 1 / 2)
    for name in sorted(path.name for path in ROOT.glob("*.py")):
        yield Row(f"{name} --help", "2 s", lambda name=name: seconds(name, "--help"), lambda: 2, 1)


def memory(folder):
    """Yield rows on the peak memory: ten times the audio should take no more."""

    def predict(minutes):
        path = write_audio(folder / f"{minutes}.wav", make_clip("jazz", 0), 6 * minutes)
        return megabytes("predict.py", path)

    def extract(n_clips):
        with tempfile.TemporaryDirectory(dir=folder) as corpus:
            for number in range(n_clips):
                noise = np.random.default_rng(number).uniform(-0.5, 0.5, SAMPLE_RATE // 4)
                write_audio(Path(corpus, "ab"[number % 2], f"{number}.wav"), noise, 1)
            places = ("--dataset", corpus, "--output", f"{corpus}/out")
            return megabytes("GenreFeatureData.py", *places, "--hop-length", SAMPLE_RATE)

    sides = (lambda: predict(60), lambda: predict(6))
    yield Row("memory, predict.py on an hour", "6 minutes", *sides, 1 / 1.15, "MB")
    sides = (lambda: extract(20_000), lambda: extract(2000))
    yield Row("memory, extraction of 20,000 clips", "2,000 clips", *sides, 1 / 1.15, "MB")


ROWS = {function.__name__: function for function in (extraction, training, prediction, memory)}


def measure(row, times):
    """Return the line of a row: medians, lowest values in brackets, and the ratio of medians."""
    ours, theirs = zip(*((row.ours(), row.theirs()) for _ in range(times)), strict=True)
    cells = [f"{median(side):.3g} {row.unit} ({min(side):.3g})" for side in (ours, theirs)]
    ratio = median(theirs) / median(ours)
    goal = f"≥ {row.goal:.3g}: {'met' if ratio >= row.goal else 'missed'}" if row.goal else ""
    return f"| {' | '.join([row.measured, row.reference, *cells, f'{ratio:.3g}', goal])} |"


def main():
    parser = argparse.ArgumentParser("python -m benchmarks", None, __doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=ROWS, help="some of the rows (default: all)")
    parser.add_argument("--times", type=int, default=3, help="runs of each side (default: 3)")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("results.md"))
    options = parser.parse_args()
    info = Path("/proc/cpuinfo")
    cpu = re.search("model name.*: (.*)", info.read_text())[1] if info.exists() else "processor"
    lines = [
        f"{date.today()}, {os.cpu_count()} cores of {cpu}, medians of {options.times} runs.\n",
        "| measured | reference | this project | reference value | speed-up | goal |",
        "|---|---|---:|---:|---:|---|",
    ]
    for name in options.only or ROWS:
        with tempfile.TemporaryDirectory() as folder:
            for row in ROWS[name](Path(folder)):
                lines.append(measure(row, options.times))
                print(lines[-1], flush=True)
    options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
