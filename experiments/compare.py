"""Compare two rows of the tables clip by clip and artist by artist, from the stored predictions.

    python -m experiments.compare index-control/improved/PiecewiseDecay \\
        index-lowpass/improved/PiecewiseDecay --artists gtzan/artists.csv

Seeds are averaged. --artists is a table with the columns track and artist; clips of
unknown artists count as one artist each.
"""

from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from common.cli import run_script
from common.errors import InputError
from common.files import read_table
from experiments.collect import PREDICTIONS, SUBSETS
from experiments.options import make_parser
from experiments.plan import FINAL
from experiments.tables import markdown

N_DRAWS = 10_000  # of the bootstrap


def load_ensemble(folder, name, subset):
    """Return tracks, true genres and predicted genres of the clips in a subset.

    `name` is a row's, as in index-lowpass/improved/PiecewiseDecay, of which all seeds are averaged,
    or a run's, as in index-lowpass/improved/PiecewiseDecay-0.
    """
    features, _, step = name.partition("/")
    path = folder / PREDICTIONS / f"{features}.npz"
    if not path.exists():
        raise InputError(f"no {path}: python -m experiments.collect writes it")
    with np.load(path) as arrays:
        rows = arrays["subset"] == subset
        runs = [arrays[key][rows] for key in arrays if key == step or key.startswith(f"{step}-")]
        if not runs or (subset == "test" and step.partition("/")[0] not in FINAL):
            raise InputError(f"{path} has no predictions of {step} for {subset} clips")
        predicted = arrays["genres"][np.mean(runs, axis=0, dtype=float).argmax(axis=1)]
        return arrays["track"][rows], arrays["true"][rows], predicted


def mcnemar(first_right, second_right):
    """Return the clips on which only the first or the second is right, and McNemar's exact p."""
    n_first, n_second = (first_right & ~second_right).sum(), (second_right & ~first_right).sum()
    n = n_first + n_second
    return n_first, n_second, binomtest(n_first, n).pvalue if n else 1.0


def score_artists(right, artists):
    """Return the mean over artists of their accuracy, and its 95 % bootstrap interval."""
    accuracies = np.array([right[artists == artist].mean() for artist in np.unique(artists)])
    draws = np.random.default_rng(0).choice(accuracies, (N_DRAWS, len(accuracies)))
    return accuracies.mean(), *np.quantile(draws.mean(axis=1), (0.025, 0.975))


def artist_table(right, true, artists):
    """Return a Markdown table of recall by clip and by artist, for each genre and overall."""
    lines = [["", "clips", "right, %", "artists", "mean over artists, %", "95 % interval"]]
    for genre in [*np.unique(true), "all"]:
        rows = (true == genre) | (genre == "all")
        mean, low, high = (100 * score for score in score_artists(right[rows], artists[rows]))
        line = [genre, rows.sum(), f"{100 * right[rows].mean():.1f}"]
        line += [len(np.unique(artists[rows])), f"{mean:.1f}", f"{low:.0f} to {high:.0f}"]
        lines.append(line)
    return markdown(lines)


def main():
    parser = make_parser("experiments.compare", __doc__)
    parser.add_argument("rows", metavar="FEATURES/STEP/SCHEDULE", nargs=2)
    parser.add_argument("--subset", choices=SUBSETS, default="validation")
    parser.add_argument("--artists", metavar="CSV", type=Path, default=Path("artists.csv"))
    options = parser.parse_args()
    (tracks, true, first), (others, _, second) = (
        load_ensemble(options.output, name, options.subset) for name in options.rows
    )
    if tracks.tolist() != others.tolist():
        raise InputError("the two rows are of other clips: compare features of one split")
    by_track = {row["track"]: row["artist"] for row in read_table(options.artists)}
    artists = np.array([by_track.get(track) or track for track in tracks])
    for name, predicted in zip(options.rows, (first, second), strict=True):
        print(f"{name}\n\n{artist_table(predicted == true, true, artists)}")
    n_first, n_second, p = mcnemar(first == true, second == true)
    print(f"Only the first is right: {n_first}, only the second: {n_second}, p = {p:.2g} (McNemar)")


if __name__ == "__main__":
    run_script(main)
