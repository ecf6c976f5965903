"""Tell GTZAN's two recording chains apart, and show what their cutoff does to the published models.

    python -m experiments.chains --features gtzan/features/index-control
    python -m experiments.chains --clips gtzan/genres

From 6.4 to 11 kHz, the spectral contrast is high where a recording chain has let nothing through.
With --features, writes chains.csv: each track's mean contrast, and the predictions of the shipped
published models. With --clips, writes counterfactual.csv: what they predict for each clip,
unfiltered and low-passed, so that only the band above the cutoff changes.
"""

import functools
from pathlib import Path

from common.cli import run_script
from common.files import read_table, write_table
from experiments.models import SHIPPED, classify_versions
from experiments.options import ROOT, make_parser
from experiments.plan import PIECEWISE, PLATEAU
from genre_features.audio import load_signal
from genre_features.bandwidth import effective_bandwidth
from genre_features.cache import GenreFeatureData
from genre_features.clips import SUBSETS
from genre_features.frame import SAMPLE_RATE
from genre_features.lowpass import lowpass
from genre_lstm.weights import load_models

NAME, COUNTERFACTUAL = "chains.csv", "counterfactual.csv"
MAX_CONTRAST = 25  # dB; band-limited clips have more
CUTOFFS = (0, 9500, 9000, 7500)  # Hz; 0 is unfiltered. GTZAN's band-limited clips end near 9600


def is_band_limited(row):
    """Whether a row of chains.csv is of a band-limited clip."""
    return float(row["contrast"]) > MAX_CONTRAST


def band_limited_tracks(folder):
    """Return the band-limited tracks in a folder's chains.csv, or else in the committed one."""
    rows = read_table(folder / NAME) or read_table(ROOT / "experiments" / NAME)
    return {row["track"] for row in rows if is_band_limited(row)}


def full_band(rows):
    """Return the rows of counterfactual.csv about full-band clips."""
    return [row for row in rows if int(row["bandwidth"]) >= SAMPLE_RATE // 2]


def cutoff_label(hz):
    """Return a cutoff in counterfactual.csv as text."""
    return f"{int(hz) / 1000:g} kHz" if int(hz) else "unfiltered"


def make_versions(signal):
    """Return the signal low-passed at each cutoff."""
    return {hz: lowpass(signal, hz) if hz else signal for hz in CUTOFFS}


def measure_contrast(data):
    """Return a row of chains.csv for each track of a `GenreFeatureData`."""
    predicted = {}
    for schedule in (PIECEWISE, PLATEAU):
        folder = ROOT / "result" / "reference" / "published" / schedule
        rows = read_table(folder / "predictions.csv")
        predicted[schedule] = {row["track"]: row["predicted"] for row in rows}
    rows = []
    for subset in SUBSETS:
        clips = zip(data.tracks[subset], data.targets[subset], data.inputs[subset], strict=True)
        for track, target, features in clips:
            row = {"track": track, "subset": subset, "genre": data.genres[target]}
            row["contrast"] = f"{features[:, -1].mean(dtype=float):.2f}"
            rows.append(row | {name: genres.get(track) for name, genres in predicted.items()})
    return rows


def lowpass_clips(dataset):
    """Yield a row of counterfactual.csv for each clip, model and cutoff."""
    models = {name: load_models(SHIPPED / "published" / name) for name in (PIECEWISE, PLATEAU)}
    bandwidth = functools.cache(lambda file: effective_bandwidth(load_signal(dataset / file)))
    for clip, schedule, hz, p in classify_versions(dataset, models, make_versions):
        row = {"track": clip.name, "genre": clip.genre, "bandwidth": round(bandwidth(clip.file))}
        row |= {"schedule": schedule, "cutoff": hz, "predicted": next(iter(p))}
        yield row | {"p_metal": f"{p['metal']:.3f}"}


def main():
    parser = make_parser("experiments.chains", __doc__)
    for name in ("--features", "--clips"):
        parser.add_argument(name, metavar="DIR", type=Path)
    options = parser.parse_args()
    if options.features:
        rows = measure_contrast(GenreFeatureData(options.features).load())
        write_table(options.output / NAME, rows[0], rows)
    if options.clips:
        rows = list(lowpass_clips(options.clips))
        write_table(options.output / COUNTERFACTUAL, rows[0], rows)


if __name__ == "__main__":
    run_script(main)
