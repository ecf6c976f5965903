"""What the tests share: clips and caches made on the spot, and the scripts run as a user does."""

import contextlib
import csv
import dataclasses
import io
import json
import multiprocessing
import os
import runpy
import sys
import tracemalloc
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import soundfile

from genre_features.clips import SUBSETS
from genre_features.frame import N_FEATURES, SAMPLE_RATE, FrameSettings

# The processes that tests start are forks of one that has imported these. A fork of the tests' own
# might wait for a lock that another thread held, and couldn't train where there is a GPU.
multiprocessing.set_forkserver_preload(["torch._dynamo", "scipy.signal", "matplotlib.figure"])

ROOT = Path(__file__).parent.parent
SCRIPTS = [
    "GenreFeatureData.py",
    "lstm_genre_classifier_pytorch_PiecewiseDecay.py",
    "lstm_genre_classifier_pytorch_ReduceLROnPlateau.py",
    "generate_music_plots.py",
    "predict.py",
]
SCHEDULES = ["PiecewiseDecay", "ReduceLROnPlateau"]

GENRES = ["blip", "hiss", "hum"]
SECONDS = 1.0
FRAMES = 40

SHORT = ("--epochs", 4, "--batch-size", 5)
# Options of the fixture `trained`. Whatever the seed or the processor, these tell the genres apart.
TRAINED = ("--epochs", 25, "--batch-size", 5, "--learning-rate", 0.001)
TRAINED += ("--input-norm", "standardise", "--shuffle")
# Options of the fixture `improved`.
IMPROVED = ("--recipe", "improved", "--epochs", 20, "--batch-size", 6, "--crop-seconds", 0.5)
IMPROVED += ("--frame-step", 0)  # the clips are short

PICTURES = {
    "graph_train_loss.png",
    "graph_train_accuracy.png",
    "graph_val_loss.png",
    "graph_val_accuracy.png",
    "graph_loss.png",
    "graph_accuracy.png",
    "graph_lr.png",
    "confusion_mat.png",
    "reliability.png",
}


# Clips and caches


def make_clip(genre, number, seconds=SECONDS, rate=22050):
    """Synthesise a clip: pulses, noise or a low tone, each with a little of the others."""
    random = np.random.default_rng([GENRES.index(genre), number])
    time = np.arange(int(seconds * rate)) / rate
    pitch = random.uniform(90, 130)
    tone = np.sin(2 * np.pi * pitch * time)
    pulses = np.sin(2 * np.pi * 8 * pitch * time) * (time % 0.25 < 0.05)
    noise = random.standard_normal(len(time))
    loud = {"blip": (pulses, tone), "hiss": (noise, pulses), "hum": (tone, noise)}[genre]
    return 0.3 * loud[0] / np.abs(loud[0]).max() + 0.02 * loud[1] / np.abs(loud[1]).max()


def write_clip(path, genre, number, seconds=SECONDS, rate=22050, **options):
    """Write a clip to a file, in a folder that is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, make_clip(genre, number, seconds, rate), rate, **options)


def clip_file(path, seconds=3.0, rate=22050, **options):
    """Write a hum to a file; return its path and its bytes, which can be changed."""
    write_clip(path, "hum", 0, seconds, rate, **options)
    return path, bytearray(path.read_bytes())


def read_clip(path, n_notes=0):
    """Return how much of a file is read (s), and the note on it if there must be one."""
    from genre_features.audio import load_signal

    notes = []
    signal = load_signal(path, notes=notes)
    assert len(notes) == n_notes, notes
    return len(signal) / SAMPLE_RATE, *notes


def make_corpus(folder, numbers=(0, 10, 11, 30, 31, 32, 33), suffix=".wav"):
    """Write a data set of genre folders with GTZAN's track numbers."""
    for genre in GENRES:
        for number in numbers:
            write_clip(folder / genre / f"{genre}.{number:05d}{suffix}", genre, number)
    return folder


def touch(folder, *files):
    """Make files that hold nothing, in folders that are made if need be."""
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()


def write_cache(folder, n_clips=4, n_frames=8, n_genres=6, dtype=np.float64, random=True):
    """Write a cache as the original project did: no manifest.

    Features that aren't random are zeros, in files that take no room.
    """
    generator = np.random.default_rng(0)
    for subset in SUBSETS:
        path, shape = folder / f"data_{subset}_input.npy", (n_clips, n_frames, N_FEATURES)
        inputs = np.lib.format.open_memmap(path, "w+", dtype, shape)
        if random:
            inputs[:] = generator.standard_normal(shape)
        np.save(
            folder / f"data_{subset}_target.npy", np.eye(n_genres)[np.arange(n_clips) % n_genres]
        )


def write_manifest(folder, genres, n_frames=8, **changes):
    """Write the manifest of a cache, but for what it needn't hold."""
    content = {"genres": genres, **dataclasses.asdict(FrameSettings(frames=n_frames)), **changes}
    (folder / "features.json").write_text(json.dumps(content), encoding="utf-8")


