"""Plots: curves over the epochs, confusion matrices, reliability, probabilities over time."""

import itertools
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.ticker import PercentFormatter

from genre_features.figures import (
    COLUMN_WIDTH,
    GRAY,
    PAGE_WIDTH,
    SUBSET_COLORS,
    genre_colors,
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
CELL, MIN_SIZE, MAX_SIZE = 0.43, 2.2, 10  # inches: of a cell with numbers; of matrices


def plot_history(history, folder, title, format="png", names=None):
    """Plot the curves of a training run: each to its own file, and those of a kind together.

    Parameters
    ----------
    history : list of dict
        Rows of ``history.csv``; None where an epoch wasn't validated.
    folder : path-like
    title : str
    format : str
        ``png``, ``pdf`` or ``svg``.
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
            rows = [row for row in history if row[column] is not None]
            subset = "validation" if column.startswith("val") else "train"
            axes.plot(
                [row["epoch"] for row in rows],
                [row[column] for row in rows],
                color=SUBSET_COLORS[subset],
                marker="." if len(rows) < 30 else None,
                drawstyle="steps-post" if name == "graph_lr" else None,
                label="training" if subset == "train" else subset,
            )
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
    edge.set_xticks([epoch for epoch, _ in starts], labels)
    edge.tick_params(length=2, pad=1, labelsize=7, labelcolor=GRAY, color=GRAY)
    edge.spines["top"].set_visible(False)
    for epoch, _ in starts[1:]:
        axes.axvline(epoch, color="0.7", linestyle=":", zorder=0)


def plot_confusion(scores, genres, path, title):
    """Plot the confusion matrix of each subset; cells show their count and row fraction.

    Beyond 40 genres the cells have no numbers, and the figure has the same size for any number.

    Parameters
    ----------
    scores : dict of str to dict
        For each subset its ``confusion`` (counts; rows are true genres), ``accuracy`` and ``n``.
    genres : list of str
        Names of the rows and columns.
    path : path-like
        The file to write.
    title : str
    """
    has_numbers = len(genres) <= MAX_NUMBERED
    size = max(MIN_SIZE, CELL * len(genres)) if has_numbers else MAX_SIZE
    room = 0.5 + 0.075 * max(len(plot_label(genre)) for genre in genres)  # for the names
    figsize = (size + room) * len(scores), size + room + 0.5
    figure = new_figure(figsize=figsize, layout="compressed")
    figure.suptitle(textwrap.fill(title, 60))
    grid = figure.subplots(1, len(scores), squeeze=False)[0]
    for axes, (subset, score) in zip(grid, scores.items(), strict=True):
        counts = np.array(score["confusion"])
        row_fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(row_fractions, cmap="Blues", vmin=0, vmax=1)
        if has_numbers:
            write_numbers(axes, counts, row_fractions)
        name_genres(axes, genres)
        axes.set(
            xlabel="predicted genre",
            ylabel="true genre",
            title=f"{subset}: {score['accuracy']:.1%} of {score['n']} clips",
        )
    # A first layout with too large matrices, from which that of the file converges.
    figure.draw_without_rendering()
    save(figure, path)


def write_numbers(axes, counts, row_fractions):
    """Write count and row fraction into the cells of a confusion matrix that aren't empty."""
    for row, column in np.argwhere(counts):
        fraction = row_fractions[row, column]
        style = {"ha": "center", "va": "center", "fontsize": 8}
        style["color"] = "white" if fraction > 0.5 else "black"
        axes.text(column, row, f"{counts[row, column]}\n{fraction:.0%}", **style)


def name_genres(axes, genres):
    """Name the rows and columns of a confusion matrix, or as many as can be read."""
    positions = range(0, len(genres), 1 + len(genres) // MAX_NAMED)
    names = [plot_label(genres[position]) for position in positions]
    if len(genres) <= MAX_NUMBERED:
        axes.set_xticks(positions, names, rotation=45, ha="right", rotation_mode="anchor")
    else:
        axes.set_xticks(positions, names, rotation=90)
    axes.set_yticks(positions, names)
    axes.tick_params(labelsize=min(9, 72 * MAX_SIZE / len(positions)), length=2)
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
    figure = new_figure(figsize=(PAGE_WIDTH, 4.4), layout="compressed")
    figure.suptitle(textwrap.fill(title, 60))
    temperature = calibration["temperature"]
    labels = {"before": "as trained"}
    if temperature != 1:
        labels["after"] = f"at the temperature {temperature:.2f}"
    subsets = [subset for subset in calibration if subset != "temperature"]
    grid = figure.subplots(1, len(subsets), squeeze=False)[0]
    for axes, subset in zip(grid, subsets, strict=True):
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        colors = GRAY, SUBSET_COLORS["validation"]
        for (when, label), color in zip(labels.items(), colors, strict=False):
            result = calibration[subset][when]
            confidence, accuracy, low, high = (
                np.array([cell[name] for cell in result["bins"]])
                for name in ("confidence", "accuracy", "low", "high")
            )
            label += f": error {result['error']:.3f} (by chance {result['expected_error']:.3f})"
            style = {"fmt": "o", "markersize": 4, "color": color, "label": label}
            axes.errorbar(confidence, accuracy, (accuracy - low, high - accuracy), **style)
        n_clips = sum(cell["n"] for cell in calibration[subset]["before"]["bins"])
        axes.set(xlabel="mean confidence", ylabel="accuracy, 95% interval")
        axes.set(title=f"{subset}: {n_clips} clips", xlim=(0, 1.05), ylim=(0, 1.05), aspect="equal")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15))
        axes.grid()
    save(figure, path)


def plot_probabilities(edges, probabilities, genres, path, title):
    """Plot how the probabilities of a file's genres change over time.

    Parameters
    ----------
    edges : numpy.ndarray, shape (windows + 1,)
        Where the windows begin and end (s).
    probabilities : numpy.ndarray, shape (windows, genres)
    genres : list of str
    path : path-like
        The file to write.
    title : str
    """
    figure = new_figure(figsize=(PAGE_WIDTH, 2.9))
    axes = figure.add_subplot(xlabel="time (s)", ylabel="probability", ylim=(0, 1), title=title)
    heights = np.vstack([probabilities, probabilities[-1:]]).T
    layers = axes.stackplot(edges, heights, colors=genre_colors(genres), step="post")
    axes.set_xlim(0, edges[-1])
    names = [plot_label(genre) for genre in genres]
    axes.legend(layers, names, loc="center left", bbox_to_anchor=(1, 0.5), reverse=True)
    save(figure, path)
