"""The figures of the experiments, from the rows of the tables."""

import itertools
import statistics

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from experiments import robustness
from experiments.plan import PIECEWISE, PLATEAU
from experiments.tables import LADDER_LINES, run_values, select
from genre_features.dataset_plots import add_legend
from genre_features.figures import BLUE, GRAY, PAGE_WIDTH, SUBSET_COLORS, new_figure
from genre_features.genres import SIX_GENRES
from genre_lstm.plots import plot_confusion

ORIGINAL = {"accuracy": 0.7905, "hiphop recall": 0.35}  # in the original's report
FILTER_COLUMNS = {  # titles of panels: the columns of results.csv
    "validation\naccuracy": ("validation_correct", "validation_n"),
    "test\naccuracy": ("test_correct", "test_n"),
    "hiphop\nrecall": ("validation_hiphop_correct", "validation_hiphop_n"),
    "hiphop\nas metal": ("validation_hiphop_as_metal", "validation_hiphop_n"),
}
FILTER_STEPS = {  # labels: step and schedule
    "published, Piecewise": ("published", PIECEWISE),
    "published, Plateau": ("published", PLATEAU),
    "improved, Piecewise": ("improved", PIECEWISE),
    "improved, Plateau": ("improved", PLATEAU),
    "SVM": ("svm", ""),
}
TRAINED_ON = {
    "index-control": ("trained on unfiltered", GRAY),
    "index-lowpass": ("trained on low-passed", BLUE),
    "index-both": ("trained on both", SUBSET_COLORS["validation"]),
}
FILTER_SPLITS = {"index": "by track number", "filtered": "artists apart", "ten": "ten genres"}
MATRICES = {
    "published, unfiltered": ("published", "index-control"),
    "improved, low-passed": ("improved", "index-lowpass"),
}


def draw_filter(rows):
    """Draw what low-passing does to each recipe's scores: a dot for each seed, a line for means."""
    lines = {}
    for (split, title), (label, values) in itertools.product(
        FILTER_SPLITS.items(), FILTER_STEPS.items()
    ):
        step, schedule = values
        pair = [
            select(rows, step=step, schedule=schedule, features=f"{split}-{version}")
            for version in ("control", "lowpass")
        ]
        if all(pair):
            lines[f"{title}: {label}"] = pair
    figure = new_figure(figsize=(PAGE_WIDTH, 0.24 * len(lines) + 0.9))
    grid = figure.subplots(1, len(FILTER_COLUMNS), sharey=True)
    for axes, (title, columns) in zip(grid, FILTER_COLUMNS.items(), strict=True):
        for y, pair in enumerate(lines.values()):
            draw_pair(axes, y, pair, *columns)
        axes.set_yticks(range(len(lines)), list(lines))
        axes.set_title(title)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5]))
        axes.margins(x=0.1)
        axes.grid()
    grid[0].invert_yaxis()
    add_legend(figure, grid)
    return figure


def draw_pair(axes, y, pair, column, divisor):
    """Draw the scores of the unfiltered and the low-passed runs of a row, and a line between."""
    means = []
    versions = (("unfiltered", "o", GRAY, -0.13), ("low-passed at 9 kHz", "D", BLUE, 0.13))
    for runs, (label, mark, color, below) in zip(pair, versions, strict=True):
        scores = [int(run[column]) / int(run[divisor]) for run in runs if run[column]]
        means += [statistics.mean(scores)] if scores else []
        style = {"color": color, "markersize": 4, "alpha": 0.6, "markeredgewidth": 0}
        axes.plot(scores, [y + below] * len(scores), mark, label=label, **style)
    if len(means) == 2:
        axes.plot(means, [y - 0.13, y + 0.13], "-", color="black", label="between the means")


def draw_ladder(rows):
    """Draw accuracy, hiphop recall and loss of every step: a mark for each seed, bars for means."""
    steps = {label: select(rows, **values) for label, values in LADDER_LINES.items()}
    steps = {label: runs for label, runs in steps.items() if runs}
    figure = new_figure(figsize=(PAGE_WIDTH, 0.3 * len(steps) + 1.1))
    grid = figure.subplots(1, 3, sharey=True)
    for axes, (title, x), prefix in zip(grid[:2], ORIGINAL.items(), ("", "hiphop_"), strict=True):
        for y, runs in enumerate(steps.values()):
            draw_step(axes, y, runs, prefix)
        axes.axvline(x, color=GRAY, linestyle="--", label="original's report (validation)")
        style = {"ha": "center", "va": "bottom", "fontsize": 8, "color": GRAY}
        axes.text(x, 1, f"{100 * x:g}%", transform=axes.get_xaxis_transform(), **style)
        axes.set(xlim=(-0.04, 1.04), xlabel=title)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
    for y, runs in enumerate(steps.values()):
        if losses := [float(run["final_val_loss"]) for run in runs if run["final_val_loss"]]:
            color = SUBSET_COLORS["validation"]
            grid[2].barh(y, statistics.mean(losses), 0.7, alpha=0.35, color=color)
            grid[2].plot(losses, [y - 0.15] * len(losses), "o", markersize=3, color=color)
    grid[2].set_xlabel("validation loss (nats)")
    for axes in grid:
        axes.set_yticks(range(len(steps)), list(steps))
        axes.grid(axis="x")
    grid[0].invert_yaxis()
    add_legend(figure, grid)
    return figure


