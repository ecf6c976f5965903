"""Make table.md and the figures of the experiments from their .csv files.

    python -m experiments.report
    python -m experiments.report --format pdf

Nothing is trained.
"""

import argparse
import statistics
from pathlib import Path

import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter, ScalarFormatter

from common.cli import HelpFormatter, add_format, run_script
from common.files import atomic_write, read_table
from experiments import chains, counterfactual, robustness, transfer
from experiments.collect import CONFUSIONS, CURVES, HIPHOP, RESULTS
from experiments.plan import COMPARED, SCHEDULES
from experiments.tables import (
    LADDER_LINES,
    hiphop_table,
    of_step,
    select,
    shares,
    tables,
)
from genre_features.dataset_plots import add_legend
from genre_features.figures import (
    BLUE,
    GRAY,
    ORANGE,
    PAGE_WIDTH,
    SUBSET_COLORS,
    new_figure,
    save,
)
from genre_lstm.plots import plot_confusion

# The recipe and the split of each confusion matrix.
MATRICES = {
    "published, as they are": ("published", "control"),
    "improved, low-passed": ("improved", "lowpass"),
}
LOSSES = (0.2, 0.3, 0.4, 0.6, 0.8, 1, 1.2, 1.6)  # that are written at an axis
COLORS = dict(zip(SCHEDULES, (BLUE, ORANGE, GRAY), strict=True))
ORIGINAL = {"accuracy": 0.7905, "hiphop recall": 0.35}  # in the original project's report


def plot_ladder(rows, path):
    """Draw accuracy and hiphop recall of every step: a bar for the mean, a mark for each seed."""
    panels = {"accuracy": ("correct", "n"), "hiphop recall": ("hiphop_correct", "hiphop_n")}
    steps = {label: select(rows, **of_step(*line)) for label, line in LADDER_LINES.items()}
    steps = {label: runs for label, runs in steps.items() if runs}
    figure = new_figure(figsize=(PAGE_WIDTH, 0.3 * len(steps) + 1.1))
    grid = figure.subplots(1, 2, sharey=True)
    for axes, (title, columns) in zip(grid, panels.items(), strict=True):
        for place, runs in enumerate(steps.values()):
            plot_step(axes, place, runs, columns)
        at = ORIGINAL[title]
        axes.axvline(at, color=GRAY, linestyle="--", label="original's report (validation)")
        style = {"ha": "center", "va": "bottom", "fontsize": 8, "color": GRAY}
        axes.text(at, 1, f"{100 * at:g}%", transform=axes.get_xaxis_transform(), **style)
        axes.set_yticks(range(len(steps)), list(steps))
        axes.set(xlim=(-0.02, 1.02), xlabel=title)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="x")
    grid[0].invert_yaxis()
    add_legend(figure, grid)
    save(figure, path)


def plot_step(axes, place, runs, columns):
    """Draw a step's scores, given as the columns of a count and of what it is a share of."""
    for subset, mark, below in (("validation", "o", -0.15), ("test", "D", 0.15)):
        if not runs[0][f"{subset}_n"]:  # the test subset is for the final settings alone
            continue
        scores, color = (
            shares(runs, *(f"{subset}_{name}" for name in columns)),
            SUBSET_COLORS[subset],
        )
        if subset == "validation":
            mean = statistics.mean(scores)
            axes.barh(place, mean, 0.7, color=color, alpha=0.35, label="validation, mean")
        heights = [place + below] * len(scores)
        axes.plot(scores, heights, mark, markersize=3, color=color, label=f"{subset}, each seed")


