"""What a user may rely on about the pictures of features."""

import numpy as np
import pytest
from helpers import GENRES, is_drawn, most_memory, run, write_cache, write_clip, write_manifest
from matplotlib.colors import same_color

from genre_features import figures as all_figures
from genre_features.audio import load_signal
from genre_features.cache import GenreFeatureData
from genre_features.features import extract_features
from genre_features.figures import genre_colors
from genre_features.frame import COLUMNS
from genre_features.genres import TEN_GENRES

FEATURES = [  # what a picture of genres calls the 33, in the order of the cache
    *map(str, range(13)),
    "centroid",
    *["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"],
    *["0-200", "200-400", "400-800", "800-1600", "1600-3200", "3200-6400", "6400-11025"],
]


def test_two_files_are_drawn_side_by_side_on_the_same_scales(tmp_path, figures):
    paths = [tmp_path / "blip.wav", tmp_path / "hum.wav"]
    write_clip(paths[0], "blip", 0, seconds=1)
    write_clip(paths[1], "hum", 0, seconds=2)
    run("generate_music_plots.py", *paths)
    assert list(figures) == ["blip_and_hum_features.png"]
    axes = figures["blip_and_hum_features.png"].axes
    panels, colorbars = axes[:8], axes[8:]
    assert len(colorbars) == len(COLUMNS)
    assert [panel.get_title().partition("\n")[0] for panel in panels[:2]] == ["blip.wav", "hum.wav"]
    features = [extract_features(load_signal(path)).T for path in paths]
    for kind, *row in zip(COLUMNS, panels[::2], panels[1::2], strict=True):
        images = [panel.collections[0] for panel in row]
        assert images[0].get_clim() == images[1].get_clim()
        assert row[0].get_xlim() == row[1].get_xlim()
        assert row[0].get_ylim() == row[1].get_ylim()
        assert row[0].get_xlim()[1] == pytest.approx(2, abs=0.05)  # the longer file's end
        for panel, image, found in zip(row, images, features, strict=True):
            drawn = image.get_array()
            if kind == "spectral_centroid":
                drawn = panel.lines[0].get_ydata()[None]
            np.testing.assert_array_equal(drawn, found[COLUMNS[kind]])
    contrast = np.hstack(features)[COLUMNS["spectral_contrast"]]
    assert images[0].get_clim() == (contrast.min(), contrast.max())
    limit = np.abs(np.hstack(features)[1:13]).max()
    assert panels[0].collections[0].get_clim() == (-limit, limit)


def points(figure, n_genres):
    """Return the means and the bars' half lengths in a picture of genres, (genres, 33) each."""
    means, spreads = {}, {}
    for axes in figure.axes:
        assert len(axes.containers) == n_genres
        names = [text.get_text() for text in axes.get_xticklabels()]
        for genre, (line, _, (bars,)) in enumerate(axes.containers):
            for x, y, bar in zip(*line.get_data(), bars.get_segments(), strict=True):
                place = genre, names[round(x)]
                means[place], spreads[place] = y, (bar[1, 1] - bar[0, 1]) / 2
    return [
        np.array([[found[genre, name] for name in FEATURES] for genre in range(n_genres)])
        for found in (means, spreads)
    ]


def test_genres_are_drawn_with_mean_and_spread_of_their_training_clips(features, figures):
    run("generate_music_plots.py", "--genres", "--features", features)
    figure = figures["genres.png"]
    data = GenreFeatureData(features).load()
    clips = [data.inputs["train"][data.targets["train"] == i].mean(axis=1) for i in range(3)]
    means, spreads = points(figure, 3)
    np.testing.assert_allclose(means, [found.mean(axis=0) for found in clips], rtol=1e-4)
    np.testing.assert_allclose(spreads, [found.std(axis=0) for found in clips], rtol=1e-3)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        f"{genre} (4)" for genre in GENRES
    ]
    for axes in figure.axes:
        for (line, *_), color in zip(axes.containers, genre_colors(GENRES), strict=True):
            assert same_color(line.get_color(), color)


@pytest.mark.parametrize("genres", [TEN_GENRES, ["_x", "$_$", "a genre whose name is long"], ["a"]])
def test_genres_of_any_name_and_number_are_drawn(tmp_path, monkeypatch, genres):
    legends = []
    save = all_figures.save
    monkeypatch.setattr(
        all_figures, "save", lambda *args: (legends.append(args[0].legends[0]), save(*args))
    )
    write_cache(tmp_path, 20, 5, len(genres), np.float32, random=False)
    write_manifest(tmp_path, genres, 5)
    output = tmp_path / "plots"
    run("generate_music_plots.py", "--genres", "--features", tmp_path, "--output", output)
    assert is_drawn(output / "genres.png")
    texts = [text.get_text().replace("\n", " ") for text in legends[0].get_texts()]
    assert [text.rpartition(" (")[0] for text in texts] == genres


def test_cache_larger_than_memory_is_gone_through_clip_by_clip(tmp_path, figures):
    write_cache(tmp_path, 500, 1000, 1, np.float32, random=False)
    write_manifest(tmp_path, ["a"], 1000)
    peak = most_memory(run, "generate_music_plots.py", "--genres", "--features", tmp_path)
    assert peak < (tmp_path / "data_train_input.npy").stat().st_size / 4
    assert not np.any(points(figures["genres.png"], 1))  # zeros, and not NaN
