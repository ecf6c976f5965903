"""Pictures of the features, of audio files and of whole genres."""

import textwrap

import librosa
import numpy as np
from librosa.display import specshow
from matplotlib.artist import setp
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from genre_features.audio import load_signal
from genre_features.bandwidth import FULL
from genre_features.features import extract_features, power_spectrogram
from genre_features.figures import genre_colors, save
from genre_features.frame import COLUMNS, N_FFT
from genre_features.lowpass import lowpass
from genre_features.tracks import PARTS

# Of the contrast, Hz: librosa's octave bands
BANDS = ["0-200", "200-400", "400-800", "800-1600", "1600-3200", "3200-6400", "6400-11025"]
NAMES = [*range(13), "centroid", *librosa.midi_to_note(range(12), octave=False), *BANDS]
PANELS = [  # of the genres: title, features that share a scale, label of the scale
    ("MFCC 0, the loudness", slice(0, 1), "value (dB)"),
    ("MFCC 1 to 3", slice(1, 4), "value (dB)"),
    ("Spectral centroid", COLUMNS["spectral_centroid"], "frequency (Hz)"),
    ("MFCC 4 to 12", slice(4, 13), "value (dB)"),
    ("Chroma, by pitch class", COLUMNS["chroma"], "share of the strongest"),
    ("Spectral contrast, by band (Hz)", COLUMNS["spectral_contrast"], "peak over valley (dB)"),
]