def plot_schedules(curves, path):
    """Draw the schedules' validation losses over the same seeds: mean, and least to most."""
    figure = new_figure(figsize=(PAGE_WIDTH, 4.8))
    panels = figure.subplots(2, 2, sharex="row", sharey="row")
    for line, (recipe, steps) in zip(panels, COMPARED.items(), strict=True):
        for axes, order, step in zip(line, ("in file order", "shuffled"), steps, strict=True):
            by_schedule = {name: select(curves, step=step, schedule=name) for name in SCHEDULES}
            by_schedule = {name: runs for name, runs in by_schedule.items() if runs}
            seeds = [{row["seed"] for row in runs} for runs in by_schedule.values()]
            seeds = set.intersection(*seeds) if seeds else set()
            for schedule, runs in by_schedule.items():
                plot_losses(axes, [select(runs, seed=seed) for seed in sorted(seeds)], schedule)
            n_seeds = f"{len(seeds)} seed" + "s" * (len(seeds) != 1)
            axes.set(title=f"{recipe} recipe, {order} ({n_seeds})", xlabel="epoch")
            axes.grid()
        line[0].set(ylabel="validation loss (nats per clip)", yscale="log")
        line[0].yaxis.set(major_locator=FixedLocator(LOSSES), minor_locator=NullLocator())
        line[0].yaxis.set_major_formatter(ScalarFormatter())
    add_legend(figure, panels.flat)
    save(figure, path)


def plot_losses(axes, runs, schedule):
    """Draw the validation losses of a schedule's runs: their mean, and from least to most."""
    if not runs:
        return
    epochs = [int(row["epoch"]) for row in runs[0]]
    losses = np.array([[float(row["val_loss"]) for row in run] for run in runs])
    color, order = COLORS[schedule], 3 - list(COLORS).index(schedule) / 10  # the first on top
    axes.plot(epochs, losses.mean(axis=0), color=color, linewidth=1, zorder=order, label=schedule)
    band = {"color": color, "alpha": 0.2, "linewidth": 0}
    axes.fill_between(epochs, losses.min(axis=0), losses.max(axis=0), **band)


def plot_confusions(rows, path):
    """Draw the answers to validation clips at the start and at the end, of all seeds together."""
    panels, n_seeds, genres = {}, [], sorted({row["genre"] for row in rows})
    for label, (step, split) in MATRICES.items():
        runs = select(rows, **of_step(step, split))
        if not runs:
            return
        counts = np.zeros((len(genres), len(genres)), dtype=int)
        for row in runs:
            counts[genres.index(row["genre"]), genres.index(row["predicted"])] += int(row["n"])
        n_seeds.append(len({row["seed"] for row in runs}))
        n_clips = int(counts.sum()) // n_seeds[-1]
        accuracy = counts.trace() / counts.sum()
        panels[label] = {"confusion": counts.tolist(), "accuracy": accuracy, "n": n_clips}
    found = " and ".join(map(str, n_seeds))
    title = f"Validation clips, PiecewiseDecay; number of seeds: {found}"
    plot_confusion(panels, genres, path, title)


def write_tables(by_title, path):
    """Write Markdown tables, each under its title."""
    text = "".join(f"## {title}\n\n{lines}\n" for title, lines in by_title.items())
    with atomic_write(path) as temporary:
        temporary.write_text(f"# Tables\n\n{text.rstrip()}\n", encoding="utf-8")


def write_report(folder, format="png"):
    """Write table.md and the figures beside the .csv files in a folder."""
    rows, tracks = read_table(folder / RESULTS), read_table(folder / f"{chains.NAME}.csv")
    by_title = tables(rows) | chains.make_tables(tracks)
    by_title["Hiphop by recipe"] = hiphop_table(read_table(folder / HIPHOP))
    others = (counterfactual, robustness, transfer)  # they need more than features
    answers = {experiment: read_table(folder / f"{experiment.NAME}.csv") for experiment in others}
    for experiment, found in answers.items():
        if found:
            by_title |= experiment.make_tables(found)
    write_tables(by_title, folder / "table.md")
    plot_ladder(rows, folder / f"ladder.{format}")
    plot_schedules(read_table(folder / CURVES), folder / f"schedules.{format}")
    if confusions := read_table(folder / CONFUSIONS):
        plot_confusions(confusions, folder / f"confusions.{format}")
    chains.plot_chains(tracks, folder / f"{chains.NAME}.{format}")
    if answers[counterfactual]:
        counterfactual.plot_answers(
            answers[counterfactual], folder / f"{counterfactual.NAME}.{format}"
        )


def main():
    parser = argparse.ArgumentParser(
        prog="python -m experiments.report", description=__doc__, formatter_class=HelpFormatter
    )
    add_format(parser)
    write_report(Path(__file__).parent, parser.parse_args().format)


if __name__ == "__main__":
    run_script(main)
