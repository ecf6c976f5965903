"""Measure how fast the scripts are and how much memory they take, against references run beside.

    python -m benchmarks

Each row is a ratio to a reference that runs in the same minutes, the two by turns: machines and
their load differ, ratios hardly. Clips and features are made on the spot; what is in them doesn't
matter for the time that they take.
"""

import argparse
import itertools
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import nn

from benchmarks import original
from benchmarks.measuring import ROOT, by_turns, epoch, memory, run_alone, seconds, write_features
from common.cli import HelpFormatter, number_in, run_script
from common.files import read_table, write_table
from common.parallel import n_cores, parallel_map
from genre_features.cache import GenreFeatureData
from genre_features.demo_corpus import make_clip
from genre_features.features import extract_clip
from genre_features.frame import SAMPLE_RATE, FrameSettings
from genre_features.genres import SIX_GENRES
from genre_lstm.device import flush_denormals
from genre_lstm.recipes import RECIPES

RESULTS = Path(__file__).parent / "results.csv"
COLUMNS = ("measured", "reference", "n", "ours", "theirs", "unit", "ratio", "goal")

REPORTED = 0.7905  # the original's validation accuracy
LIBROSA = "librosa's functions one by one, one clip after the other"


def row(measured, reference, n, ours, theirs, unit, ratio, goal):
    """Return a row of the table; numbers to four digits."""
    numbers = (f"{value:.4g}" for value in (ours, theirs))
    return dict(zip(COLUMNS, (measured, reference, n, *numbers, unit, ratio, goal), strict=True))


# Extraction


def write_clips(folder, n_clips):
    """Write clips of 30 s at 22,050 Hz, as GTZAN's are; return their paths."""
    paths = []
    for number in range(n_clips):
        clip = make_clip(SIX_GENRES[number % len(SIX_GENRES)], number)
        paths.append(folder / f"{number}.au")
        soundfile.write(paths[-1], np.tile(clip, 3), SAMPLE_RATE, subtype="PCM_16")
    return paths


def measure_extraction(folder, times):
    """Yield rows on the extraction of clips: as a user starts it, and with warm processes."""
    paths, cores = write_clips(folder, 24), n_cores()
    yield measure_whole_extraction(folder, paths, times)
    calls = [(path, FrameSettings()) for path in paths] * 4 * cores

    def clips_a_second(jobs):
        outcomes = parallel_map(extract_clip, calls, jobs)
        n_first = len(list(itertools.islice(outcomes, 2 * jobs)))
        return (len(calls) - n_first) / seconds(lambda: list(outcomes))

    def clips_a_second_originally():
        return len(paths) / seconds(lambda: [original.extract_clip(path) for path in paths])

    original.extract_clip(paths[0])
    ours, theirs = by_turns(lambda: clips_a_second(1), clips_a_second_originally, times)
    unit, ratio = "clips/s", f"{ours / theirs:.1f}"
    yield row("extraction, 1 process", LIBROSA, times, ours, theirs, unit, ratio, "")
    ours, theirs = by_turns(lambda: clips_a_second(cores), clips_a_second_originally, times)
    name, ratio = f"extraction, {cores} processes", f"{ours / theirs:.1f}"
    yield row(name, LIBROSA, times, ours, theirs, unit, ratio, ">= 6 on 2 cores")
    some, one = by_turns(lambda: clips_a_second(cores), lambda: clips_a_second(1), times)
    one *= cores
    yield row(name, f"{cores} x 1 process", times, some, one, unit, f"{some / one:.2f}", ">= 0.9")


def measure_whole_extraction(folder, paths, times):
    """Return a row on the extraction of 600 clips, the start of all processes included."""
    corpus = folder / "corpus"
    for number in range(600):
        genre = SIX_GENRES[number % 6]
        (corpus / genre).mkdir(parents=True, exist_ok=True)
        link = corpus / genre / f"{genre}.{number // 6:05}.au"
        os.link(paths[number % len(paths)], link)

    def ours():
        with tempfile.TemporaryDirectory(dir=folder) as output:
            options = ("--dataset", corpus, "--output", output)
            return seconds(run_alone, "GenreFeatureData.py", *options)

    def theirs():
        return seconds(run_alone, "-m", "benchmarks.original", corpus, folder / "original.npy")

    medians = by_turns(ours, theirs, times)
    name, ratio = "GenreFeatureData.py, 600 clips of 30 s", f"{medians[1] / medians[0]:.1f}"
    return row(name, LIBROSA, times, *medians, "s", ratio, ">= 8 on 2 cores")


def measure_extraction_memory(folder):
    """Return a row on the peak of memory of an extraction of many clips and of ten times more."""
    peaks = []
    for n_clips in (10_000, 1_000):
        corpus = folder / str(n_clips)
        (corpus / "noise").mkdir(parents=True)
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, SAMPLE_RATE // 4)
        soundfile.write(folder / "noise.wav", noise, SAMPLE_RATE)
        for number in range(n_clips):
            os.link(folder / "noise.wav", corpus / "noise" / f"noise.{number % 100}.{number}.wav")
        options = ("--dataset", corpus, "--output", corpus / "out", "--frames", 10, "--jobs", 1)
        code = "import runpy; runpy.run_path('GenreFeatureData.py', run_name='__main__')"
        peaks.append(memory("VmHWM", code, *options))
    ratio = f"{peaks[0] / peaks[1]:.2f}"
    return row("extraction of 10,000 clips", "of 1,000", 1, *peaks, "MB at most", ratio, "<= 1.15")


# Training


