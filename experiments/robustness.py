"""Classify real clips with the improved models: unchanged, at other sample rates, and shortened.

    python -m experiments.robustness --clips gtzan/genres

Writes robustness.csv: how many predictions are right, and how many don't change.
"""

import tempfile
from pathlib import Path

import soundfile
import soxr
from tqdm import tqdm

from common.cli import run_script
from common.files import write_table
from experiments.models import load_models, predict_genre
from experiments.options import make_parser
from genre_features.audio import load_signal
from genre_features.clips import find_clips
from genre_features.features import extract_file
from genre_features.frame import SAMPLE_RATE

NAME = "robustness.csv"
SECONDS = 31  # GTZAN's clips are shorter; of longer files the start is used
UNCHANGED = "unchanged"
CONVERTED = {  # sample rate (Hz), format, seconds
    "16 kHz, WAV": (16000, "WAV", SECONDS),
    "16 kHz, MP3": (16000, "MP3", SECONDS),
    "16 kHz, OGG": (16000, "OGG", SECONDS),
    "8 kHz, WAV": (8000, "WAV", SECONDS),
}
SHORTENED = {f"first {seconds} s": (SAMPLE_RATE, "WAV", seconds) for seconds in (1, 2, 5, 10)}
VARIANTS = {UNCHANGED: (SAMPLE_RATE, "WAV", SECONDS), **CONVERTED, **SHORTENED}


def write_variants(path, folder):
    """Write every variant of a clip to a folder; return the files by the variant's name."""
    signal, files = load_signal(path, SECONDS), {}
    for i, (name, (rate, form, seconds)) in enumerate(VARIANTS.items()):
        files[name] = Path(folder) / f"{i}.{form.lower()}"
        converted = soxr.resample(signal[: seconds * SAMPLE_RATE], SAMPLE_RATE, rate)
        soundfile.write(files[name], converted.clip(-1, 1), rate, format=form)
    return files


def classify_variants(dataset, models):
    """Return each clip's true genre, and predicted[run][variant], a genre for each clip."""
    clips = [c for c in find_clips(dataset)[0] if c.genre in models[0][2]["genres"]]
    predicted = {run: {name: [] for name in VARIANTS} for run, *_ in models}
    for clip in tqdm(clips, "Clips", unit="clip"):
        with tempfile.TemporaryDirectory() as folder:
            for name, path in write_variants(dataset / clip.file, folder).items():
                features = {s: extract_file(path, s)[0] for s in {m[2]["settings"] for m in models}}
                for run, model, saved in models:
                    genre = predict_genre(model, saved, features[saved["settings"]])
                    predicted[run][name].append(genre)
    return [clip.genre for clip in clips], predicted


def write_counts(dataset, models, output):
    """Write robustness.csv: how many predictions are right, and the same as for whole clips."""
    true, predicted = classify_variants(dataset, models)
    rows = []
    for run, by_variant in predicted.items():
        row = run._asdict() | {"clips": len(true)}
        for name, genres in by_variant.items():
            row[f"right, {name}"] = sum(map(str.__eq__, genres, true))
            row[f"same, {name}"] = sum(map(str.__eq__, genres, by_variant[UNCHANGED]))
        rows.append(row)
    write_table(output / NAME, rows[0], rows)


def main():
    options = make_parser("experiments.robustness", __doc__, "clips").parse_args()
    write_counts(options.clips, load_models(options.runs), options.output)


if __name__ == "__main__":
    run_script(main)
