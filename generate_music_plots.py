"""Draw the four kinds of features as the classifier gets them, of audio files or whole genres.

    python generate_music_plots.py song.mp3           # -> result/music/song_*.png
    python generate_music_plots.py song.mp3 b.mp3     # -> result/music/song_and_b_features.png
    python generate_music_plots.py --genres           # -> result/music/genres.png

Of one file: a picture of the MFCC, the spectral centroid, the chroma and the spectral contrast
each, and a sheet with all four. Of two: a sheet of both side by side, on the same scales. Of the
genres: the mean and the spread of every feature over the training clips in a cache of features.
"""

import argparse
import textwrap
from pathlib import Path

import librosa
import numpy as np
from librosa.display import specshow
from matplotlib.artist import setp
from matplotlib.figure import Figure

from audio_features import (
    COLUMNS,
    HOP_LENGTH,
    N_FFT,
    SAMPLE_RATE,
    extract_features,
    load_signal,
    power_spectrogram,
)
from genre_plots import genre_colors, save
from GenreFeatureData import GenreFeatureData
from script_helpers import HelpFormatter, at_least, run_script

# Hz, librosa's octave bands
BANDS = ["0-200", "200-400", "400-800", "800-1600", "1600-3200", "3200-6400", "6400-11025"]
NAMES = [*range(13), "centroid", *librosa.midi_to_note(range(12), octave=False), *BANDS]
PANELS = [  # of the genres: title, features that fit on a scale, the scale's label
    ("MFCC 0, the loudness", slice(0, 1), "value (dB)"),
    ("MFCC 1 to 3", slice(1, 4), "value (dB)"),
    ("Spectral centroid", COLUMNS["spectral_centroid"], "frequency (Hz)"),
    ("MFCC 4 to 12", slice(4, 13), "value (dB)"),
    ("Chroma, by pitch class", COLUMNS["chroma"], "share of the strongest"),
    ("Spectral contrast, by band (Hz)", COLUMNS["spectral_contrast"], "peak over valley (dB)"),
]


def read_file(path, seconds, hop_length):
    """Return what is drawn of each kind of features; of the centroid, the spectrogram, too."""
    signal = load_signal(path, seconds)
    features = extract_features(signal, hop_length=hop_length).T
    power = power_spectrogram(np.pad(signal, N_FFT // 2), hop_length)
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
    """Draw the spectral centroid over the spectrogram that it is the centre of."""
    centroid, spectrogram = centroid_and_spectrogram
    image = specshow(spectrogram, ax=axes, y_axis="log", n_fft=N_FFT, cmap="magma", **time)
    seconds = librosa.times_like(centroid, sr=SAMPLE_RATE, hop_length=time["hop_length"])
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


def draw_files(figure, kinds, files, time):
    """Draw kinds of features, a row each, of files, a column each; return the top row's axes.

    Within a row all files have the same scale of colours and the same limits of the axes.
    """
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
    """Draw the mean and the spread of each feature over the training clips of each genre."""
    clips, targets = data.inputs["train"], data.targets["train"]
    # Clip by clip, as the memory may not hold all.
    means = [clip.mean(axis=0, dtype=float) for clip in clips]
    genres = [np.array(means)[targets == i] for i in range(len(data.genres))]
    offsets = 0.8 * (np.arange(0.5, len(genres)) / len(genres) - 0.5)
    grid = figure.subplot_mosaic("0112;3333;4444;5555")
    for axes, (title, columns, label) in zip(grid.values(), PANELS, strict=True):
        ticks = np.arange(len(NAMES[columns]))
        for found, offset, color in zip(genres, offsets, genre_colors(data.genres), strict=True):
            mean, spread = found[:, columns].mean(axis=0), found[:, columns].std(axis=0)
            axes.errorbar(ticks + offset, mean, spread, fmt="o", markersize=5, color=color)
        axes.set(title=title, ylabel=label, xlim=(-0.5, len(ticks) - 0.5))
        axes.set_xticks(ticks, NAMES[columns])
        for edge in ticks[1:] - 0.5:
            axes.axvline(edge, color="lightgray", linewidth=0.8)
        axes.grid(axis="y", alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    names = [f"{genre} ({len(found)})" for genre, found in zip(data.genres, genres, strict=True)]
    names = [textwrap.fill(name, 20) for name in names]
    figure.legend(axes.containers, names, loc="outside right upper", title="genre (clips)")
    figure.suptitle("Training clips, averaged over time: mean ± standard deviation of each genre")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    add = parser.add_argument
    add("files", metavar="FILE", type=Path, nargs="*", help="audio: WAV, AU, FLAC, OGG or MP3")
    add("--genres", action="store_true", help="draw the genres of a data set instead of files")
    add("--features", metavar="DIR", help="where its .npy splits lie (default: gtzan)")
    add("--output", metavar="DIR", type=Path, default="result/music", help="where the PNGs go")
    add(
        "--hop-length",
        metavar="N",
        type=at_least(1),
        default=HOP_LENGTH,
        help="samples at 22,050 Hz from one frame to the next",
    )
    add("--seconds", metavar="X", type=at_least(0.1), default=30.0, help="seconds drawn of a file")
    add("--show", action="store_true", help="open a window with the sheet, too")
    options = parser.parse_args()
    if options.genres and options.files:
        parser.error("--genres draws a data set: leave out the files, or --genres")
    if options.features and not options.genres:
        parser.error("--features says what --genres draws: add --genres, or leave out both")
    if not options.genres and len(options.files) not in (1, 2):
        parser.error(f"name one or two files, not {len(options.files)}, or --genres")
    return options


def main():
    options = parse_arguments()
    make_sheet = Figure
    if options.show:
        import matplotlib.pyplot as plt

        make_sheet = plt.figure
    if options.genres:
        sheet = make_sheet(figsize=(13, 14), layout="constrained")
        draw_genres(sheet, GenreFeatureData(options.features or "gtzan").load())
        name = drawn = "genres.png"
    else:
        paths = options.files
        files = [read_file(path, options.seconds, options.hop_length) for path in paths]
        time = {"x_axis": "time", "sr": SAMPLE_RATE, "hop_length": options.hop_length}
        stem = "_and_".join(path.stem for path in paths)
        sheet = make_sheet(figsize=(2 + 7 * len(files), 13), layout="constrained")
        top = draw_files(sheet, COLUMNS, files, time)
        name, drawn = f"{stem}_features.png", f"{stem}_*.png"
        if len(files) == 1:
            sheet.suptitle(paths[0].name)
            for kind in COLUMNS:
                figure = Figure(figsize=(9, 4), layout="constrained")
                draw_files(figure, [kind], files, time)
                save(figure, options.output / f"{stem}_{kind}.png")
        else:
            alike = paths[0].name == paths[1].name
            for axes, path in zip(top, paths, strict=True):
                title = textwrap.fill(str(path if alike else path.name), 60)
                axes.set_title(f"{title}\n{axes.get_title()}")
    save(sheet, options.output / name)
    print(f"The plots are {options.output / drawn}.")
    if options.show:
        plt.show()


if __name__ == "__main__":
    run_script(main)
