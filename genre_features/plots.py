"""Figures of the features of audio files."""

import dataclasses

import librosa
import numpy as np
from librosa.display import specshow
from matplotlib.artist import setp

from genre_features.audio import load_signal
from genre_features.features import extract_features, power_spectrogram
from genre_features.figures import BANDS, BLUE
from genre_features.frame import COLUMNS, N_FFT
from genre_features.lowpass import lowpass


def read_file(path, seconds, settings):
    """Return what is drawn of a file, by kind of features: (n, frames), or (centroid, levels)."""
    signal = load_signal(path, seconds)
    if settings.lowpass:
        signal = lowpass(signal, settings.lowpass)
    features = extract_features(signal, dataclasses.replace(settings, lowpass=None)).T
    power = power_spectrogram(np.pad(signal, N_FFT // 2), settings.hop_length)
    spectrogram = librosa.power_to_db(power.T, ref=np.max)
    drawn = {kind: features[columns] for kind, columns in COLUMNS.items()}
    return drawn | {"spectral_centroid": (drawn["spectral_centroid"], spectrogram)}


def plot_line(axes, values, time, **line):
    """Draw one feature over time."""
    seconds = librosa.times_like(values, sr=time["sr"], hop_length=time["hop_length"])
    axes.plot(seconds, values, **line)
    axes.margins(x=0)


def plot_mfcc_0(axes, mfcc, time):
    """Draw the first MFCC, the loudness, which lies off the scale of the others."""
    plot_line(axes, mfcc[0], time, color=BLUE, linewidth=0.8)
    axes.set(title="MFCC 0, the loudness", ylabel="value (dB)")


def plot_mfcc(axes, mfcc, time):
    """Draw the other MFCC on a scale that shows the highest: the lowest exceed it."""
    limit = np.percentile(np.abs(mfcc[1:]), 97)
    image = specshow(mfcc[1:], ax=axes, cmap="RdBu_r", vmin=-limit, vmax=limit, **time)
    axes.set(title="MFCC 1 to 12", ylabel="coefficient")
    axes.set_yticks(range(0, 12, 2), range(1, 13, 2))
    return image


def plot_spectral_centroid(axes, centroid_and_spectrogram, time):
    """Draw the spectral centroid over the spectrogram."""
    centroid, spectrogram = centroid_and_spectrogram
    image = specshow(spectrogram, ax=axes, y_axis="log", n_fft=N_FFT, cmap="magma", **time)
    plot_line(axes, centroid[0], time, color="white", linewidth=0.8, label="spectral centroid")
    axes.legend(loc="lower right", frameon=True, facecolor="black", labelcolor="white")
    axes.set(title="Spectral centroid on the spectrogram", ylabel="frequency (Hz)")
    return image


def plot_chroma(axes, chroma, time):
    """Draw the chroma, each frame's strongest pitch class at 1."""
    image = specshow(chroma, ax=axes, y_axis="chroma", cmap="viridis", vmin=0, vmax=1, **time)
    axes.set(title="Chroma", ylabel="pitch class")
    return image


def plot_highest_band(axes, contrast, time):
    """Draw the contrast of the highest band, which lies off the scale of the others."""
    plot_line(axes, contrast[-1], time, color=BLUE, linewidth=0.8)
    axes.set(title=f"Spectral contrast, {BANDS[-1]} Hz", ylabel="value (dB)")


def plot_spectral_contrast(axes, contrast, time):
    """Draw the spectral contrast of the other octave bands, without the extremes."""
    low, high = np.percentile(contrast[:-1], [1, 99])
    image = specshow(contrast[:-1], ax=axes, cmap="viridis", vmin=low, vmax=high, **time)
    axes.set(title="Spectral contrast, lower bands", ylabel="band (Hz)")
    axes.set_yticks(range(len(BANDS) - 1), BANDS[:-1])
    return image


DRAWINGS = {  # kind: its panels from top to bottom; how each is drawn, its height, its colour bar
    "mfcc": [(plot_mfcc_0, 1, None), (plot_mfcc, 2, {"label": "value (dB)", "extend": "both"})],
    "spectral_centroid": [(plot_spectral_centroid, 2.5, {"label": "level (dB, peak at 0)"})],
    "chroma": [(plot_chroma, 2, {"label": "share of the strongest"})],
    "spectral_contrast": [
        (plot_highest_band, 1, None),
        (plot_spectral_contrast, 2, {"label": "peak over valley (dB)", "extend": "both"}),
    ],
}


def heights_of(kinds):
    """Return the heights of the panels of some kinds of features."""
    return [height for kind in kinds for _, height, _ in DRAWINGS[kind]]


def plot_files(figure, kinds, files, settings):
    """Draw kinds of features, a row per panel, of files, a column each.

    All panels share the time axis. Within a row all files have the same colours and scales.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    kinds : list of str
        Keys of `frame.COLUMNS`.
    files : list of dict
        See `read_file`.
    settings : FrameSettings

    Returns
    -------
    list of matplotlib.axes.Axes
        Those of the top row.
    """
    time = {"x_axis": "time", "sr": settings.sample_rate, "hop_length": settings.hop_length}
    panels = [(kind, draw, colorbar) for kind in kinds for draw, _, colorbar in DRAWINGS[kind]]
    shared = {"sharex": True, "sharey": "row", "squeeze": False}
    grid = figure.subplots(len(panels), len(files), height_ratios=heights_of(kinds), **shared)
    for (kind, draw, colorbar), row in zip(panels, grid, strict=True):
        images = [draw(axes, file[kind], time) for axes, file in zip(row, files, strict=True)]
        setp(row, xlabel="")
        setp(row[1:], ylabel="")
        if colorbar:
            limits = np.array([image.get_clim() for image in images])
            setp(images, clim=(limits.min(), limits.max()))
            figure.colorbar(images[0], ax=row, **colorbar)
    setp(grid[-1], xlabel="time (s)")
    figure.align_ylabels(grid)
    return grid[0]
