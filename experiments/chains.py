"""Tell GTZAN's two recording chains apart by the spectral contrast of the highest band.

    python -m experiments.chains --features gtzan/features/index-control

From 6.4 to 11 kHz, the contrast is high where a recording chain has let nothing through. Writes
chains.csv: each track's mean contrast, and the predictions of the shipped published models.
"""

from common.cli import run_script
from common.files import read_table, write_table
from experiments.options import ROOT, make_parser
from experiments.plan import PIECEWISE, PLATEAU
from genre_features.cache import GenreFeatureData
from genre_features.clips import SUBSETS

NAME = "chains.csv"
MAX_CONTRAST = 25  # dB; band-limited clips have more


def is_band_limited(row):
    """Whether a row of chains.csv is of a band-limited clip."""
    return float(row["contrast"]) > MAX_CONTRAST


def band_limited_tracks(folder):
    """Return the band-limited tracks in a folder's chains.csv, or else in the committed one."""
    rows = read_table(folder / NAME) or read_table(ROOT / "experiments" / NAME)
    return {row["track"] for row in rows if is_band_limited(row)}


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


def main():
    options = make_parser("experiments.chains", __doc__, "features").parse_args()
    rows = measure_contrast(GenreFeatureData(options.features).load())
    write_table(options.output / NAME, rows[0], rows)


if __name__ == "__main__":
    run_script(main)
