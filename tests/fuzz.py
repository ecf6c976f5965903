"""Damage what the scripts read, at random, and check how they end.

    python tests/fuzz.py                            # 100 cases of each kind
    python tests/fuzz.py --seed 1 --only arrays:17  # one of them again

A run has to succeed, or to end with exit status 2 and one line that says what is wrong. It may use
60 s of processor time and 4 GiB, and nothing in a file may be executed. Another process runs the
scripts, so that a crash is a failure like others. tests/failures/ keeps the files of failures.
"""

import argparse
import contextlib
import copy
import hashlib
import io
import json
import math
import multiprocessing
import pickle
import re
import resource
import shutil
import sys
import tarfile
import tempfile
import time
import traceback
from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent.parent))

import helpers
import numpy as np
import soundfile
import torch
from helpers import ROOT, extraction_line, run_to_end, training_line, undrawn
from tqdm import tqdm

FAILURES = ROOT / "tests" / "failures"
MAX_SECONDS = 60
MEMORY = (resource.RLIMIT_DATA, (2**32, resource.RLIM_INFINITY))
SHORT = ("--recipe", "improved", "--epochs", 2, "--crop-seconds", 0.3)

# Kinds of cases: the files that are damaged, and the command lines that read them
PREDICT = ["predict.py", "--json", "--jobs", 1, "--weights", "weights"]
EXTRACT = extraction_line("corpus", "features")
TRAIN = training_line("features", Path(), *SHORT)
ARCHIVE = ["--download", "--archive", "genres.tar.gz", "--sha256", "SHA256", "--jobs", 1]
SOUND = {
    kind: (sound := f"corpus/hum/hum.00031.{kind.split()[0]}", [[*PREDICT, sound], EXTRACT])
    for kind in (
        *("au PCM_16", "wav MS_ADPCM", "wav FLOAT", "flac PCM_24", "mp3 MPEG_LAYER_III"),
        *("ogg VORBIS", "ogg OPUS", "aiff IMA_ADPCM", "caf ALAC_16", "w64 PCM_16"),
    )
}
KINDS = SOUND | {
    "arrays": ("features/data_*.npy", [[*TRAIN, "--weights", "others"]]),
    "manifest": ("features/features.json", [[*TRAIN, "--weights", "others"], EXTRACT]),
    "extracted clips": ("features/.*/*", [EXTRACT]),
    "model": ("weights/PiecewiseDecay/model.pt", [[*PREDICT, "corpus/hum/hum.00030.wav"]]),
    "checkpoint": ("weights/PiecewiseDecay/checkpoint.pt", [[*TRAIN, "--resume"]]),
    "table": ("labels.csv", [[*EXTRACT, "--labels", "labels.csv"]]),
    "archive": ("genres.tar.gz", [["GenreFeatureData.py", *ARCHIVE]]),
    "options": ("none", []),
}


def make_originals(folder):
    """Write the files to damage: clips, features, an interrupted training, a table, an archive."""
    numbers = (0, 10, 30, 31)
    corpus = helpers.make_corpus(folder / "corpus", numbers)
    helpers.extract(corpus, folder / "features")
    with undrawn():
        helpers.train(folder / "features", folder, *SHORT)
        helpers.stop_training(folder / "features", folder, 2, *SHORT)
    rows = [f"{genre}/{genre}.{n:05}.wav,{genre}" for genre in helpers.GENRES for n in numbers]
    (folder / "labels.csv").write_text("\n".join(["file,genre", *rows]), encoding="utf-8")
    with tarfile.open(folder / "genres.tar.gz", "w:gz") as archive:
        archive.add(corpus, "genres")


# Damage


def damage(content, random):
    """Return bytes with some changes, most of them in the header."""
    content = bytearray(content)
    for _ in range(random.geometric(0.5)):
        end = len(content) if random.random() < 0.4 else min(len(content), 200)
        start, size = int(random.integers(end + 1)), int(random.choice([1, 2, 4, 8, 100, 10_000]))
        # Integers at an end of their range, in either byte order
        integer = [0, 1, 2, -2, -1][random.integers(5)] % 256 ** min(size, 8)
        integer = integer.to_bytes(min(size, 8), random.choice(["little", "big"]))
        old = content[start : start + size]
        flipped = [byte ^ 1 << random.integers(8) for byte in old[:1]]
        changes = {
            "overwrite": integer + old[8:],
            "flip a bit": bytes(flipped) + old[1:],
            "delete": b"",
            "repeat": old * 2,
            "insert": random.bytes(size) + old,
            "truncate": b"",
        }
        change = random.choice(list(changes))
        content[start : None if change == "truncate" else start + size] = changes[change]
    return bytes(content)


VALUES = [math.nan, math.inf, 1e300, -1, 0, 0.5, 2**63, "", "two\nlines", None, [], {}]


def tamper(tree, random):
    """Replace or delete a value in nested dicts and lists."""
    while True:
        key = random.choice(list(tree)) if isinstance(tree, dict) else random.integers(len(tree))
        inner = isinstance(tree[key], dict | list) and len(tree[key])
        if not inner or random.random() < 0.2:
            break
        tree = tree[key]
    if random.random() < 0.2:
        del tree[key]
    else:
        tree[key] = copy.deepcopy(VALUES[random.integers(len(VALUES))])


