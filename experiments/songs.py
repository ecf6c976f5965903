"""How many songs of each genre does the improved recipe need? Its accuracy over their number.

    python -m experiments.songs --features DIR --output DIR | sh   # train what is missing
    python -m experiments.songs --features DIR --output DIR        # write songs.csv

Trains on 5, 10, 20, 40 and all training clips of each genre, drawn with the training's seed, and in
whole groups where groups are known. A larger number includes the clips of a smaller one. Every call
prints the commands of the missing trainings, and writes the scores of the finished ones.
"""

import itertools
import json
import shlex

import numpy as np

from common.cli import run_script
from common.files import write_table
from experiments.caches import save_cache
from experiments.options import make_parser
from experiments.plan import PIECEWISE, Run
from experiments.tables import table
from genre_features.cache import GenreFeatureData
from genre_features.dataset_plots import add_legend
from genre_features.figures import BLUE, COLUMN_WIDTH, new_figure

NAME = "songs.csv"
SIZES, N_SEEDS = (5, 10, 20, 40), 5


def draw_clips(targets, groups, n, seed):
    """Return the rows of n clips of each genre, or of as many whole groups as reach n, in order."""
    rng, chosen = np.random.default_rng(seed), np.zeros(len(targets), bool)
    for target in np.unique(targets):
        names, sizes = np.unique(groups[targets == target], return_counts=True)
        order = rng.permutation(len(names))
        n_before = sizes[order].cumsum() - sizes[order]
        chosen |= np.isin(groups, names[order[n_before < n]]) & (targets == target)
    return np.flatnonzero(chosen)


def draw_songs(rows):
    """Draw accuracy over the number of clips: a mark for each seed, and a line for the means."""
    figure = new_figure(figsize=(COLUMN_WIDTH, 2.9))
    axes = figure.add_subplot(xlabel="training clips of each genre", ylim=(0, 100))
    axes.set_ylabel("validation accuracy, %")
    scores = {}
    for row in rows:
        accuracy = 100 * int(row["validation_correct"]) / int(row["validation_n"])
        scores.setdefault(row["songs"], []).append(accuracy)
        axes.plot(row["songs"], accuracy, "o", color=BLUE, alpha=0.4, label="each seed")
    axes.plot(list(scores), list(map(np.mean, scores.values())), color=BLUE, label="mean")
    add_legend(figure, [axes])
    return figure


def songs_tables(rows):
    """Return the table of songs.csv, by title."""
    columns = {"validation accuracy, %": ("validation_correct", "validation_n", "{:.1f}", 100)}
    groups = {f"{n} songs": {"songs": n} for n in dict.fromkeys(row["songs"] for row in rows)}
    return {"Songs of each genre to train on": table(rows, groups, columns)}


def main():
    options = make_parser("experiments.songs", __doc__, "features", runs=True).parse_args()
    folder, rows = options.runs / "songs" / options.features.resolve().name, []
    data = GenreFeatureData(options.features).load()
    targets, groups = data.targets["train"], np.array((data.groups or data.tracks)["train"])
    n_all = round(len(targets) / len(data.genres))
    sizes = [*(size for size in SIZES if size < n_all), n_all]
    for size, seed in itertools.product(sizes, range(N_SEEDS)):
        run = Run("all" if size == n_all else f"{size}-{seed}", "improved", PIECEWISE, str(seed))
        chosen = draw_clips(targets, groups, np.inf if size == n_all else size, seed)
        if (summary := run.result(folder) / "summary.json").exists():
            scores = json.loads(summary.read_text(encoding="utf-8"))["validation"]
            row = {"songs": size, "seed": seed, "clips": len(chosen)}
            rows.append(row | {f"validation_{key}": scores[key] for key in ("correct", "n")})
        else:
            clips = {"train": chosen, "validation": slice(None)}
            arrays = [
                {subset: array[subset][clips[subset]] for subset in clips}
                for array in (data.inputs, data.targets)
            ]
            save_cache(folder / run.features, data, *arrays)
            print(shlex.join(run.command(folder, folder)), flush=True)
    if rows:
        write_table(options.output / NAME, rows[0], rows)


if __name__ == "__main__":
    run_script(main)
