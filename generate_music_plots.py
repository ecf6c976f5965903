"""Plot the four kinds of features that the classifier gets, of audio files or of whole genres.

    python generate_music_plots.py song.mp3           # -> result/music/song_*.png
    python generate_music_plots.py song.mp3 b.mp3     # -> result/music/song_and_b_features.png
    python generate_music_plots.py --genres           # -> result/music/genres.png
    python generate_music_plots.py song.mp3 --format pdf

One file: four figures (MFCC, spectral centroid, chroma, spectral contrast) and a sheet with all.
Two files: a sheet with both side by side, on the same scales. --genres: the mean and the standard
deviation of every feature over the training clips of a cache.
"""

import argparse
import os
from pathlib import Path

from matplotlib import pyplot

from common.cli import HelpFormatter, add_format, number_in, run_script
from genre_features.cache import GenreFeatureData
from genre_features.dataset_plots import plot_genres
from genre_features.figures import PAGE_WIDTH, new_figure, plot_label, save
from genre_features.plots import PANELS, panel_heights, plot_files, read_file

MAX_STEM = 200  # bytes of a figure's name; most systems allow 255, with all that is added


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    add = parser.add_argument
    add("files", metavar="FILE", type=Path, nargs="*", help="audio: WAV, AU, FLAC, OGG or MP3")
    add("--genres", action="store_true", help="plot the genres of a data set instead of files")
    folder = {"metavar": "DIR", "type": Path}
    add("--features", **folder, help="folder of its .npy files (default: gtzan)")
    add("--output", **folder, default="result/music", help="folder for the figures")
    add_format(parser)
    seconds = {"metavar": "X", "type": number_in(0.1), "default": 30.0}
    add("--seconds", **seconds, help="length to plot of each file, from its start")
    add("--show", action="store_true", help="also open a window with the sheet")
    options = parser.parse_args()
    if options.features and not options.genres:
        parser.error("--features says what --genres plots: add --genres, or leave out both")
    if len(options.files) not in ((0,) if options.genres else (1, 2)):
        parser.error("name one file, two files, or --genres alone")
    return options


def shorten(text, n_bytes):
    """Cut a text, so that it takes at most so many bytes as the name of a file."""
    while len(os.fsencode(text)) > n_bytes:
        text = text[:-1]
    return text


def plot_data_set(options):
    """Plot the genres of a cache; return the sheet and its path."""
    data = GenreFeatureData(options.features or Path("gtzan")).load()
    sheet = new_figure(options.show, figsize=(PAGE_WIDTH, 8.5))
    plot_genres(sheet, data)
    return sheet, options.output / f"genres.{options.format}"


def plot_audio(options):
    """Plot one file or two; write the single figures, and return the sheet and its path."""
    paths = options.files
    files = [read_file(path, options.seconds) for path in paths]
    stem = "_and_".join(shorten(path.stem, MAX_STEM // len(paths)) for path in paths)
    sheet = new_figure(options.show, figsize=((len(files) + 1) / 2 * PAGE_WIDTH, 9.5))
    top = plot_files(sheet, PANELS, files)
    if len(files) == 1:
        title = plot_label(paths[0].name, 80)
        sheet.suptitle(title)
        for kind in PANELS:
            figure = new_figure(figsize=(PAGE_WIDTH, 1.2 + 0.9 * sum(panel_heights([kind]))))
            figure.suptitle(title)
            plot_files(figure, [kind], files)
            save(figure, options.output / f"{stem}_{kind}.{options.format}")
    else:
        same_name = paths[0].name == paths[1].name
        for axes, path in zip(top, paths, strict=True):
            name = plot_label(str(path) if same_name else path.name, 56)
            axes.set_title(f"{name}\n{axes.get_title()}")
    return sheet, options.output / f"{stem}_features.{options.format}"


def main():
    options = parse_arguments()
    sheet, path = plot_data_set(options) if options.genres else plot_audio(options)
    save(sheet, path)
    print(f"The figures are in {options.output}; the sheet is {path.name}.")
    if options.show:
        pyplot.show()


if __name__ == "__main__":
    run_script(main)