def bare_epoch(data, recipe, device):
    """Return a function that trains an epoch of a bare LSTM on tensors, and returns its seconds."""
    features = torch.from_numpy(np.array(data.inputs["train"])).to(device)
    genres = torch.from_numpy(data.targets["train"]).to(device)
    lstm = nn.LSTM(33, recipe.hidden_size, recipe.n_layers, batch_first=True).to(device)
    linear = nn.Linear(recipe.hidden_size, len(data.genres)).to(device)
    optimizer = torch.optim.AdamW([*lstm.parameters(), *linear.parameters()], lr=3e-5)

    def run():
        size = recipe.batch_size
        for some, answers in zip(features.split(size), genres.split(size), strict=True):
            loss = nn.functional.cross_entropy(linear(lstm(some)[0][:, -1]), answers)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss.item()  # waits for the device

    return lambda: seconds(run)


def first_epoch(result, accuracy):
    """Return the epoch from which a committed run stays at such a validation accuracy, or None."""
    rows = read_table(ROOT / "result" / "reference" / result / "history.csv")
    validated = [row for row in rows if row["val_accuracy"]]
    lasting = itertools.takewhile(
        lambda row: float(row["val_accuracy"]) >= accuracy, reversed(validated)
    )
    return min((int(row["epoch"]) for row in lasting), default=None)


def measure_training(folder, times):
    """Yield rows on the training loop, and on how soon the original's accuracy is reached."""
    data = GenreFeatureData(write_features(folder / "features", 419)).load()
    yield measure_denormals(data, times)
    with flush_denormals():  # as in the training scripts
        for device in ("cpu", *["cuda"] * torch.cuda.is_available()):
            run, bare = (make(data, RECIPES["published"], device) for make in (epoch, bare_epoch))
            run(), bare()
            medians = by_turns(run, bare, times)
            name, ratio = f"training, an epoch on {device}", f"{medians[0] / medians[1]:.2f}"
            way = "bare nn.LSTM, linear layer and optimizer on tensors in memory"
            yield row(name, way, times, *medians, "s", ratio, "<= 1.05")
        yield measure_time_to_reported(data, times)


def measure_denormals(data, times):
    """Return a row on an epoch whose gradients fade to denormal numbers, or to zero."""
    slow = epoch(data, RECIPES["published"], "cpu")

    def quick():
        with flush_denormals():
            return slow()

    medians = by_turns(quick, slow, times)
    ratio = f"{medians[1] / medians[0]:.1f}"
    way = "the same with denormal numbers"
    return row("training, an epoch on cpu", way, times, *medians, "s", ratio, "")


def measure_time_to_reported(data, times):
    """Return a row on the time that each recipe takes to the original's accuracy."""
    medians = by_turns(
        *(epoch(data, RECIPES[name], "cpu") for name in ("improved", "published")), times
    )
    epochs = (
        first_epoch("improved/PiecewiseDecay", REPORTED),
        first_epoch("published/PiecewiseDecay", REPORTED),
    )
    times_to = medians[0] * epochs[0], medians[1] * (epochs[1] or RECIPES["published"].epochs)
    ratio = f"{times_to[1] / times_to[0]:.0f}"
    return row(
        f"improved recipe to a lasting {REPORTED:.2%} validation, epoch {epochs[0]}",
        f"published recipe, epoch {epochs[1]}" if epochs[1] else "published recipe, never in 1000",
        *(times, *times_to, "s", ratio if epochs[1] else f"> {ratio}", ">= 100, or never"),
    )


READ = """
from genre_features.cache import GenreFeatureData
from genre_lstm.training import batches
for _ in batches(GenreFeatureData(sys.argv[1]).load(), "train", 32, "cpu", shuffle=True):
    pass
"""


def measure_reading_memory(folder):
    """Return a row on the memory that an epoch takes of its own, beside what it maps of files."""
    sizes = []
    for n_clips in (20_000, 2_000):
        cache = write_features(folder / f"cache {n_clips}", n_clips)
        sizes.append(memory("RssAnon", READ, cache))
    ratio = f"{sizes[0] / sizes[1]:.2f}"
    return row("an epoch read of 1 GB of features", "of 0.1 GB", 1, *sizes, "MB", ratio, "<= 1.15")


# Prediction


def measure_prediction(folder, times):
    """Yield rows on predicting a clip of 30 s, imports included."""
    clip = write_clips(folder, 1)[0]
    for code, goal in (("import torch", ""), ("import torch, librosa", "<= 1.4")):
        medians = by_turns(
            lambda: seconds(run_alone, "predict.py", clip),
            lambda code=code: seconds(run_alone, "-c", code),
            times,
        )
        ratio = f"{medians[0] / medians[1]:.2f}"
        yield row("predict.py, a clip of 30 s", code, times, *medians, "s", ratio, goal)


def measure_memory(folder):
    """Yield rows on memory."""
    yield measure_extraction_memory(folder)
    yield measure_reading_memory(folder)


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=HelpFormatter
    )
    parser.add_argument(
        "--times", metavar="N", type=number_in(1), default=5, help="runs of which a median is taken"
    )
    times = parser.parse_args().times
    torch.set_num_threads(1)
    if hasattr(os, "getloadavg"):
        print(f"Load: {os.getloadavg()[0]:.1f} on {n_cores()} cores.", flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for subset in (
            measure_extraction(folder, times),
            measure_training(folder, times),
            measure_prediction(folder, times),
            measure_memory(folder) if sys.platform.startswith("linux") else [],
        ):
            for result in subset:
                rows.append(result)
                line = "{measured} | {reference}: {ours} | {theirs} {unit}, {ratio}"
                print(line.format(**result), flush=True)
    write_table(RESULTS, COLUMNS, rows)


if __name__ == "__main__":
    run_script(main)
