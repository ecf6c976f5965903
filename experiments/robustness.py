"""Show real clips to the improved models, as they are, at other sample rates, and shortened.

    python -m experiments.robustness --clips gtzan/genres --lowpass gtzan/lowpass

Audio at 16 kHz holds nothing above 8 kHz. This counts the answers that stay as they were, and
writes robustness.csv. It needs the weights in experiments/runs/ that python -m experiments leaves.
"""

import argparse
import tempfile
from pathlib import Path

import soundfile
import soxr
from tqdm import tqdm

from common.cli import HelpFormatter, run_script
from common.files import write_table
from experiments.collect import KEY, add_models, find_models
from experiments.tables import lines_of_models, select, summarise, table
from genre_features.audio import load_signal
from genre_features.clips import find_clips
from genre_features.features import extract_file
from genre_features.frame import SAMPLE_RATE
from genre_lstm.prediction import classify

NAME = "robustness"
SECONDS = 31  # GTZAN's clips are shorter; of longer files the start is taken
AS_IT_IS = "as it is"
# The sample rate (Hz) and format that each clip is converted to, and how much is kept of it (s).
CONVERTED = {
    "16 kHz, WAV": (16000, "WAV", SECONDS),
    "16 kHz, MP3": (16000, "MP3", SECONDS),
    "16 kHz, OGG": (16000, "OGG", SECONDS),
    "8 kHz, WAV": (8000, "WAV", SECONDS),
}
SHORTENED = {f"first {seconds} s": (SAMPLE_RATE, "WAV", seconds) for seconds in (1, 2, 5, 10)}
VARIANTS = {AS_IT_IS: (SAMPLE_RATE, "WAV", SECONDS), **CONVERTED, **SHORTENED}
COLUMNS = (*KEY, "variant", "n", "right", "kept")


def write_variants(path, folder):
    """Write a clip in every variant to a folder; return the files, by the variant's name."""
    signal, files = load_signal(path, SECONDS), {}
    for number, (name, (rate, form, seconds)) in enumerate(VARIANTS.items()):
        files[name] = Path(folder) / f"{number}.{form.lower()}"
        converted = soxr.resample(signal[: seconds * SAMPLE_RATE], SAMPLE_RATE, rate)
        soundfile.write(files[name], converted.clip(-1, 1), rate, format=form)
    return files


def answer_clips(dataset, models):
    """Return (genres, answers): each clip's genre, and answers[model][variant] to each clip."""
    tracks = [t for t in find_clips(dataset)[0] if t.genre in models[0][2]["genres"]]
    answers = [{name: [] for name in VARIANTS} for _ in models]
    for track in tqdm(tracks, "Clips", unit="clip"):
        with tempfile.TemporaryDirectory() as folder:
            for name, path in write_variants(dataset / track.file, folder).items():
                by_settings = {}
                for (_, model, saved), own in zip(models, answers, strict=True):
                    settings = saved["settings"]
                    if settings not in by_settings:
                        by_settings[settings] = extract_file(path, settings)[0]
                    own[name].append(next(iter(classify(model, saved, by_settings[settings]))))
    return [track.genre for track in tracks], answers


def write_answers(dataset, models, output):
    """Write robustness.csv: for each model and variant how many answers are right, and stay."""
    genres, answers = answer_clips(dataset, models)
    rows = []
    for (key, *_), by_variant in zip(models, answers, strict=True):
        for name, own in by_variant.items():
            n_right = sum(map(str.__eq__, own, genres))
            n_kept = sum(map(str.__eq__, own, by_variant[AS_IT_IS]))
            rows.append(key | {"variant": name, "n": len(own), "right": n_right, "kept": n_kept})
    write_table(output / f"{NAME}.csv", COLUMNS, rows)


def make_tables(rows):
    """Return Markdown tables by title: right answers, and those that stay at other rates."""

    def numbers(column, variant):
        def fill(own):
            values = [int(row[column]) for row in select(own, variant=variant)]
            return summarise(values, "{:.1f}" if len(values) > 2 else "{}")

        return fill

    whole = {f"right, of {rows[0]['n']}": numbers("right", AS_IT_IS)}
    kept = {f"kept, {variant}": numbers("kept", variant) for variant in CONVERTED}
    right = {f"right, {variant}": numbers("right", variant) for variant in SHORTENED}
    lines, head = lines_of_models(), "trained on clips"
    return {
        "Answers at other sample rates": table(rows, lines, whole | kept, head),
        "Answers to short clips": table(rows, lines, whole | right, head),
    }


def main():
    parser = argparse.ArgumentParser(
        prog="python -m experiments.robustness", description=__doc__, formatter_class=HelpFormatter
    )
    clips = {"metavar": "DIR", "type": Path, "required": True}
    parser.add_argument("--clips", **clips, help="GTZAN's audio, of clips not trained on")
    add_models(parser)
    options = parser.parse_args()
    models = find_models(vars(options), options.output)
    write_answers(options.clips, models, options.output)


if __name__ == "__main__":
    run_script(main)
