"""Plots: curves over the epochs, confusion matrices, reliability, answers over time."""

import itertools
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from genre_features.figures import genre_colors, save

CURVES = {  # column of the history: file, axis label, colour
    "train_loss": ("graph_train_loss", "training loss (nats per clip)", "tab:blue"),
    "train_accuracy": ("graph_train_accuracy", "training accuracy", "tab:blue"),
    "val_loss": ("graph_val_loss", "validation loss (nats per clip)", "tab:orange"),
    "val_accuracy": ("graph_val_accuracy", "validation accuracy", "tab:orange"),
    "learning_rate": ("graph_lr", "learning rate", "tab:green"),
}


def draw_history(history, folder, title):
    """Draw each curve of a training run to its own file.

    Parameters
    ----------
    history : list of dict
        Rows of ``history.csv``; None where an epoch wasn't validated.
    folder : path-like
    title : str
    """
    for column, (name, label, color) in CURVES.items():
        points = [(row["epoch"], row[column]) for row in history if row[column] is not None]
        if not points:  # stopped before the first validation
            continue
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.add_subplot(xlabel="epoch", ylabel=label, title=title)
        marker = "." if len(points) < 30 else None
        axes.plot(*zip(*points, strict=True), color=color, linewidth=1.2, marker=marker)
        if "accuracy" in column:
            axes.set_ylim(0, 1)
            axes.yaxis.set_major_formatter(PercentFormatter(1))
        if column == "learning_rate":
            axes.set_yscale("log")
        else:
            mark_rate_changes(axes, history)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        save(figure, Path(folder) / f"{name}.png")


def mark_rate_changes(axes, history):
    """Mark the epochs in which the learning rate changes."""
    for before, row in itertools.pairwise(history):
        if row["learning_rate"] != before["learning_rate"]:
            axes.axvline(row["epoch"], color="gray", linestyle="--", linewidth=1)
            axes.text(
                row["epoch"],
                0.98,
                f"rate {row['learning_rate']:.0e}",
                transform=axes.get_xaxis_transform(),
                rotation=90,
                ha="right",
                va="top",
                fontsize=8,
                color="gray",
            )


def draw_confusion(scores, genres, path, title):
    """Draw the confusion matrix of each part; each cell has its count and its share of the row.

    Parameters
    ----------
    scores : dict of str to dict
        For each part its ``confusion`` (counts; rows are true genres), ``accuracy`` and ``n``.
    genres : list of str
        Names of the rows and columns.
    path : path-like
        The PNG file to write.
    title : str
    """
    size = 2 + 0.75 * len(genres)
    figure = Figure(figsize=(size * len(scores), size), layout="constrained")
    figure.suptitle(title)
    for axes, (part, score) in zip(
        np.atleast_1d(figure.subplots(1, len(scores))), scores.items(), strict=True
    ):
        counts = np.array(score["confusion"])
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        label_cells(axes, counts, shares)
        label_genres(axes, genres)
        axes.set(
            xlabel="predicted genre",
            ylabel="true genre",
            title=f"{part}: {score['accuracy']:.1%} of {score['n']} clips",
        )
    save(figure, path)


def label_cells(axes, counts, shares):
    """Write its count and its share of the row into each cell of a confusion matrix."""
    for (row, column), share in np.ndenumerate(shares):
        axes.text(
            column,
            row,
            f"{counts[row, column]}\n{share:.0%}",
            ha="center",
            va="center",
            fontsize=9,
            color="white" if share > 0.5 else "black" if share else "lightgray",
        )


def label_genres(axes, genres):
    """Name the rows and columns of a confusion matrix, in the genres' colours."""
    ticks = range(len(genres))
    axes.set_xticks(ticks, genres, rotation=45, ha="right")
    axes.set_yticks(ticks, genres)
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        for text, color in zip(labels, genre_colors(genres), strict=True):
            text.set(color=color, fontweight="bold")


def draw_reliability(calibration, path, title):
    """Draw how often answers are right against the model's confidence in them.

    Parameters
    ----------
    calibration : dict
        See `calibration.calibrate`.
    path : path-like
        The PNG file to write.
    title : str
    """
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    figure.suptitle(title)
    temperature = calibration["temperature"]
    labels = {"before": "as trained"}
    if temperature != 1:
        labels["after"] = f"at the temperature {temperature:.2f}"
    parts = [part for part in calibration if part != "temperature"]
    for axes, part in zip(np.atleast_1d(figure.subplots(1, len(parts))), parts, strict=True):
        axes.plot([0, 1], [0, 1], color="gray", linewidth=1)
        for (when, label), color in zip(labels.items(), ("tab:gray", "tab:orange"), strict=False):
            found = calibration[part][when]
            confidence, accuracy, low, high = (
                np.array([cell[name] for cell in found["bins"]])
                for name in ("confidence", "accuracy", "low", "high")
            )
            label = f"{label}: error {found['error']:.3f} (by chance {found['expected_error']:.3f})"
            lengths = (accuracy - low, high - accuracy)
            axes.errorbar(confidence, accuracy, lengths, fmt="o", color=color, label=label)
        n_clips = sum(cell["n"] for cell in calibration[part]["before"]["bins"])
        axes.set(xlabel="mean confidence of the answers", ylabel="share of right answers")
        axes.set(title=f"{part}: {n_clips} clips", xlim=(0, 1.05), ylim=(0, 1.05), aspect="equal")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, -0.32), frameon=False)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def draw_answers_over_time(edges, shares, genres, path, title):
    """Draw how the probabilities of a file's genres change over time.

    Parameters
    ----------
    edges : numpy.ndarray, shape (windows + 1,)
        Where the windows begin and end (s).
    shares : numpy.ndarray, shape (windows, genres)
        Their probabilities.
    genres : list of str
    path : path-like
        The PNG file to write.
    title : str
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="time (s)", ylabel="probability", ylim=(0, 1), title=title)
    axes.stackplot(
        edges,
        np.vstack([shares, shares[-1:]]).T,
        labels=genres,
        colors=genre_colors(genres),
        step="post",
    )
    axes.set_xlim(0, edges[-1])
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, reverse=True)
    save(figure, path)
