"""Draw the four kinds of features of an audio file, extracted as for the classifier.

    python generate_music_plots.py song.mp3           # -> result/music/song_*.png

Writes one picture of the MFCC, the spectral centroid, the chroma and the spectral contrast each,
and a sheet with all four.
"""

import argparse
import itertools
from pathlib import Path

import librosa
import numpy as np
from librosa.display import specshow
from matplotlib.figure import Figure

from genre_plots import save
from GenreFeatureData import COLUMNS, HOP_LENGTH, N_FFT, SAMPLE_RATE, extract_features, load_signal
from script_helpers import HelpFormatter, at_least, run_script


def draw_mfcc(axes, mfcc, time):
    """Draw the MFCC; the first, the loudness, lies off the scale of the others."""
    limit = np.abs(mfcc[1:]).max()
    image = specshow(mfcc, ax=axes, cmap="RdBu_r", vmin=-limit, vmax=limit, **time)
    axes.figure.colorbar(image, ax=axes, label="value (dB)", extend="both")
    axes.set(title="MFCC", ylabel="coefficient", yticks=range(0, len(mfcc), 2))


def draw_spectral_centroid(axes, centroid, time, spectrogram):
    """Draw the spectral centroid over the spectrogram that it is the centre of."""
    image = specshow(spectrogram, ax=axes, y_axis="log", n_fft=N_FFT, cmap="magma", **time)
    axes.figure.colorbar(image, ax=axes, label="level (dB, peak at 0)")
    seconds = librosa.times_like(centroid, sr=SAMPLE_RATE, hop_length=time["hop_length"])
    axes.plot(seconds, centroid[0], color="white", linewidth=1.2, label="spectral centroid")
    axes.legend(loc="lower right", facecolor="black", labelcolor="white")
    axes.set(title="Spectral centroid", ylabel="frequency (Hz)")


def draw_chroma(axes, chroma, time):
    """Draw the chroma, each frame's strongest pitch class at 1."""
    image = specshow(chroma, ax=axes, y_axis="chroma", cmap="viridis", vmin=0, vmax=1, **time)
    axes.figure.colorbar(image, ax=axes, label="share of the strongest")
    axes.set(title="Chroma", ylabel="pitch class")


def draw_spectral_contrast(axes, contrast, time):
    """Draw the spectral contrast of librosa's octave bands."""
    image = specshow(contrast, ax=axes, cmap="viridis", **time)
    axes.figure.colorbar(image, ax=axes, label="peak over valley (dB)")
    edges = [0, *(200 * 2 ** np.arange(len(contrast) - 1)), SAMPLE_RATE // 2]
    bands = [f"{low}-{high}" for low, high in itertools.pairwise(edges)]
    axes.set(title="Spectral contrast", ylabel="band (Hz)")
    axes.set_yticks(range(len(bands)), bands)


DRAWINGS = {
    "mfcc": draw_mfcc,
    "spectral_centroid": draw_spectral_centroid,
    "chroma": draw_chroma,
    "spectral_contrast": draw_spectral_contrast,
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    add = parser.add_argument
    add("file", metavar="FILE", type=Path, help="audio: WAV, AU, FLAC, OGG or MP3")
    add("--output", metavar="DIR", type=Path, default="result/music", help="where the PNGs go")
    add(
        "--hop-length",
        metavar="N",
        type=at_least(1),
        default=HOP_LENGTH,
        help="samples at 22,050 Hz from one frame to the next",
    )
    add(
        "--seconds",
        metavar="X",
        type=at_least(0.1),
        default=30.0,
        help="how much to draw, from the start; a GTZAN clip lasts 30",
    )
    add("--show", action="store_true", help="open a window with the sheet, too")
    return parser.parse_args()


def main():
    options = parse_arguments()
    hop_length = options.hop_length
    signal = load_signal(options.file, options.seconds)
    features = extract_features(signal, hop_length=hop_length).T
    magnitude = np.abs(librosa.stft(signal, n_fft=N_FFT, hop_length=hop_length))
    spectrogram = librosa.amplitude_to_db(magnitude, ref=np.max)
    time = {"x_axis": "time", "sr": SAMPLE_RATE, "hop_length": hop_length}

    def draw(kind, axes):
        extra = [spectrogram] if kind == "spectral_centroid" else []
        DRAWINGS[kind](axes, features[COLUMNS[kind]], time, *extra)
        axes.set_xlabel("time (s)")

    for kind in COLUMNS:
        figure = Figure(figsize=(9, 4), layout="constrained")
        draw(kind, figure.add_subplot())
        save(figure, options.output / f"{options.file.stem}_{kind}.png")
    if options.show:
        import matplotlib.pyplot as plt

        sheet = plt.figure(figsize=(9, 13), layout="constrained")
    else:
        sheet = Figure(figsize=(9, 13), layout="constrained")
    sheet.suptitle(options.file.name)
    for kind, axes in zip(COLUMNS, sheet.subplots(len(COLUMNS)), strict=True):
        draw(kind, axes)
    save(sheet, options.output / f"{options.file.stem}_features.png")
    print(f"The plots are {options.output / options.file.stem}_*.png.")
    if options.show:
        plt.show()


if __name__ == "__main__":
    run_script(main)
