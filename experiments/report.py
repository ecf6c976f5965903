"""Make table.md and the figures of the experiments from their .csv files.

python -m experiments.report
"""

import statistics
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from experiments import chains, counterfactual, robustness, transfer
from experiments.collect import CONFUSIONS, CURVES, HIPHOP, RESULTS
from experiments.plan import COMPARED, SCHEDULES
from experiments.tables import (
    LADDER_LABELS,
    VERSION_LABELS,
    hiphop_table,
    of_step,
    select,
    shares,
    tables,
)
from genre_features.figures import save
from genre_lstm.plots import draw_confusion
from plumbing.files import read_table, replacing
from plumbing.scripts import run_script

DISTANCES, ARTISTS = "distances.csv", "artists.csv"

# Distances of a hiphop clip, with the tracks' mean MFCC and with it removed.
DISTANCE_COLUMNS = ("clip", "hiphop", "metal", "hiphop_removed", "metal_removed")

COLORS = dict(zip(SCHEDULES, ("tab:blue", "tab:orange", "tab:gray"), strict=True))


def draw_ladder(rows, folder):
    """Draw accuracy and hiphop recall of every step: a dot for each seed, a bar for the mean."""
    panels = {"accuracy": ("correct", "n"), "hiphop recall": ("hiphop_correct", "hiphop_n")}
    steps = [step for step in LADDER_LABELS if select(rows, **of_step(step))]
    figure = Figure(figsize=(10, 0.45 * len(steps) + 1.2), layout="constrained")
    for axes, (title, columns) in zip(
        figure.subplots(1, 2, sharey=True), panels.items(), strict=True
    ):
        for place, step in enumerate(steps):
            scores = shares(
                select(rows, **of_step(step)), *(f"validation_{name}" for name in columns)
            )
            color = "tab:gray" if step == "svm" else "tab:orange"
            axes.barh(place, statistics.mean(scores), color=color, alpha=0.35, height=0.7)
            axes.plot(scores, [place] * len(scores), ".", color=color)
        axes.set_yticks(range(len(steps)), [LADDER_LABELS[step] for step in steps])
        axes.set(xlim=(0, 1), xlabel=f"validation {title}")
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="x", alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    axes.invert_yaxis()
    save(figure, folder / "ladder.png")


def draw_schedules(curves, folder):
    """Draw the validation loss of the three schedules: the mean, and from least to most."""
    figure = Figure(figsize=(11, 7), layout="constrained")
    panels = figure.subplots(2, 2, sharex="row", sharey="row")
    for line, (recipe, steps) in zip(panels, COMPARED.items(), strict=True):
        for axes, order, step in zip(line, ("in file order", "shuffled"), steps, strict=True):
            for schedule in SCHEDULES:
                runs = select(curves, step=step, schedule=schedule)
                if not runs:
                    continue
                seeds = sorted({row["seed"] for row in runs})
                epochs = [int(row["epoch"]) for row in select(runs, seed=seeds[0])]
                losses = np.array([row["val_loss"] for row in runs], dtype=float)
                losses = losses.reshape(len(seeds), -1)
                color, label = COLORS[schedule], f"{schedule}, seeds: {len(seeds)}"
                axes.plot(epochs, losses.mean(axis=0), color=color, linewidth=1.2, label=label)
                if len(seeds) > 1:
                    axes.fill_between(
                        epochs, losses.min(axis=0), losses.max(axis=0), color=color, alpha=0.2
                    )
            axes.set(title=f"{recipe} recipe, {order}", xlabel="epoch")
            axes.grid(alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
            if axes.lines:
                axes.legend(frameon=False)
        line[0].set_ylabel("validation loss (nats per clip)")
    save(figure, folder / "schedules.png")


def draw_distances(rows, folder):
    """Draw each hiphop clip by its distance from hiphop and from metal."""
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    panels = {"": "as they are", "_removed": "each track's mean removed"}
    for axes, (suffix, title) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        hiphop, metal = (
            np.array([float(row[f"{genre}{suffix}"]) for row in rows])
            for genre in ("hiphop", "metal")
        )
        end = 1.05 * max(hiphop.max(), metal.max())
        axes.plot([0, end], [0, end], color="gray", linewidth=1)
        nearer = metal < hiphop
        for chosen, genre, color in ((nearer, "metal", "tab:red"), (~nearer, "hiphop", "tab:blue")):
            label = f"nearer to {genre}: {chosen.sum()} of {len(rows)}"
            axes.plot(hiphop[chosen], metal[chosen], "o", color=color, alpha=0.7, label=label)
        axes.set(xlim=(0, end), ylim=(0, end), aspect="equal", title=f"MFCC, {title}")
        axes.set(xlabel="distance from hiphop training clips", ylabel="from metal training clips")
        axes.legend(frameon=False, loc="lower right")
        axes.spines[["top", "right"]].set_visible(False)
    save(figure, folder / "distances.png")


def draw_confusions(rows, path):
    """Draw the improved recipe's answers to both versions of the clips, of all seeds together."""
    panels = {}
    for split in ("control", "lowpass"):
        runs = select(rows, **of_step("improved", split))
        genres = sorted({row["genre"] for row in runs})
        counts = np.array(
            [
                [
                    sum(int(row["n"]) for row in select(runs, genre=genre, answer=answer))
                    for answer in genres
                ]
                for genre in genres
            ]
        )
        n, n_seeds = int(counts.sum()), len({row["seed"] for row in runs})
        scores = {"confusion": counts.tolist(), "accuracy": counts.trace() / n, "n": n}
        panels[f"{VERSION_LABELS[split]}, {n_seeds} seeds"] = scores
    draw_confusion(panels, genres, path, "Validation clips, improved recipe, PiecewiseDecay")


def write_tables(by_title, path):
    """Write Markdown tables, each under its title."""
    text = "".join(f"## {title}\n\n{lines}\n" for title, lines in by_title.items())
    with replacing(path) as temporary:
        temporary.write_text(f"# Tables\n\n{text.rstrip()}\n", encoding="utf-8")


def write_report(folder):
    """Write table.md and the figures beside the .csv files in a folder."""
    rows, tracks = read_table(folder / RESULTS), read_table(folder / f"{chains.NAME}.csv")
    by_title = tables(rows)
    by_title["Hiphop in each recording chain"] = chains.make_table(tracks)
    by_title["Hiphop by recipe"] = hiphop_table(read_table(folder / HIPHOP))
    for experiment in (counterfactual, robustness, transfer):  # they need more than features
        if answers := read_table(folder / f"{experiment.NAME}.csv"):
            by_title[experiment.TITLE] = experiment.make_table(answers)
    write_tables(by_title, folder / "table.md")
    draw_ladder(rows, folder)
    draw_schedules(read_table(folder / CURVES), folder)
    draw_distances(read_table(folder / DISTANCES), folder)
    if confusions := read_table(folder / CONFUSIONS):
        draw_confusions(confusions, folder / "confusions.png")
    chains.draw_chains(tracks, folder / f"{chains.NAME}.png")
    if answers := read_table(folder / f"{counterfactual.NAME}.csv"):
        counterfactual.draw_answers(answers, folder / f"{counterfactual.NAME}.png")


if __name__ == "__main__":
    run_script(write_report, Path(__file__).parent)