def read_file(path, seconds, settings):
    """Return what is drawn of a file, by kind of features: (n, frames), or (centroid, levels)."""
    signal = load_signal(path, seconds)
    features = extract_features(signal, settings).T
    if settings.lowpass:
        signal = lowpass(signal, settings.lowpass)
    power = power_spectrogram(np.pad(signal, N_FFT // 2), settings.hop_length)
    spectrogram = librosa.power_to_db(power.T, ref=np.max)
    drawn = {kind: features[columns] for kind, columns in COLUMNS.items()}
    return drawn | {"spectral_centroid": (drawn["spectral_centroid"], spectrogram)}


def draw_mfcc(axes, mfcc, time):
    """Draw the MFCC; the first, the loudness, lies off the scale of the others."""
    limit = np.abs(mfcc[1:]).max()
    image = specshow(mfcc, ax=axes, cmap="RdBu_r", vmin=-limit, vmax=limit, **time)
    axes.set(title="MFCC", ylabel="coefficient", yticks=range(0, len(mfcc), 2))
    return image


def draw_spectral_centroid(axes, centroid_and_spectrogram, time):
    """Draw the spectral centroid over the spectrogram."""
    centroid, spectrogram = centroid_and_spectrogram
    image = specshow(spectrogram, ax=axes, y_axis="log", n_fft=N_FFT, cmap="magma", **time)
    seconds = librosa.times_like(centroid, sr=time["sr"], hop_length=time["hop_length"])
    axes.plot(seconds, centroid[0], color="white", linewidth=1.2, label="spectral centroid")
    axes.legend(loc="lower right", facecolor="black", labelcolor="white")
    axes.set(title="Spectral centroid", ylabel="frequency (Hz)")
    return image


def draw_chroma(axes, chroma, time):
    """Draw the chroma, each frame's strongest pitch class at 1."""
    image = specshow(chroma, ax=axes, y_axis="chroma", cmap="viridis", vmin=0, vmax=1, **time)
    axes.set(title="Chroma", ylabel="pitch class")
    return image


def draw_spectral_contrast(axes, contrast, time):
    """Draw the spectral contrast of librosa's octave bands."""
    image = specshow(contrast, ax=axes, cmap="viridis", **time)
    axes.set(title="Spectral contrast", ylabel="band (Hz)")
    axes.set_yticks(range(len(BANDS)), BANDS)
    return image


DRAWINGS = {  # kind: how it is drawn, its colour bar
    "mfcc": (draw_mfcc, {"label": "value (dB)", "extend": "both"}),
    "spectral_centroid": (draw_spectral_centroid, {"label": "level (dB, peak at 0)"}),
    "chroma": (draw_chroma, {"label": "share of the strongest"}),
    "spectral_contrast": (draw_spectral_contrast, {"label": "peak over valley (dB)"}),
}


def draw_files(figure, kinds, files, settings):
    """Draw kinds of features, a row each, of files, a column each.

    Within a row all files have the same colour scale and the same limits of the axes.

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
    grid = figure.subplots(len(kinds), len(files), sharex="row", sharey="row", squeeze=False)
    for kind, row in zip(kinds, grid, strict=True):
        draw, colorbar = DRAWINGS[kind]
        images = [draw(axes, file[kind], time) for axes, file in zip(row, files, strict=True)]
        limits = np.array([image.get_clim() for image in images])
        setp(images, clim=(limits.min(), limits.max()))
        setp(row, xlabel="time (s)")
        setp(row[1:], ylabel="")
        figure.colorbar(images[0], ax=row, **colorbar)
    return grid[0]


def draw_genres(figure, data):
    """Draw the mean and standard deviation of each feature over each genre's training clips.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    data : GenreFeatureData
    """
    clips, targets = data.inputs["train"], data.targets["train"]
    # Clip by clip, since they may not fit in memory.
    clip_means = np.array([clip.mean(axis=0, dtype=float) for clip in clips])
    genres = [clip_means[targets == i] for i in range(len(data.genres))]
    offsets = 0.8 * (np.arange(0.5, len(genres)) / len(genres) - 0.5)
    grid = figure.subplot_mosaic("0112;3333;4444;5555")
    for axes, (title, columns, label) in zip(grid.values(), PANELS, strict=True):
        ticks = np.arange(len(NAMES[columns]))
        for means, offset, color in zip(genres, offsets, genre_colors(data.genres), strict=True):
            mean, spread = means[:, columns].mean(axis=0), means[:, columns].std(axis=0)
            axes.errorbar(ticks + offset, mean, spread, fmt="o", markersize=5, color=color)
        axes.set(title=title, ylabel=label, xlim=(-0.5, len(ticks) - 0.5))
        axes.set_xticks(ticks, NAMES[columns])
        for edge in ticks[1:] - 0.5:
            axes.axvline(edge, color="lightgray", linewidth=0.8)
        axes.grid(axis="y", alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    names = [f"{genre} ({len(means)})" for genre, means in zip(data.genres, genres, strict=True)]
    names = [textwrap.fill(name, 20) for name in names]
    figure.legend(axes.containers, names, loc="outside right upper", title="genre (clips)")
    figure.suptitle("Training clips, averaged over time: mean ± standard deviation of each genre")


def draw_bandwidths(clips, genres, path):
    """Draw the bandwidth of every clip over its place in its genre, in a row per genre.

    Parameters
    ----------
    clips : list of check.Clip
    genres : list of str
    path : path-like
        The PNG file to write.
    """
    figure = Figure(figsize=(10, 1 + 1.1 * len(genres)), layout="constrained")
    rows = figure.subplots(len(genres), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    lowest, top = min(clip.bandwidth for clip in clips) / 1000, 1.02 * FULL / 1000
    for axes, genre in zip(rows, genres, strict=True):
        own = sorted((c for c in clips if c.track.genre == genre), key=lambda c: c.track.file)
        # GTZAN's track numbers; for other music, the place in the order of the files.
        places = [i if c.track.number is None else c.track.number for i, c in enumerate(own)]
        for part, color in zip(PARTS, ("tab:blue", "tab:orange", "tab:green"), strict=True):
            chosen = [i for i, clip in enumerate(own) if clip.part == part]
            x = [places[i] for i in chosen]
            axes.plot(x, [own[i].bandwidth / 1000 for i in chosen], ".", color=color, label=part)
            axes.bar(x, top, width=1, color=color, alpha=0.12)
        axes.set_ylabel(genre, rotation=0, ha="right", va="center")
        axes.set_ylim(0.95 * lowest, top)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("track number")
    entries = [zip(*axes.get_legend_handles_labels(), strict=True) for axes in rows]
    handles = {label: handle for row in entries for handle, label in row}  # each part once
    figure.legend(handles.values(), handles, loc="outside right upper", title="part")
    figure.suptitle("Effective bandwidth of every clip (kHz)")
    save(figure, path)
