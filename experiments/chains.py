"""Tell GTZAN's two recording chains apart in the features, and count hiphop's errors in each.

    python -m experiments.chains --features gtzan

The mean contrast of the highest band (6.4 to 11 kHz) is high where a recording chain has let
nothing through up there. This writes chains.csv and chains.png.
"""

import argparse
from pathlib import Path

from common.cli import HelpFormatter, add_format, run_script
from common.errors import InputError
from common.files import read_table, write_table
from experiments.collect import CHAINS, HIPHOP_ANSWERS
from experiments.plan import PIECEWISE, PLATEAU
from experiments.tables import markdown
from genre_features.cache import GenreFeatureData
from genre_features.clips import SUBSETS
from genre_features.dataset_plots import add_legend, plot_clips
from genre_features.figures import GRAY, save
from genre_features.frame import COLUMNS

NAME = "chains"
HIGHEST_BAND = COLUMNS["spectral_contrast"].stop - 1
CUT = 25  # dB; band-limited clips have more
REFERENCE = Path(__file__).parent.parent / "result" / "reference" / "published"


def describe_tracks(data):
    """Return a row of chains.csv for each track: its mean contrast, and what the models said."""
    answers = {
        schedule: {
            row["track"]: row["predicted"]
            for row in read_table(REFERENCE / schedule / "predictions.csv")
        }
        for schedule in (PIECEWISE, PLATEAU)
    }
    for subset in SUBSETS:
        for track in data.tracks[subset]:
            number_of({"track": track})  # refused here, before anything is trained
    return [
        {
            "track": track,
            "subset": subset,
            "genre": data.genres[target],
            "contrast": f"{clip[:, HIGHEST_BAND].mean(dtype=float):.2f}",
            **{schedule: by_track.get(track, "") for schedule, by_track in answers.items()},
        }
        for subset in SUBSETS
        for track, target, clip in zip(
            data.tracks[subset], data.targets[subset], data.inputs[subset], strict=True
        )
    ]


def write_chains(rows, output):
    """Write chains.csv, of rows of `describe_tracks`."""
    write_table(output / f"{NAME}.csv", rows[0], rows)


def is_cut(row):
    """Whether a row of chains.csv is of a band-limited clip."""
    return float(row["contrast"]) > CUT


def make_tables(rows):
    """Return a Markdown table, by its title, of hiphop's answers in each recording chain."""
    lines = [["hiphop, validation and test", "clips"], ["---", "---:"]]
    for schedule in (PIECEWISE, PLATEAU):
        lines[0] += [f"right, {schedule}", f"called metal, {schedule}"]
        lines[1] += ["---:", "---:"]
    for cut, label in CHAINS.items():
        own = [r for r in rows if r["genre"] == "hiphop" and r[PIECEWISE] and is_cut(r) == cut]
        line = [label, len(own)]
        for schedule in (PIECEWISE, PLATEAU):
            line += [sum(row[schedule] == genre for row in own) for genre in HIPHOP_ANSWERS]
        lines.append(line)
    return {"Hiphop in each recording chain": markdown(lines)}


def plot_chains(rows, path):
    """Draw each track's mean contrast over its number, in a row per genre."""
    tracks = {}
    for row in sorted(rows, key=lambda row: row["genre"]):
        tracks.setdefault(row["genre"], []).append(
            (number_of(row), row["subset"], float(row["contrast"]))
        )
    figure, panels = plot_clips(tracks)
    for axes, genre in zip(panels, tracks, strict=True):
        axes.axhline(
            CUT, color=GRAY, linewidth=0.8, linestyle="--", label=f"{CUT} dB: band-limited above"
        )
        wrong = [
            (number_of(row), float(row["contrast"]))
            for row in rows
            if row["genre"] == genre == "hiphop" and "metal" in (row[PIECEWISE], row[PLATEAU])
        ]
        if wrong:
            axes.plot(
                *zip(*wrong, strict=True),
                "x",
                color="black",
                label="hiphop called metal by a model",
            )
    panels[-1].set_xlim(-1, 100)
    add_legend(figure, panels)
    figure.suptitle("Mean spectral contrast from 6.4 to 11 kHz (dB): high where band-limited")
    save(figure, path)


def number_of(row):
    """Return the track number in a row of chains.csv."""
    number = row["track"].rpartition(".")[2]
    if not number.isdecimal():
        raise InputError(f"{row['track']} isn't named as GTZAN's tracks are, <genre>.<number>")
    return int(number)


def main():
    parser = argparse.ArgumentParser(
        prog="python -m experiments.chains", description=__doc__, formatter_class=HelpFormatter
    )
    add, folder = parser.add_argument, {"metavar": "DIR", "type": Path}
    add("--features", **folder, help="GTZAN's features (default: draw the table that is there)")
    add("--output", **folder, default="experiments", help="where table and figure go")
    add_format(parser)
    options = parser.parse_args()
    if options.features:
        write_chains(describe_tracks(GenreFeatureData(options.features).load()), options.output)
    rows = read_table(options.output / f"{NAME}.csv")
    plot_chains(rows, options.output / f"{NAME}.{options.format}")


if __name__ == "__main__":
    run_script(main)
