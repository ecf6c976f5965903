"""Figures of the features of audio files."""

import librosa
import numpy as np
from librosa.display import specshow
from matplotlib.artist import setp

from genre_features.audio import load_signal
from genre_features.features import extract_features, power_spectrogram
from genre_features.figures import BANDS, BLUE, DPI, PAGE_WIDTH, PITCHES
from genre_features.frame import COLUMNS, HOP_LENGTH, N_FFT, SAMPLE_RATE

MAX_COLUMNS = int(PAGE_WIDTH * DPI)  # of an image: a pixel each
MIN_PEAK = 1e-3  # power at 0 dB in a spectrogram of silence, which so stays dark
DYNAMIC_RANGE = 80  # dB, of a spectrogram


def read_file(path, seconds):
    """Return what is drawn of a file.

    Parameters
    ----------
    path : path-like
    seconds : float
        Length to read from the start.

    Returns
    -------
    dict
        Arrays of shape (k, columns) for the keys of `frame.COLUMNS` and ``"spectrogram"`` (dB), and
        under ``"time"`` the options with which `librosa.display.specshow` draws them. A column is
        a frame, or in a long file the mean of several.
    """
    signal = load_signal(path, seconds)
    features = extract_features(signal)
    n = int(np.ceil(len(features) / MAX_COLUMNS))
    power = power_spectrogram(np.pad(signal, N_FFT // 2), HOP_LENGTH)
    starts = range(0, len(features), n)
    features, power = (librosa.util.sync(values.T, starts) for values in (features, power))
    drawn = {kind: features[rows] for kind, rows in COLUMNS.items()}
    drawn["spectrogram"] = librosa.power_to_db(power, ref=max(power.max(), MIN_PEAK))
    drawn["time"] = {"x_axis": "time", "sr": SAMPLE_RATE, "hop_length": n * HOP_LENGTH}
    return drawn


def plot_line(axes, values, time, **line):
    """Draw one feature over time."""
    seconds = librosa.times_like(values, sr=time["sr"], hop_length=time["hop_length"])
    axes.plot(seconds, values, **{"color": BLUE, "linewidth": 0.8, **line})
    axes.margins(x=0)


def plot_image(axes, values, time, names):
    """Draw several features over time, on a scale without the extremes."""
    low, high = np.percentile(values, [5, 95])
    scale = {"cmap": "viridis", "vmin": low, "vmax": max(high, low + 1)}  # silence isn't noise
    image = specshow(values, ax=axes, **scale, **time)
    axes.set_yticks(range(len(names)), names)
    return image


def plot_mfcc_0(axes, file):
    """Draw the first MFCC, the loudness, which lies off the scale of the others."""
    plot_line(axes, file["mfcc"][0], file["time"])
    axes.set(title="MFCC 0 (loudness)", ylabel="value")


def plot_mfcc(axes, file):
    """Draw the other MFCC."""
    image = plot_image(axes, file["mfcc"][1:], file["time"], range(1, 13))
    axes.set(title="MFCC 1 to 12", ylabel="coefficient")
    return image


def plot_spectral_centroid(axes, file):
    """Draw the spectral centroid over the spectrogram."""
    scale = {"n_fft": N_FFT, "cmap": "magma", "vmin": -DYNAMIC_RANGE, "vmax": 0}
    image = specshow(file["spectrogram"], ax=axes, y_axis="log", **scale, **file["time"])
    plot_line(axes, file["spectral_centroid"][0], file["time"], color="white", label="centroid")
    axes.legend(loc="lower right", frameon=True, facecolor="black", labelcolor="white")
    axes.set(title="Spectral centroid on the spectrogram", ylabel="frequency (Hz)")
    return image


def plot_chroma(axes, file):
    """Draw the chroma, each frame's strongest pitch class at 1."""
    image = specshow(file["chroma"], ax=axes, cmap="viridis", vmin=0, vmax=1, **file["time"])
    axes.set(title="Chroma", ylabel="pitch class")
    axes.set_yticks(range(len(PITCHES)), PITCHES, fontsize=6.5)
    return image


def plot_highest_band(axes, file):
    """Draw the contrast of the highest band, which lies off the scale of the others."""
    plot_line(axes, file["spectral_contrast"][-1], file["time"])
    axes.set(title=f"Spectral contrast, {BANDS[-1]} Hz", ylabel="dB")


def plot_spectral_contrast(axes, file):
    """Draw the spectral contrast of the other octave bands."""
    image = plot_image(axes, file["spectral_contrast"][:-1], file["time"], BANDS[:-1])
    axes.set(title="Spectral contrast, lower bands", ylabel="band (Hz)")
    return image


PANELS = {  # kind: its panels from top to bottom; how each is drawn, its height, its colour bar
    "mfcc": [(plot_mfcc_0, 1, None), (plot_mfcc, 2, {"label": "value", "extend": "both"})],
    "spectral_centroid": [(plot_spectral_centroid, 2.5, {"label": "level (dB, peak at 0)"})],
    "chroma": [(plot_chroma, 2.5, {"label": "relative to the strongest"})],
    "spectral_contrast": [
        (plot_highest_band, 1, None),
        (plot_spectral_contrast, 2, {"label": "peak over valley (dB)", "extend": "both"}),
    ],
}


def panel_heights(kinds):
    """Return the relative heights of the panels of some kinds of features."""
    return [height for kind in kinds for _, height, _ in PANELS[kind]]


def plot_files(figure, kinds, files):
    """Draw kinds of features, a row per panel, of files, a column each.

    All panels share the time axis. Within a row all files have the same colours and scales.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    kinds : list of str
        Keys of `frame.COLUMNS`.
    files : list of dict
        See `read_file`.

    Returns
    -------
    list of matplotlib.axes.Axes
        Those of the top row.
    """
    panels = [panel for kind in kinds for panel in PANELS[kind]]
    shared = {"sharex": True, "sharey": "row", "squeeze": False}
    grid = figure.subplots(len(panels), len(files), height_ratios=panel_heights(kinds), **shared)
    for (plot, _, colorbar), row in zip(panels, grid, strict=True):
        images = [plot(axes, file) for axes, file in zip(row, files, strict=True)]
        setp(row, xlabel="")
        setp(row[1:], ylabel="")
        if colorbar:
            limits = np.array([image.get_clim() for image in images])
            setp(images, clim=(limits.min(), limits.max()))
            figure.colorbar(images[0], ax=row, **colorbar)
    seconds = grid[-1, 0].get_xlim()[1]
    setp(grid[-1], xlabel="time (s)" if seconds < 60 else "time (min:s)")  # as specshow counts it
    figure.align_ylabels(grid)
    return grid[0]
