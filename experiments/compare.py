"""Score the seeds of each row together, by clip and by artist, and compare rows clip by clip.

    python -m experiments.compare --artists gtzan/artists.csv

From the stored predictions, writes together.csv (for each row of the tables, subset and genre: the
probabilities of all seeds averaged) and pairs.csv (McNemar's test for plan.PAIRS). --artists is a
table of GTZAN with the columns track and artist; a clip of an unknown artist counts as an artist.
"""

import itertools
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest

from common.cli import run_script
from common.files import write_table
from experiments.caches import read_artists
from experiments.collect import PREDICTIONS, SUBSETS
from experiments.options import make_parser
from experiments.plan import FINAL, PAIRS, PIECEWISE, RUNS, SPLITS
from experiments.tables import markdown, select
from genre_lstm.calibration import wilson_interval
from genre_lstm.scoring import score_groups

TOGETHER, PAIRED = "together.csv", "pairs.csv"
ARTIST_COLUMNS = ("artists", "clips of the most frequent", "mean over artists, %", "95 % interval")


class Row(NamedTuple):
    """The predictions of a row's runs for a subset; tracks are sorted."""

    tracks: np.ndarray
    true: np.ndarray  # indices of genres, (clips,)
    probabilities: np.ndarray  # (runs, clips, genres)
    genres: np.ndarray

    @property
    def right(self):
        """Whether the models of all seeds together are right, (clips,)."""
        return self.probabilities.mean(axis=0).argmax(axis=1) == self.true

    def losses(self):
        """Return the mean loss of single models, and the loss of all together."""
        p = self.probabilities[:, np.arange(len(self.true)), self.true].clip(1e-6)
        return -np.log(p).mean(), -np.log(p.mean(axis=0)).mean()


def load_row(folder, features, step, schedule, subset):
    """Return the `Row` of features, step and schedule for a subset; None if it isn't there."""
    path = folder / PREDICTIONS / f"{features}.npz"
    if not path.exists() or (subset == "test" and step not in FINAL):
        return None
    name = f"{step}/{schedule}-" if schedule else step
    with np.load(path) as arrays:
        rows = np.flatnonzero(arrays["subset"] == subset)
        rows = rows[np.argsort(arrays["track"][rows])]
        runs = [arrays[key][rows] for key in arrays if key.startswith(name)]
        true = (arrays["true"][rows, None] == arrays["genres"]).argmax(axis=1)
        if not runs:
            return None
        return Row(arrays["track"][rows], true, np.stack(runs).astype(float), arrays["genres"])


def mcnemar(first_right, second_right):
    """Return the clips on which only the first or the second is right, and McNemar's exact p."""
    n_first, n_second = (first_right & ~second_right).sum(), (second_right & ~first_right).sum()
    n = n_first + n_second
    return n_first, n_second, binomtest(n_first, n).pvalue if n else 1.0


def score_row(row, artist_of):
    """Yield the columns of together.csv for each genre of a `Row`, and for all."""
    artists = np.array([artist_of.get(track) or track for track in row.tracks])
    for i, genre in enumerate([*row.genres, "all"]):
        clips = (row.true == i) | (genre == "all")
        if not clips.any():
            continue
        columns = {"genre": genre, "seeds": len(row.probabilities), "n": clips.sum()}
        columns["correct"] = row.right[clips].sum()
        if not artist_of.keys().isdisjoint(row.tracks):
            mean, low, high = score_groups(row.right[clips], artists[clips])
            counts = np.unique(artists[clips], return_counts=True)[1]
            columns |= {"artists": len(counts), "most": counts.max()}
            columns |= {"mean": f"{mean:.4f}", "low": f"{low:.4f}", "high": f"{high:.4f}"}
        if genre == "all":
            one, together = row.losses()
            columns |= {"loss_of_one": f"{one:.4f}", "loss": f"{together:.4f}"}
        yield columns