def torch_bytes(content):
    """Return the bytes that `torch.save` writes."""
    written = io.BytesIO()
    torch.save(content, written)
    return written.getvalue()


def hostile_files(path, trap):
    """Return the bytes of files that hold a trap."""
    if path.suffix == ".npy":
        written = io.BytesIO()
        np.save(written, np.array([trap], dtype=object))
        return [written.getvalue()]
    if path.suffix == ".pt":
        content = torch.load(path)
        nested = [torch_bytes(content | {key: trap}) for key in content]
        return [pickle.dumps(trap), torch_bytes(trap), *nested]
    return [b""]


def damaged(path, number, random):
    """Return case `number` of a file: as it is, then hostile files, then random damage."""
    if number == 0:
        return path.read_bytes()
    hostile = hostile_files(path, helpers.Trap(Path("sprung").absolute()))
    if number <= len(hostile):
        return hostile[number - 1]
    if path.suffix in (".json", ".pt") and random.random() < 0.6:
        is_json = path.suffix == ".json"
        tree = json.loads(path.read_text(encoding="utf-8")) if is_json else torch.load(path)
        tamper(tree, random)
        return json.dumps(tree).encode() if is_json else torch_bytes(tree)
    return damage(path.read_bytes(), random)


def random_options(random):
    """Return a script with options of its --help and values that they may not take."""
    script = random.choice(helpers.SCRIPTS)
    options = sorted(set(re.findall(r"--[a-z][a-z-]+", helpers.run(script, "--help")[0])))
    slow = {"--help", "--download", "--demo", "--show", "--dask", "--scheduler"}
    words = [script, *["corpus/hum/hum.00030.wav"] * random.integers(2)]
    for option in random.choice([name for name in options if name not in slow], 2):
        values = ["", "-1", "0", "0.5", "nan", "1e999", "two\nlines", "..", "corpus", "labels.csv"]
        words += [option, *random.choice(values, random.integers(2))]
    return [*words, *["--jobs", "1"] * ("--jobs" in options)]


# Running the scripts


def find_fault(line):
    """Run a command line; return what is wrong with its end, or its exit status."""
    try:
        status, _, stderr = run_to_end(*line)
    except Exception as error:
        return "".join(traceback.format_exception(error)[-3:])
    # A progress bar begins with a carriage return.
    lines = [text.rpartition("\r")[2] for text in stderr.splitlines() if text.strip()]
    named = [text for text in lines if text.startswith(f"{line[0]}: ")]
    has_reason = bool(named) and lines[-1] == named[-1]
    return status if status == 0 or (status == 2 and has_reason) else f"{status}, {stderr!r}"


def read_case(folder, kind, number, seed):
    """Make a case in a copy of the original files; return its exit status or its fault."""
    # In processor time, which doesn't depend on how busy the machine is
    limit = int(time.process_time()) + MAX_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
    random = np.random.default_rng([seed, list(KINDS).index(kind), number])
    case = folder / "case"
    shutil.rmtree(case, ignore_errors=True)
    shutil.copytree(folder / "originals", case)
    # The figures are drawn, with whatever names there are, but not written.
    with contextlib.chdir(case), mock.patch("genre_lstm.plots.save"):
        pattern, lines = KINDS[kind]
        if kind in SOUND:
            Path(pattern).with_suffix(".wav").unlink()
            clip = helpers.make_clip("hum", 0, 1.2, 24000)
            soundfile.write(pattern, clip, 24000, kind.split()[1])
        if paths := sorted(Path().glob(pattern)):
            path = paths[random.integers(len(paths))]
            path.write_bytes(damaged(path, number, random))
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines = [[digest if word == "SHA256" else word for word in line] for line in lines]
        ends = [find_fault(line) for line in lines or [random_options(random)]]
        if Path("sprung").exists():
            return "executes what the file holds"
        return max(ends, key=lambda end: (isinstance(end, str), end))


def fuzz(cases, seed, failures):
    """Yield each case's exit status, or its failure as text; copy the files of failures."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder, pool = Path(name), None
        make_originals(folder / "originals")
        for kind, number in cases:
            pool = pool or stack.enter_context(
                ProcessPoolExecutor(1, context, resource.setrlimit, MEMORY)
            )
            try:
                end = pool.submit(read_case, folder, kind, number, seed).result()
            except BrokenProcessPool:
                pool, end = None, f"crashes, or takes over {MAX_SECONDS} s"
            if isinstance(end, str):
                copy = failures / f"{kind}-{number}-of-seed-{seed}"
                shutil.copytree(folder / "case", copy, dirs_exist_ok=True)
            yield end


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", metavar="N", type=int, default=100, help="of each kind")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the damage")
    parser.add_argument("--only", metavar="KIND:NUMBER", help="read one case again")
    options = parser.parse_args()
    cases = [(kind, number) for kind in KINDS for number in range(options.cases)]
    if options.only:
        kind, _, number = options.only.partition(":")
        cases = [(kind, int(number))]
    n_failed, ends = 0, fuzz(tqdm(cases, "Fuzzing", unit="case"), options.seed, FAILURES)
    for (kind, number), end in zip(cases, ends, strict=True):
        if isinstance(end, str):
            n_failed += 1
            tqdm.write(f"--seed {options.seed} --only '{kind}:{number}': {end}")
    print(f"{len(cases)} cases, {n_failed} failed")
    sys.exit(n_failed > 0)


if __name__ == "__main__":
    main()
