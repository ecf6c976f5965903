"""Plots: curves over the epochs, confusion matrices, reliability, probabilities over time."""

import itertools
import textwrap
import warnings
from pathlib import Path

import numpy as np
from matplotlib.ticker import PercentFormatter

from genre_features.figures import (
    BLUE,
    COLUMN_WIDTH,
    GRAY,
    PAGE_WIDTH,
    SUBSET_COLORS,
    new_figure,
    plot_label,
    save,
)

CURVES = {  # file: label of its axis, columns of the history
    "graph_train_loss": ("training loss (nats per clip)", ["train_loss"]),
    "graph_val_loss": ("validation loss (nats per clip)", ["val_loss"]),
    "graph_loss": ("loss (nats per clip)", ["train_loss", "val_loss"]),
    "graph_train_accuracy": ("training accuracy", ["train_accuracy"]),
    "graph_val_accuracy": ("validation accuracy", ["val_accuracy"]),
    "graph_accuracy": ("accuracy", ["train_accuracy", "val_accuracy"]),
    "graph_lr": ("learning rate", ["learning_rate"]),
}
MAX_RATES = 12  # more changes of the learning rate are shown in its own plot only
MAX_NUMBERED, MAX_NAMED = 40, 150  # genres of a confusion matrix
MAX_NUMBERED_WINDOWS = 12  # of a file, whose probabilities are written, too
CELL, MIN_SIZE, MAX_SIZE = 0.43, 2.2, 10  # inches: of a cell with numbers; of matrices


def plot_history(history, folder, title, format="png", names=None):
    """Plot the curves of a training run: each to its own file, and those of a kind together.

    Parameters
    ----------
    history : list of dict
        Rows of ``history.csv``; None where an epoch wasn't validated.
    folder : path-like
    title, format : str
        The format is ``png``, ``pdf`` or ``svg``.
    names : iterable of str
        Keys of `CURVES`, by default all.
    """
    for name in names or CURVES:
        ylabel, columns = CURVES[name]
        if all(row[columns[-1]] is None for row in history):  # stopped before the first validation
            continue
        figure = new_figure(figsize=(COLUMN_WIDTH, 2.9))
        axes = figure.add_subplot(xlabel="epoch", ylabel=ylabel)
        axes.set_title(textwrap.fill(title, 60))
        for column in columns:
            plot_curve(axes, history, column)
        if "accuracy" in name:
            axes.set_ylim(0, 1.01)
            axes.yaxis.set_major_formatter(PercentFormatter(1))
        if name == "graph_lr":
            axes.set_yscale("log")
        else:
            mark_rates(axes, history)
        if len(columns) > 1:
            axes.legend(frameon=True, framealpha=1, edgecolor="none")  # above the marks of rates
        axes.grid()
        save(figure, Path(folder) / f"{name}.{format}")


def plot_curve(axes, history, column):
    """Plot a column of the history over the epochs that have it."""
    points = [(row["epoch"], row[column]) for row in history if row[column] is not None]
    is_validation = column.startswith("val")
    axes.plot(
        *zip(*points, strict=True),
        color=SUBSET_COLORS["validation" if is_validation else "train"],
        linewidth=1.8 if is_validation else 0.9,  # they differ in grey, too
        marker="." if len(points) < 30 else None,
        drawstyle="steps-post" if column == "learning_rate" else None,
        label="validation" if is_validation else "training",
    )


def mark_rates(axes, history):
    """Write each learning rate above a plot where it begins, with a line behind the curves."""
    groups = itertools.groupby(history, lambda row: row["learning_rate"])
    starts = [(next(rows)["epoch"], rate) for rate, rows in groups]
    if len(starts) > MAX_RATES:
        return
    labels, labelled = [], -np.inf
    for epoch, rate in starts:
        if epoch - labelled < 0.14 * len(history):  # it would overlap the label before
            labels.append("")
        else:
            labels.append(f"{rate:.2g}" if labels else f"rate {rate:.2g}")
            labelled = epoch
    edge = axes.secondary_xaxis("top")
    edge.set_xticks([epoch for epoch, _ in starts], labels, ha="left")
    edge.tick_params(length=2, pad=1, labelsize=7, labelcolor=GRAY, color=GRAY)
    edge.spines["top"].set_visible(False)
    for epoch, _ in starts[1:]:
        axes.axvline(epoch, color="0.7", linestyle=":", zorder=0)


def plot_confusion(scores, genres, path, title):
    """Plot a confusion matrix for each subset; cells show their count and percentage of the row.

    Beyond 40 genres the cells have no numbers, and the figure has the same size for any number.

    Parameters
    ----------
    scores : dict of str to dict
        The ``confusion`` of each subset: counts of one or several models, true genres in rows.
    genres : list of str
        Names of the rows and columns.
    path : path-like
        The file to write.
    title : str
    """
    has_numbers = len(genres) <= MAX_NUMBERED
    size = max(MIN_SIZE, CELL * len(genres)) if has_numbers else MAX_SIZE
    size += 0.5 + 0.075 * max(len(plot_label(genre)) for genre in genres)  # for the names
    figure = new_figure(figsize=(size * len(scores), size + 0.4), layout="compressed")
    figure.suptitle(textwrap.fill(title, 60))
    grid = figure.subplots(1, len(scores), squeeze=False)[0]
    for axes, (subset, score) in zip(grid, scores.items(), strict=True):
        counts = np.array(score["confusion"], dtype=int)
        totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
        image = axes.imshow(counts / totals, cmap="Blues", vmin=0, vmax=1)
        if has_numbers:
            percent = (200 * counts + totals) // (2 * totals)  # halves are rounded up
            for row, column in np.argwhere(counts):
                text = f"{counts[row, column]}\n{percent[row, column]}%"
                write_cell(axes, column, row, text, percent[row, column] / 100)
        name_genres(axes, genres)
        n, correct = counts.sum(), counts.trace()
        axes.set(xlabel="predicted genre", ylabel="true genre")
        axes.set_title(f"{subset}: {correct} of {n} right ({correct / n:.1%})")
    if not has_numbers:
        figure.colorbar(image, ax=grid, label="fraction of the true genre's clips", shrink=0.7)
    # A first layout with too large matrices, from which that of the file converges.
    with warnings.catch_warnings(action="ignore"):  # `save` prints them
        figure.draw_without_rendering()
    save(figure, path)