def score_rows(folder, artist_of):
    """Return the rows of together.csv from the predictions in a folder."""
    names = dict.fromkeys((run.features, run.step, run.schedule) for run in RUNS)
    columns = ("genre", "seeds", "n", "correct", "artists", "most", "mean", "low", "high")
    empty, rows = dict.fromkeys((*columns, "loss_of_one", "loss")), []
    for name, subset in itertools.product(names, SUBSETS):
        if row := load_row(folder, *name, subset):
            about = dict(zip(("features", "step", "schedule"), name, strict=True))
            about["subset"] = subset
            # Tracks of other data sets may have the same names.
            is_gtzan = name[0].partition("-")[0] in SPLITS
            scores = score_row(row, artist_of if is_gtzan else {})
            rows += [about | empty | columns for columns in scores]
    return rows


def compare_rows(folder):
    """Return the rows of pairs.csv from the predictions in a folder."""
    rows = []
    for (first, second), subset in itertools.product(PAIRS, SUBSETS):
        pair = [
            load_row(folder, *name.split("/"), "" if name.endswith("svm") else PIECEWISE, subset)
            for name in (first, second)
        ]
        if None not in pair:
            n_first, n_second, p = mcnemar(*(row.right for row in pair))
            about = {"first": first, "second": second, "subset": subset, "n": len(pair[0].tracks)}
            rows.append(about | {"only_first": n_first, "only_second": n_second, "p": f"{p:.2g}"})
    return rows


def together_tables(rows):
    """Return the tables of together.csv, by title: all seeds together, and recalls by artist."""
    scores = ("clips", "seeds", "accuracy, %", "95 % interval", "loss, single", "loss, averaged")
    lines = [["", *scores, *ARTIST_COLUMNS]]
    for row in select(rows, genre="all"):
        low, high = wilson_interval(int(row["correct"]), int(row["n"]))
        line = [row_label(row), row["n"], row["seeds"]]
        line += [percent(int(row["correct"]) / int(row["n"])), interval(low, high)]
        # The support vector machine has no probabilities.
        line += [row["loss_of_one"], row["loss"]] if row["schedule"] else ["", ""]
        line += artist_cells(row)
        lines.append(line)
    recalls = [["", "genre", "clips", "recall", *ARTIST_COLUMNS]]
    for row in select(rows, step="improved", schedule=PIECEWISE):
        if row["artists"] and row["features"].endswith("lowpass") and row["genre"] != "all":
            recall = f"{int(row['correct']) / int(row['n']):.2f}"
            recalls.append([row_label(row), row["genre"], row["n"], recall, *artist_cells(row)])
    return {
        "Probabilities averaged over seeds": markdown(lines),
        "Recall of each genre, by artist": markdown(recalls, n_texts=2),
    }


def row_label(row):
    """Return features, step, schedule and subset of a row of together.csv as text."""
    return ", ".join(row[k] for k in ("features", "step", "schedule", "subset") if row[k])


def percent(fraction):
    """Return a fraction in percent, with a decimal."""
    return f"{100 * float(fraction):.1f}"


def interval(low, high):
    """Return an interval of fractions in whole percent."""
    return f"{100 * float(low):.0f} to {100 * float(high):.0f}"


def artist_cells(row):
    """Return the cells about artists of a row of together.csv."""
    if not row["artists"]:
        return [""] * len(ARTIST_COLUMNS)
    return [row["artists"], row["most"], percent(row["mean"]), interval(row["low"], row["high"])]


def pair_tables(rows):
    """Return the table of pairs.csv, by title."""
    title = "Clips on which only one of two rows is right, with PiecewiseDecay"
    lines = [["", "compared with", "subset", "clips", "only the first", "only the second", "p"]]
    lines += [list(row.values()) for row in rows]
    return {title: markdown(lines, n_texts=3)}


def main():
    parser = make_parser("experiments.compare", __doc__)
    parser.add_argument("--artists", metavar="CSV", type=Path)
    options = parser.parse_args()
    artist_of = read_artists(options.artists) if options.artists else {}
    for name, rows in (
        (TOGETHER, score_rows(options.output, artist_of)),
        (PAIRED, compare_rows(options.output)),
    ):
        if rows:
            write_table(options.output / name, rows[0], rows)


if __name__ == "__main__":
    run_script(main)
