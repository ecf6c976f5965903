"""Classify real clips with the improved models: unchanged, at other sample rates, and shortened.

    python -m experiments.robustness --clips gtzan/genres

Writes robustness.csv: how many predictions are right, and how many don't change.
"""

import tempfile
from pathlib import Path

import soundfile
import soxr

from common.cli import run_script
from common.files import write_table
from experiments.models import SECONDS, UNCHANGED, count_predictions, load_runs
from experiments.options import make_parser
from genre_features.audio import load_signal
from genre_features.frame import SAMPLE_RATE

NAME = "robustness.csv"
CONVERTED = {  # sample rate (Hz), format, seconds
    "16 kHz, WAV": (16000, "WAV", SECONDS),
    "16 kHz, MP3": (16000, "MP3", SECONDS),
    "16 kHz, OGG": (16000, "OGG", SECONDS),
    "8 kHz, WAV": (8000, "WAV", SECONDS),
}
SHORTENED = {f"first {seconds} s": (SAMPLE_RATE, "WAV", seconds) for seconds in (1, 2, 5, 10)}
VERSIONS = {UNCHANGED: (SAMPLE_RATE, "WAV", SECONDS), **CONVERTED, **SHORTENED}


def convert(signal, rate, form, seconds):
    """Return the start of a signal as it is read from a file of this rate and format."""
    converted = soxr.resample(signal[: seconds * SAMPLE_RATE], SAMPLE_RATE, rate)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"clip.{form.lower()}")
        soundfile.write(path, converted.clip(-1, 1), rate, format=form)
        return load_signal(path)


def make_versions(signal):
    """Return every version of a signal by its name."""
    return {name: convert(signal, *version) for name, version in VERSIONS.items()}


def main():
    options = make_parser("experiments.robustness", __doc__, "clips", runs=True).parse_args()
    counts = count_predictions(options.clips, load_runs(options.runs), make_versions)
    rows = [run._asdict() | row for run, row in counts.items()]
    write_table(options.output / NAME, rows[0], rows)


if __name__ == "__main__":
    run_script(main)
