"""Measure which recordings are marked as unlike the training music.

    python -m experiments.unlike --features TEN_INDEX

TEN_INDEX has the features of all ten genres, split by track number and low-passed. Real clips are
those of the test subset: of the model's genres, and of the others. Sounds that aren't music are
made on the spot; speech needs espeak-ng, and is left out without it.
Writes unlike.csv: for each kind the number of recordings, how many are marked, and the area under
the ROC curve against the test clips of the model's genres.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import scipy.signal
from sklearn.metrics import roc_auc_score

from common.cli import run_script
from common.files import write_table
from experiments.caches import check_fit
from experiments.models import SHIPPED
from experiments.options import make_parser
from genre_features.audio import load_signal
from genre_features.cache import GenreFeatureData
from genre_features.features import extract_features
from genre_features.frame import SAMPLE_RATE
from genre_features.silence import silent_frames
from genre_lstm.similarity import distance_to_training
from genre_lstm.weights import load_models

NAME = "unlike.csv"
SECONDS, N_SOUNDS = 20, 20  # length and number of each kind of sound
VOICES = ("en-us", "en-gb", "de", "fr", "es", "it", "ru", "cmn", "hi", "ar")
TEXT = "Frame by frame, the network listens to the record. Does it know what music is? " * 5


def make_sounds(rng):
    """Yield the kind and the signal of sounds that aren't music, drawn at random."""
    time = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    for _ in range(N_SOUNDS):
        noise = rng.standard_normal(len(time))
        low = scipy.signal.butter(2, rng.uniform(300, 5000), fs=SAMPLE_RATE, output="sos")
        filtered = scipy.signal.sosfilt(low, noise)
        drops = noise * (rng.random(len(time)) < rng.uniform(0.001, 0.05))
        hz = rng.uniform(60, 3000)
        yield "noise", filtered
        yield "rain", scipy.signal.sosfilt(low, drops) + 0.05 * noise
        yield "engine", np.sign(np.sin(2 * np.pi * hz / 30 * time)) + 0.3 * filtered
        yield "tone", np.sin(2 * np.pi * hz * time)
        yield "clicks", (np.arange(len(time)) % int(SAMPLE_RATE / rng.uniform(2.5, 10)) < 30) * 1.0


def make_speech():
    """Yield speech in several languages and speeds, if espeak-ng is installed."""
    if not shutil.which("espeak-ng"):
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "speech.wav")
        for voice in VOICES:
            for speed in ("120", "190"):
                command = ["espeak-ng", "-v", voice, "-s", speed, "-w", str(path), TEXT]
                subprocess.run(command, check=True)
                yield "speech", load_signal(path, SECONDS)


def measure_distances(data, saved):
    """Return the distances to the training clips of each kind of recording, by its name."""
    settings, kinds = saved["settings"], {"test clips": []}
    check_fit(data, settings)
    for target, features in zip(data.targets["test"], data.inputs["test"], strict=True):
        genre = data.genres[target]
        kind = "test clips" if genre in saved["genres"] else f"{genre}, not trained on"
        distance = distance_to_training(saved["reference"], features, settings)
        kinds.setdefault(kind, []).append(distance)
    for kind, signal in (*make_sounds(np.random.default_rng(0)), *make_speech()):
        signal = (0.3 * signal / np.abs(signal).max()).astype(np.float32)
        features = extract_features(signal, settings)
        features = features[~silent_frames(features, settings)]
        distance = distance_to_training(saved["reference"], features, settings)
        kinds.setdefault(kind, []).append(distance)
    return kinds


def main():
    options = make_parser("experiments.unlike", __doc__, "features").parse_args()
    _, saved = load_models(SHIPPED / "improved")[0]
    kinds = measure_distances(GenreFeatureData(options.features).load(), saved)
    rows, known = [], kinds["test clips"]
    for kind, distances in kinds.items():
        labels = [0] * len(known) + [1] * len(distances)
        rows.append(
            {
                "kind": kind,
                "n": len(distances),
                "marked": sum(
                    distance > float(saved["reference"]["bound"]) for distance in distances
                ),
                "auroc": f"{roc_auc_score(labels, known + distances):.3f}",
            }
        )
    write_table(options.output / NAME, rows[0], rows)


if __name__ == "__main__":
    run_script(main)
