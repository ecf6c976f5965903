"""The figures of the experiments, from the rows of the tables."""

import statistics

import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter, ScalarFormatter

from experiments import chains
from experiments.plan import PIECEWISE, PLATEAU, SCHEDULE_STEPS, SCHEDULES, STEPS
from experiments.tables import LADDER_LINES, SINGLE_CHANGES, run_values, select
from genre_features.dataset_plots import add_legend, plot_clips
from genre_features.figures import (
    BLUE,
    GRAY,
    ORANGE,
    PAGE_WIDTH,
    SUBSET_COLORS,
    genre_colors,
    new_figure,
)
from genre_features.frame import SAMPLE_RATE
from genre_features.genres import SIX_GENRES
from genre_lstm.plots import plot_confusion

ORIGINAL = {"accuracy": 0.7905, "hiphop recall": 0.35}  # in the original's report
LOSS_TICKS = (0.2, 0.3, 0.4, 0.6, 0.8, 1, 1.2, 1.6)
COLORS = dict(zip(SCHEDULES, (BLUE, ORANGE, GRAY), strict=True))
MATRICES = {
    "published, unfiltered": ("published", "index-control"),
    "improved, low-passed": ("improved", "index-lowpass"),
}


def draw_ladder(rows):
    """Draw accuracy and hiphop recall of every step: a bar for the mean, a mark for each seed."""
    steps = {label: select(rows, **values) for label, values in LADDER_LINES.items()}
    steps = {label: runs for label, runs in steps.items() if runs}
    figure = new_figure(figsize=(PAGE_WIDTH, 0.3 * len(steps) + 1.1))
    grid = figure.subplots(1, 2, sharey=True)
    for axes, title, prefix in zip(grid, ORIGINAL, ("", "hiphop_"), strict=True):
        for y, runs in enumerate(steps.values()):
            draw_step(axes, y, runs, f"{prefix}correct", f"{prefix}n")
        x = ORIGINAL[title]
        axes.axvline(x, color=GRAY, linestyle="--", label="original's report (validation)")
        style = {"ha": "center", "va": "bottom", "fontsize": 8, "color": GRAY}
        axes.text(x, 1, f"{100 * x:g}%", transform=axes.get_xaxis_transform(), **style)
        axes.set_yticks(range(len(steps)), list(steps))
        axes.set(xlim=(-0.02, 1.02), xlabel=title)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="x")
    grid[0].invert_yaxis()
    add_legend(figure, grid)
    return figure


def draw_step(axes, y, runs, count, n):
    """Draw the scores of a step's runs at a height: a column of counts over another."""
    for subset, mark, below in (("validation", "o", -0.15), ("test", "D", 0.15)):
        counts = [(row[f"{subset}_{count}"], row[f"{subset}_{n}"]) for row in runs]
        scores = [int(count) / int(n) for count, n in counts if n]
        color = SUBSET_COLORS[subset]
        if scores and subset == "validation":
            mean = statistics.mean(scores)
            axes.barh(y, mean, 0.7, color=color, alpha=0.35, label="validation, mean")
        label = f"{subset}, each seed" if scores else None
        axes.plot(scores, [y + below] * len(scores), mark, markersize=3, color=color, label=label)


def draw_schedules(curves):
    """Draw the mean and range of validation loss over the seeds that all three schedules have."""
    figure = new_figure(figsize=(PAGE_WIDTH, 4.8))
    panels = figure.subplots(2, 2, sharex="row", sharey="row")
    for line, (recipe, steps) in zip(panels, SCHEDULE_STEPS.items(), strict=True):
        for axes, order, step in zip(line, ("in file order", "shuffled"), steps, strict=True):
            values = [run_values(step, *SINGLE_CHANGES, schedule) for schedule in SCHEDULES]
            by_schedule = [select(curves, **v) for v in values]
            seeds = set.intersection(*({row["seed"] for row in runs} for runs in by_schedule))
            for schedule, runs in zip(SCHEDULES, by_schedule, strict=True):
                losses = [
                    np.array(r["val_losses"].split(), float) for r in runs if r["seed"] in seeds
                ]
                draw_losses(axes, np.array(losses), schedule, STEPS[step].validate_every)
            n_seeds = f"{len(seeds)} seed" + "s" * (len(seeds) != 1)
            axes.set(title=f"{recipe} recipe, {order} ({n_seeds})", xlabel="epoch")
            axes.grid()
        line[0].set(ylabel="validation loss (nats per clip)", yscale="log")
        line[0].yaxis.set(major_locator=FixedLocator(LOSS_TICKS), minor_locator=NullLocator())
        line[0].yaxis.set_major_formatter(ScalarFormatter())
    add_legend(figure, panels.flat)
    return figure