def write_cell(axes, x, y, text, fraction):
    """Write a text into a cell whose colour shows a fraction."""
    color = "white" if fraction > 0.6 else "black"
    axes.text(x, y, text, ha="center", va="center", fontsize=8, color=color)


def name_rows(axes, genres):
    """Name the rows of a plot, or as many as can be read; return their positions and names."""
    positions = range(0, len(genres), 1 + len(genres) // MAX_NAMED)
    names = [plot_label(genres[position]) for position in positions]
    axes.set_yticks(positions, names)
    axes.tick_params(labelsize=min(9, 72 * MAX_SIZE / len(positions)), length=2)
    return positions, names


def name_genres(axes, genres):
    """Name the rows and columns of a confusion matrix."""
    positions, names = name_rows(axes, genres)
    if len(genres) <= MAX_NUMBERED:
        axes.set_xticks(positions, names, rotation=45, ha="right", rotation_mode="anchor")
    else:
        axes.set_xticks(positions, names, rotation=90)
    axes.spines[["top", "right"]].set_visible(True)


def plot_reliability(calibration, path, title):
    """Plot the accuracy of predictions against the model's confidence.

    Parameters
    ----------
    calibration : dict
        See `calibration.calibrate`.
    path : path-like
        The file to write.
    title : str
    """
    figure = new_figure(figsize=(PAGE_WIDTH, 4.7), layout="compressed")
    figure.suptitle(textwrap.fill(title, 60))
    curves = {"before": "as trained", "after": f"at temperature {calibration['temperature']:.2f}"}
    if calibration["temperature"] == 1:
        curves = {"after": "as trained (the temperature is 1)"}
    subsets = [subset for subset in calibration if subset != "temperature"]
    grid = figure.subplots(1, len(subsets), squeeze=False)[0]
    for axes, subset in zip(grid, subsets, strict=True):
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        for when, label in curves.items():
            plot_bins(axes, calibration[subset][when], label, has_intervals=when == "after")
        sizes = [cell["n"] for cell in calibration[subset]["before"]["bins"]]
        axes.set(xlabel="mean confidence", ylabel="accuracy, 95% interval", aspect="equal")
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
        axes.set_title(f"{subset}: {sum(sizes)} clips in {len(sizes)} bins")
        place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.15)}
        axes.legend(**place, title="calibration error (by chance alone)")
        axes.grid()
    save(figure, path)


def plot_bins(axes, result, label, has_intervals):
    """Plot the bins of a `calibration.reliability`, with their 95 % intervals or without."""
    confidence, accuracy, low, high = (
        np.array([cell[name] for cell in result["bins"]])
        for name in ("confidence", "accuracy", "low", "high")
    )
    label += f": {result['error']:.3f} ({result['expected_error']:.3f})"
    style = {"color": GRAY, "marker": "s", "markersize": 4, "markerfacecolor": "none"}
    if has_intervals:
        style = {"color": BLUE, "marker": "o", "markersize": 4}
        axes.vlines(confidence, low, high, color=BLUE, alpha=0.6, linewidth=0.8)
    axes.plot(confidence, accuracy, linestyle="", label=label, **style)


def plot_probabilities(edges, probabilities, genres, path, title, window):
    """Plot how the probabilities of a file's genres change over time: a row for each genre.

    Parameters
    ----------
    edges : numpy.ndarray, shape (windows + 1,)
        Where the windows begin and end (s).
    probabilities : numpy.ndarray, shape (windows, genres)
    genres : list of str
    path : path-like
        The file to write.
    title : str
    window : float
        Length of a window (s).
    """
    unit, seconds = ("min", 60) if edges[-1] > 300 else ("s", 1)
    edges, rows = edges / seconds, np.arange(len(genres) + 1) - 0.5
    figure = new_figure(figsize=(PAGE_WIDTH, 1.4 + min(0.25 * len(genres), MAX_SIZE)))
    figure.suptitle("\n".join(textwrap.fill(line, 90) for line in title.splitlines()))
    windows = f", in overlapping windows of {window:.1f} s" if len(probabilities) > 1 else ""
    axes = figure.add_subplot(xlabel=f"time ({unit}){windows}")
    image = axes.pcolormesh(edges, rows, probabilities.T, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, label="probability", format=PercentFormatter(1))
    name_rows(axes, genres)
    axes.invert_yaxis()
    if len(probabilities) <= MAX_NUMBERED_WINDOWS and len(genres) <= MAX_NUMBERED:
        centers = (edges[1:] + edges[:-1]) / 2
        for (column, row), probability in np.ndenumerate(probabilities):
            if probability >= 0.005:
                write_cell(axes, centers[column], row, f"{probability:.0%}", probability)
    save(figure, path)
