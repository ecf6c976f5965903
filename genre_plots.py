"""The plots of a training run: its curves over the epochs, and its confusion matrices."""

import itertools
from pathlib import Path

import numpy as np
from matplotlib import colormaps, rcParams
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from GenreFeatureData import TEN_GENRES
from script_helpers import replacing

rcParams["text.parse_math"] = False  # a $ in the name of a genre or a file is no formula

CURVES = {  # column of the history: file, axis label, colour
    "train_loss": ("graph_train_loss", "training loss (nats per clip)", "tab:blue"),
    "train_accuracy": ("graph_train_accuracy", "training accuracy", "tab:blue"),
    "val_loss": ("graph_val_loss", "validation loss (nats per clip)", "tab:orange"),
    "val_accuracy": ("graph_val_accuracy", "validation accuracy", "tab:orange"),
    "learning_rate": ("graph_lr", "learning rate", "tab:green"),
}


def genre_colors(genres):
    """Return a colour for each genre, the same for GTZAN's ten in every plot."""
    fixed = {genre: colormaps["tab10"](i) for i, genre in enumerate(TEN_GENRES)}
    others = map(tuple, colormaps["turbo"](np.linspace(0.05, 0.95, len(genres))))
    return [fixed.get(genre, other) for genre, other in zip(genres, others, strict=True)]


def save(figure, path):
    """Write a figure as PNG, whole or not at all."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def draw_history(history, folder, title):
    """Draw every curve of a training run to a file of its own.

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
    """Mark the epochs from which the learning rate is another."""
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
    """Draw the confusion matrix of each part, every cell with its count and share of the row.

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
    for axes, (part, found) in zip(
        np.atleast_1d(figure.subplots(1, len(scores))), scores.items(), strict=True
    ):
        counts = np.array(found["confusion"])
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
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
        ticks = range(len(genres))
        axes.set_xticks(ticks, genres, rotation=45, ha="right")
        axes.set_yticks(ticks, genres)
        for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
            for text, color in zip(labels, genre_colors(genres), strict=True):
                text.set(color=color, fontweight="bold")
        axes.set(
            xlabel="genre found",
            ylabel="true genre",
            title=f"{part}: {found['accuracy']:.1%} of {found['n']} clips",
        )
    save(figure, path)


def draw_reliability(calibration, path, title):
    """Draw how often answers are right against how sure the model is of them.

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
    labels = {"before": "as trained", "after": f"at the temperature {temperature:.2f}"}
    parts = [part for part in calibration if part != "temperature"]
    for axes, part in zip(np.atleast_1d(figure.subplots(1, len(parts))), parts, strict=True):
        axes.plot([0, 1], [0, 1], color="gray", linewidth=1)
        for (when, label), color in zip(labels.items(), ("tab:gray", "tab:orange"), strict=True):
            found = calibration[part][when]
            n, confidence, accuracy = (
                np.array([cell[name] for cell in found["bins"]])
                for name in ("n", "confidence", "accuracy")
            )
            label = f"{label}: error {found['error']:.3f}"
            axes.plot([], [], "o", color=color, label=label)
            # Bins of many clips are drawn large: those of few say little.
            axes.scatter(confidence, accuracy, 8 + 400 * n / n.sum(), color=color, alpha=0.7)
        n_clips = sum(cell["n"] for cell in calibration[part]["before"]["bins"])
        axes.set(xlabel="mean confidence of the answers", ylabel="share of them that are right")
        axes.set(title=f"{part}: {n_clips} clips", xlim=(0, 1.05), ylim=(0, 1.05), aspect="equal")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, -0.32), frameon=False)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)
