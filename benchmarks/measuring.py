"""How the benchmarks measure time and memory, and the features that they train on."""

import dataclasses
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

from common.errors import InputError
from common.files import write_json
from genre_features.frame import FrameSettings
from genre_features.genres import SIX_GENRES
from genre_lstm.model import GenreLSTM
from genre_lstm.training import train_epoch

ROOT = Path(__file__).parent.parent


def seconds(function, *arguments):
    """Return how long a call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def by_turns(ours, theirs, times):
    """Return the medians of what two functions return, called by turns."""
    pairs = [(ours(), theirs()) for _ in range(times)]
    return [statistics.median(column) for column in zip(*pairs, strict=True)]


def run_alone(*arguments, environment=()):
    """Run a Python process to its end, as a user starts it; return what it prints.

    `environment` holds variables in place of the user's settings of OpenMP.
    """
    command = [sys.executable, *map(str, arguments)]
    # The number of threads is what importing `genre_lstm` has set here, not the user.
    others = {name: value for name, value in os.environ.items() if name[:4] != "OMP_"}
    variables = others | dict(environment)
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    if done.returncode:
        raise InputError(f"{arguments} failed: {done.stderr}")
    return done.stdout


def memory(kind, code, *arguments):
    """Return how much memory a process has at the end of some code (MB), as Linux counts it.

    'VmHWM' is the most that it had; 'RssAnon' its own, beside the files that it has mapped.
    """
    report = "print(open('/proc/self/status').read())"
    printed = run_alone("-c", f"import sys\n{code}\n{report}", *arguments)
    return int(printed.partition(f"{kind}:")[2].split()[0]) / 1e3


def write_features(folder, n_clips, n_frames=387):
    """Write a cache of features for each of six genres as many clips; return its folder."""
    random = np.random.default_rng(0)
    folder.mkdir()
    for subset, n in (("train", n_clips), ("validation", 6), ("test", 6)):
        path = folder / f"data_{subset}_input.npy"
        features = np.lib.format.open_memmap(path, "w+", np.float32, (n, n_frames, 33))
        for start in range(0, n, 100):
            features[start : start + 100] = random.standard_normal((n_frames, 33), np.float32)
        np.save(folder / f"data_{subset}_target.npy", np.eye(6, dtype=np.float32)[np.arange(n) % 6])
    settings = FrameSettings(hop_length=1709, frames=n_frames)
    manifest = dataclasses.asdict(settings) | {"genres": SIX_GENRES}
    write_json(folder / "features.json", manifest)
    return folder


def epoch(data, recipe, device):
    """Return a function that trains an epoch and returns its seconds."""
    model = GenreLSTM(len(data.genres), recipe, data.settings).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate)
    return lambda: seconds(train_epoch, model, optimizer, data)
