"""Figures of data sets: the features of their genres, and a value of each track."""

import itertools

import numpy as np
from matplotlib.ticker import MaxNLocator

from genre_features.bandwidth import FULL
from genre_features.figures import (
    BANDS,
    GENRE_MARKERS,
    GRAY,
    PAGE_WIDTH,
    PITCHES,
    SUBSET_COLORS,
    SUBSET_MARKERS,
    genre_colors,
    new_figure,
    plot_label,
    save,
)
from genre_features.frame import COLUMNS, KINDS

TICKS = {"mfcc": range(13), "spectral_centroid": ["centroid"]}
TICKS |= {"chroma": PITCHES, "spectral_contrast": BANDS}
NAMES = [name for kind in KINDS for name in TICKS.get(kind, KINDS[kind] * [kind])]
CONTRAST = COLUMNS["spectral_contrast"]
HIGHEST = CONTRAST.stop - 1  # band, whose scale differs
PANELS = [  # of the genres: title, features that share a scale, label of the scale
    ("MFCC 0 (loudness)", slice(0, 1), "value"),
    ("MFCC 1 to 3", slice(1, 4), "value"),
    ("Spectral centroid", COLUMNS["spectral_centroid"], "frequency (Hz)"),
    ("MFCC 4 to 12", slice(4, 13), "value"),
    ("Chroma, by pitch class", COLUMNS["chroma"], "relative to the strongest"),
    ("Spectral contrast, by band (Hz)", slice(CONTRAST.start, HIGHEST), "peak over valley (dB)"),
    ("Highest band (Hz)", slice(HIGHEST, HIGHEST + 1), "peak over valley (dB)"),
]
LEGEND_WIDTH = 130  # characters on a page


def plot_genres(figure, data):
    """Draw the mean and standard deviation of each feature over each genre's training clips.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    data : GenreFeatureData
    """
    # Clip by clip, since they may not fit in memory.
    clip_means = np.array([clip.mean(axis=0, dtype=float) for clip in data.inputs["train"]])
    genres = [clip_means[data.targets["train"] == i] for i in range(len(data.genres))]
    offsets = 0.8 * (np.arange(0.5, len(genres)) / len(genres) - 0.5)
    grid = figure.subplot_mosaic("0011122;3333333;4444444;5555566")
    for axes, (title, columns, ylabel) in zip(grid.values(), PANELS, strict=True):
        ticks = np.arange(len(NAMES[columns]))
        styles = zip(genre_colors(data.genres), itertools.cycle(GENRE_MARKERS), strict=False)
        for means, offset, (color, mark) in zip(genres, offsets, styles, strict=True):
            mean, std = means[:, columns].mean(axis=0), means[:, columns].std(axis=0)
            axes.errorbar(ticks + offset, mean, std, fmt=mark, markersize=4, color=color)
        axes.set(title=title, ylabel=ylabel, xlim=(-0.5, len(ticks) - 0.5))
        axes.set_xticks(ticks, NAMES[columns])
        for edge in ticks[1:] - 0.5:
            axes.axvline(edge, color="lightgray", linewidth=0.8)
        axes.grid(axis="y")
    counts = np.bincount(data.targets["train"], minlength=len(genres))
    names = [f"{plot_label(g)} ({n})" for g, n in zip(data.genres, counts, strict=True)]
    n_columns = max(1, LEGEND_WIDTH // (6 + max(map(len, names))))
    place = {"loc": "outside lower center", "ncols": n_columns, "title": "genre (clips)"}
    figure.legend(axes.containers, names, **place)
    figure.suptitle("Training clips, averaged over time: mean ± standard deviation of each genre")


def plot_clips(tracks, xlabel="track number"):
    """Draw a value of every track over the track's number, in a row per genre.

    Parameters
    ----------
    tracks : dict of str to list of tuple
        For each genre (number, subset, value) of its tracks.
    xlabel : str
        What the numbers are.

    Returns
    -------
    figure : matplotlib.figure.Figure
    rows : numpy.ndarray of matplotlib.axes.Axes
        The genres', in their order.
    """
    figure = new_figure(figsize=(PAGE_WIDTH, 1 + min(0.75 * len(tracks), 60)))
    rows = figure.subplots(len(tracks), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, (genre, points) in zip(rows, tracks.items(), strict=True):
        for subset, color in SUBSET_COLORS.items():
            xy = [(number, value) for number, of, value in points if of == subset]
            style = {"linestyle": "", "markersize": 3, "color": color, "label": subset}
            style |= {"clip_on": False, "in_layout": False, **SUBSET_MARKERS[subset]}
            axes.plot(*np.reshape(xy, (-1, 2)).T, **style)
        axes.margins(y=0.15)
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        axes.grid(axis="y")
        axes.set_ylabel(plot_label(genre), rotation=0, ha="right", va="center", labelpad=9)
    rows[-1].set_xlabel(xlabel)
    rows[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, rows


def add_legend(figure, rows):
    """Name what is in the rows of a figure below them, each label once."""
    entries = [zip(*axes.get_legend_handles_labels(), strict=True) for axes in rows]
    handles = {label: handle for row in entries for handle, label in row}
    place = {"loc": "outside lower center", "ncols": len(handles)}
    figure.legend(handles.values(), handles, **place)


def plot_bandwidths(reports, genres, path):
    """Draw the bandwidth of every clip, in a row per genre, and write the figure.

    Clips are placed by GTZAN's track numbers or, unless all have one, in the order of the files.

    Parameters
    ----------
    reports : list of check.ClipReport
    genres : list of str
    path : path-like
        The file to write.
    """
    numbered = all(report.clip.number is not None for report in reports)
    points = {genre: [] for genre in genres}
    for report in sorted(reports, key=lambda report: report.clip.file):
        row = points[report.clip.genre]
        number = report.clip.number if numbered else len(row)
        row.append((number, report.subset, report.bandwidth / 1000))
    figure, rows = plot_clips(points, "track number" if numbered else "clips, in order of files")
    if not numbered:
        rows[-1].set_xticks([])
    lowest = min(report.bandwidth for report in reports) / 1000
    rows[0].set_ylim(np.floor(lowest - 0.5), 12)
    for axes in rows:
        label = f"{FULL / 1000} kHz: not band-limited"
        axes.axhline(FULL / 1000, color=GRAY, linewidth=0.8, linestyle="--", zorder=0, label=label)
    add_legend(figure, rows)
    figure.suptitle("Effective bandwidth of every clip (kHz)")
    save(figure, path)