def draw_losses(axes, losses, schedule, every):
    """Draw mean and range of the losses, (seeds, validations), `every` so many epochs."""
    if not losses.size:
        return
    epochs = every * np.arange(1, 1 + losses.shape[1])
    color, order = COLORS[schedule], 3 - SCHEDULES.index(schedule) / 10  # the first on top
    axes.plot(epochs, losses.mean(axis=0), color=color, linewidth=1, zorder=order, label=schedule)
    band = {"color": color, "alpha": 0.2, "linewidth": 0}
    axes.fill_between(epochs, losses.min(axis=0), losses.max(axis=0), **band)


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
        accuracy, n = confusion.trace() / confusion.sum(), confusion.sum() // len(runs)
        panels[label] = {"confusion": confusion, "accuracy": accuracy, "n": n}
    title = f"Validation clips, PiecewiseDecay; number of seeds: {' and '.join(n_seeds)}"
    plot_confusion(panels, SIX_GENRES, path, title)


def draw_chains(rows):
    """Draw each track's mean contrast over its number, in a row for each genre."""
    points = {genre: [] for genre in sorted({row["genre"] for row in rows})}
    for row in rows:
        number = int(row["track"].rpartition(".")[2])
        points[row["genre"]].append((number, row["subset"], float(row["contrast"])))
    figure, panels = plot_clips(points)
    for axes, genre in zip(panels, points, strict=True):
        label = f"{chains.MAX_CONTRAST} dB: band-limited above"
        axes.axhline(chains.MAX_CONTRAST, color=GRAY, linewidth=0.8, linestyle="--", label=label)
        wrong = [
            (number, contrast)
            for row, (number, _, contrast) in zip(
                select(rows, genre=genre), points[genre], strict=True
            )
            if genre == "hiphop" and "metal" in (row[PIECEWISE], row[PLATEAU])
        ]
        if wrong:
            label = "hiphop classified as metal by a model"
            axes.plot(*zip(*wrong, strict=True), "x", color="black", label=label)
    panels[-1].set_xlim(-1, 100)
    add_legend(figure, panels)
    figure.suptitle("Mean spectral contrast from 6.4 to 11 kHz (dB): high where band-limited")
    return figure


def draw_counterfactual(rows):
    """Draw the probability of metal of each full-band clip, unfiltered and low-passed."""
    rows = [row for row in rows if int(row["bandwidth"]) >= SAMPLE_RATE // 2]
    genres = sorted({row["genre"] for row in rows})
    figure = new_figure(figsize=(PAGE_WIDTH, 3.2))
    for axes, schedule in zip(
        figure.subplots(1, 2, sharey=True), (PIECEWISE, PLATEAU), strict=True
    ):
        for genre, color in zip(genres, genre_colors(genres), strict=True):
            clips = {}
            for row in select(rows, schedule=schedule, genre=genre):
                cutoff = int(row["cutoff"])
                label = f"{cutoff / 1000:g} kHz" if cutoff else "unfiltered"
                clips.setdefault(row["track"], {})[label] = float(row["p_metal"])
            label = f"{genre}: {len(clips)} clips"
            for p in clips.values():
                axes.plot(p.keys(), p.values(), "o-", color=color, markersize=4, label=label)
        axes.set(title=f"published, {schedule}", xlabel="low-passed at", ylim=(0, 1))
        axes.grid()
    add_legend(figure, figure.axes)
    figure.axes[0].set_ylabel("probability of metal")
    figure.suptitle("Full-band clips, classified by the published models")
    return figure