def draw_step(axes, y, runs, prefix):
    """Draw the scores of a step's runs at a height."""
    for subset, mark, below in (("validation", "o", -0.15), ("test", "D", 0.15)):
        counts = [(r[f"{subset}_{prefix}correct"], r[f"{subset}_{prefix}n"]) for r in runs]
        scores = [int(count) / int(n) for count, n in counts if n]
        style = {"color": SUBSET_COLORS[subset]}
        if subset == "validation":
            axes.barh(y, statistics.mean(scores), 0.7, alpha=0.35, label=f"{subset}, mean", **style)
        style["label"] = f"{subset}, each seed" if scores else None
        axes.plot(scores, [y + below] * len(scores), mark, markersize=3, **style)


def plot_confusions(rows, path):
    """Draw the validation clips of the published and the improved recipe, all seeds together."""
    panels, n_seeds = {}, []
    for label, (step, features) in MATRICES.items():
        runs = [r for r in select(rows, **run_values(step, features)) if r["validation_confusion"]]
        if not runs:
            return
        n_seeds.append(str(len(runs)))
        cells = sum(np.array(row["validation_confusion"].split(), int) for row in runs)
        confusion = cells.reshape(len(SIX_GENRES), -1)
        panels[label] = {"confusion": confusion}
    title = f"Validation clips, split by track number; {' and '.join(n_seeds)} seeds"
    plot_confusion(panels, SIX_GENRES, path, title)


def draw_everyday(rows):
    """Draw how many predictions are right for each version of the clips: a mark for each model."""
    figure = new_figure(figsize=(PAGE_WIDTH, 3.6))
    axes = figure.add_subplot(xlabel=f"right predictions for {rows[0]['clips']} clips")
    columns = [column for column in rows[0] if column.startswith("right, ")]
    versions = [column.removeprefix("right, ") for column in columns]
    for row in rows:
        name, n_right = row["models"], [int(row[column]) for column in columns]
        style = {"marker": "o", "markersize": 5, "color": GRAY, "alpha": 0.7}
        if name.endswith("together"):
            style |= {"marker": "|", "markersize": 13, "markeredgewidth": 2, "color": BLUE}
        elif not name.startswith("published"):
            name, style["color"] = "improved, each seed", BLUE
        elif name.endswith(PLATEAU):
            style["marker"] = "^"
        name = name.replace("PiecewiseDecay", "Piecewise").replace(PLATEAU, "Plateau")
        axes.plot(n_right, versions, linestyle="none", label=name, **style)
    axes.set_xlim(0, int(rows[0]["clips"]))
    axes.invert_yaxis()
    axes.grid()
    add_legend(figure, [axes])
    return figure


def draw_robustness(rows):
    """Draw how predictions fare with short clips and other sample rates: dots are runs."""
    figure = new_figure(figsize=(PAGE_WIDTH, 3))
    panels = figure.subplots(1, 2, sharey=True)
    n_clips = int(rows[0]["clips"])
    for axes, what, versions in (
        (panels[0], "right", [*robustness.SHORTENED, robustness.UNCHANGED]),
        (panels[1], "same", robustness.CONVERTED),
    ):
        names = {robustness.UNCHANGED: "whole"}
        ticks = [names.get(v, v).removeprefix("first ").replace(", ", "\n") for v in versions]
        for features, (label, color) in TRAINED_ON.items():
            runs = select(rows, features=features, schedule=PIECEWISE)
            counts = np.array([[int(run[f"{what}, {v}"]) for v in versions] for run in runs])
            for each in counts:
                axes.plot(ticks, each, "o", color=color, alpha=0.5, markersize=3)
            if runs:
                axes.plot(ticks, counts.mean(axis=0), color=color, label=f"{label}, mean")
        axes.set(ylim=(0, n_clips))
        axes.grid()
    panels[0].set(title="right, from the start of a clip", ylabel=f"of {n_clips} clips")
    panels[1].set_title("same prediction as unchanged")
    add_legend(figure, panels)
    return figure