class Trap:
    """What makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


# Running the scripts


def run_to_end(script, *arguments, cwd=".", encoding="utf-8"):
    """Run a script as a user does; return (exit status, stdout, stderr).

    In this process, which spares the seconds that importing torch takes in another. `encoding` is
    that of the terminal.
    """
    streams = [io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2)]
    status = 0
    with (
        mock.patch.object(sys, "argv", [script, *map(str, arguments)]),
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
    ):
        try:
            runpy.run_path(str(ROOT / script), run_name="__main__")
        except SystemExit as stop:
            status = stop.code or 0
    for stream in streams:
        stream.flush()
    return status, *(stream.buffer.getvalue().decode(encoding) for stream in streams)


def run(script, *arguments, status=0, **options):
    """Run a script, see `run_to_end`; check its exit status; return (stdout, stderr)."""
    ended, stdout, stderr = run_to_end(script, *arguments, **options)
    assert ended == status, stderr
    return stdout, stderr


def run_module(module, *arguments, status=0):
    """Run a module of the project as `python -m` does; see `run`."""
    return run(f"{module.replace('.', '/')}.py", *arguments, status=status)


def extraction_line(dataset, output, *arguments):
    """Return the words that extract a data set's features in one process: script, options."""
    words = ["GenreFeatureData.py", "--dataset", dataset, "--output", output, "--frames", FRAMES]
    return [str(word) for word in (*words, "--jobs", 1, *arguments)]


def extract(dataset, output, *arguments, status=0):
    """Run the feature script on a data set; return (stdout, stderr)."""
    return run(*extraction_line(dataset, output, *arguments), status=status)


def refuse(dataset, output, *arguments):
    """Run the feature script on bad input; return what it says on stderr."""
    return extract(dataset, output, *arguments, status=2)[1]


def training_line(features, folder, *arguments, schedule="PiecewiseDecay"):
    """Return the words that train into `folder`/weights and `folder`/result: script, options."""
    words = [f"lstm_genre_classifier_pytorch_{schedule}.py", "--features", features]
    words += ["--weights", folder / "weights", "--result", folder / "result"]
    return [str(word) for word in (*words, "--device", "cpu", *arguments)]


def train(features, folder, *arguments, schedule="PiecewiseDecay", status=0):
    """Run a training script into `folder`/weights and `folder`/result."""
    return run(*training_line(features, folder, *arguments, schedule=schedule), status=status)


def stop_training(features, folder, epoch, *arguments):
    """Run a training script and stop it after an epoch, as Ctrl-C does."""
    from genre_lstm import checkpoint

    save = checkpoint.save

    def save_and_stop(run, history):
        save(run, history)
        if len(history) == epoch:
            raise KeyboardInterrupt

    with mock.patch.object(checkpoint, "save", save_and_stop):
        train(features, folder, *arguments, status=130)


def predict(*arguments, status=0, **options):
    """Run the prediction script; return the lines on stdout, and stderr."""
    stdout, stderr = run("predict.py", *arguments, status=status, **options)
    return stdout.splitlines(), stderr


@contextlib.contextmanager
def undrawn():
    """Let trainings draw nothing, which takes them longer than to train."""
    from genre_lstm import plots

    names = ("plot_history", "plot_confusion", "plot_reliability")
    with mock.patch.multiple(plots, **dict.fromkeys(names, lambda *_: None)):
        yield


@contextlib.contextmanager
def full_disk(n_bytes):
    """Let no file grow beyond so many bytes, as on a disk that is full."""
    resource = pytest.importorskip("resource", reason="Windows limits no file's size")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# Looking at what they leave


def contents(folder):
    """Return what is in a folder's files, by their names, but for hidden ones.

    Of a manifest this leaves out by what it knows the audio, which is different for a copy.
    """
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.name[0] != "."}
    if "features.json" in found:
        found["features.json"] = json.loads(found["features.json"]) | {"sources": None}
    return found


def read_json(path):
    """Return the content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_manifest(folder):
    """Return the content of a cache's manifest."""
    return read_json(folder / "features.json")


def read_rows(path):
    """Return the rows of a CSV file as dicts."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_history(folder, schedule="PiecewiseDecay"):
    """Return the rows of history.csv of a training that `train` ran."""
    return read_rows(folder / "result" / schedule / "history.csv")


def read_summary(folder, schedule="PiecewiseDecay"):
    """Return the content of summary.json of a training that `train` ran."""
    return read_json(folder / "result" / schedule / "summary.json")


def assert_one_line(stderr, *words):
    """Check that the user is told what is wrong in one line that holds all `words`."""
    assert len(stderr.strip().splitlines()) == 1, stderr
    for word in words:
        assert str(word) in stderr


def is_drawn(path):
    """Whether a picture shows more than a background."""
    from matplotlib.image import imread

    # Each colour as one number: rows of three take numpy ten times as long to tell apart.
    colors = np.round(255 * imread(path)[..., :3]) @ [1, 256, 256**2]
    return len(np.unique(colors)) > 10


def is_uncut(figure):
    """Whether all that a figure shows lies within it."""
    figure.draw_without_rendering()
    drawn = figure.get_tightbbox()  # inches
    return drawn.min.min() > -0.01 and (drawn.max < figure.get_size_inches() + 0.01).all()


def most_memory(function, *arguments):
    """Return the most bytes that a function holds, whether it ends well or in an InputError."""
    from common.errors import InputError

    tracemalloc.start()
    try:
        with contextlib.suppress(InputError):
            function(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# Models


def make_model(hop_length=512, **settings):
    """Return a model of three genres whose training clips have 100 frames."""
    import torch

    from genre_lstm.model import GenreLSTM
    from genre_lstm.recipes import Recipe

    torch.manual_seed(0)
    frames = FrameSettings(hop_length=hop_length, frames=100)
    return GenreLSTM(3, Recipe(**settings), frames).eval()


def make_features(n_tracks=2, n_frames=60):
    """Return random features of some tracks."""
    import torch

    return torch.randn(n_tracks, n_frames, N_FEATURES, generator=torch.Generator().manual_seed(0))
