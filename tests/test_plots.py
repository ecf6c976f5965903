"""What a user may rely on when looking at plots."""

import dataclasses
import json
import tracemalloc

import numpy as np
import pytest
from conftest import GENRES, assert_one_line, run, run_module, write_clip
from matplotlib.colors import same_color
from matplotlib.image import imread

from genre_features import figures as all_figures
from genre_features.audio import load_signal
from genre_features.cache import GenreFeatureData
from genre_features.features import extract_features
from genre_features.figures import genre_colors
from genre_features.frame import COLUMNS, FrameSettings
from genre_features.genres import TEN_GENRES
from genre_lstm import plots

KINDS = ["mfcc", "spectral_centroid", "chroma", "spectral_contrast", "features"]
FEATURES = [  # what a picture of genres calls the 33, in the order of the cache
    *map(str, range(13)),
    "centroid",
    *["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"],
    *["0-200", "200-400", "400-800", "800-1600", "1600-3200", "3200-6400", "6400-11025"],
]


def is_drawn(path):
    """Whether a picture shows more than a background."""
    return len(np.unique(imread(path)[..., :3].reshape(-1, 3), axis=0)) > 10


def test_all_four_features_and_a_sheet_are_drawn_without_a_display(tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    write_clip(tmp_path / "söng one.flac", "blip", 0, rate=44100)
    run("generate_music_plots.py", tmp_path / "söng one.flac", "--output", tmp_path / "plots")
    found = {path.name for path in (tmp_path / "plots").iterdir()}
    assert found == {f"söng one_{kind}.png" for kind in KINDS}
    assert all(is_drawn(path) for path in (tmp_path / "plots").iterdir())


def test_file_that_is_no_audio_is_said_in_one_line(tmp_path):
    (tmp_path / "song.wav").write_text("not audio")
    output = tmp_path / "plots"
    for name in ("song.wav", "missing.wav"):
        _, stderr = run("generate_music_plots.py", tmp_path / name, "--output", output, status=2)
        assert_one_line(stderr, name)
    assert not output.exists()


@pytest.fixture
def figures(monkeypatch):
    """The figures that would be written, by the name of their file."""
    found = {}
    monkeypatch.setattr(all_figures, "save", lambda figure, path: found.update({path.name: figure}))
    return found


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


def test_two_files_of_the_same_name_are_told_apart(tmp_path, figures):
    paths = [tmp_path / folder / "song.wav" for folder in "ab"]
    for path, genre in zip(paths, ["blip", "hum"], strict=True):
        write_clip(path, genre, 0)
    run("generate_music_plots.py", *paths)
    sheet = figures["song_and_song_features.png"]
    for axes, path in zip(sheet.axes, paths, strict=False):
        assert str(path) in axes.get_title().replace("\n", "")


def test_sheet_of_two_files_is_the_only_picture_of_them(tmp_path):
    for genre in ("blip", "hum"):
        write_clip(tmp_path / f"{genre} $_$.wav", genre, 0)
    output = tmp_path / "plots"
    run("generate_music_plots.py", *sorted(tmp_path.glob("*.wav")), "--output", output)
    assert [path.name for path in output.iterdir()] == ["blip $_$_and_hum $_$_features.png"]
    assert is_drawn(next(output.iterdir()))


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


def write_cache(folder, genres, n_clips=20, frames=5):
    """Write a cache of features that are all zero, as a file that takes no room."""
    for part in ("train", "validation", "test"):
        path, shape = folder / f"data_{part}_input.npy", (n_clips, frames, 33)
        np.lib.format.open_memmap(path, "w+", np.float32, shape)
        targets = np.eye(len(genres))[np.arange(n_clips) % len(genres)]
        np.save(folder / f"data_{part}_target.npy", targets)
    manifest = dataclasses.asdict(FrameSettings(frames=frames)) | {"genres": genres}
    (folder / "features.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("genres", [TEN_GENRES, ["_x", "$_$", "a genre whose name is long"], ["a"]])
def test_genres_of_any_name_and_number_are_drawn(tmp_path, monkeypatch, genres):
    legends = []
    save = all_figures.save
    monkeypatch.setattr(
        all_figures, "save", lambda *args: (legends.append(args[0].legends[0]), save(*args))
    )
    write_cache(tmp_path, genres)
    output = tmp_path / "plots"
    run("generate_music_plots.py", "--genres", "--features", tmp_path, "--output", output)
    assert is_drawn(output / "genres.png")
    texts = [text.get_text().replace("\n", " ") for text in legends[0].get_texts()]
    assert [text.rpartition(" (")[0] for text in texts] == genres


def test_cache_larger_than_memory_is_gone_through_clip_by_clip(tmp_path, figures):
    write_cache(tmp_path, ["a"], n_clips=500, frames=1000)
    tracemalloc.start()
    try:
        run("generate_music_plots.py", "--genres", "--features", tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < (tmp_path / "data_train_input.npy").stat().st_size / 4
    assert not np.any(points(figures["genres.png"], 1))  # zeros, and not NaN


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["a.wav", "b.wav", "c.wav"], "not 3"),
        ([], "--genres"),
        (["a.wav", "--genres"], "leave out the files"),
        (["a.wav", "--features", "gtzan"], "--features"),
    ],
)
def test_what_does_not_go_together_is_refused_in_a_line(arguments, word, tmp_path):
    _, stderr = run("generate_music_plots.py", *arguments, cwd=tmp_path, status=2)
    assert word in stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_genres_without_a_cache_say_how_to_make_one(tmp_path):
    _, stderr = run("generate_music_plots.py", "--genres", cwd=tmp_path, status=2)
    assert_one_line(stderr, "GenreFeatureData.py", "--features")
    assert not list(tmp_path.iterdir())


def test_architecture_is_drawn_from_the_weights(trained, tmp_path):
    weights = trained / "weights" / "PiecewiseDecay" / "model.pt"
    run_module("experiments.architecture", "--weights", weights, "--output", tmp_path / "model.png")
    assert is_drawn(tmp_path / "model.png")


def test_confusion_matrix_has_the_datas_genres_with_counts_and_row_percentages(monkeypatch):
    figures = []
    monkeypatch.setattr(plots, "save", lambda figure, path: figures.append(figure))
    scores = {"confusion": [[3, 1], [0, 2]], "accuracy": 5 / 6, "n": 6}
    plots.draw_confusion({"validation": scores, "test": scores}, ["zouk", "ska"], "", "")
    for axes in figures[0].axes:
        assert [text.get_text() for text in axes.get_yticklabels()] == ["zouk", "ska"]
        assert [text.get_text() for text in axes.get_xticklabels()] == ["zouk", "ska"]
        cells = {text.get_position(): text.get_text() for text in axes.texts}
        assert cells == {(0, 0): "3\n75%", (1, 0): "1\n25%", (0, 1): "0\n0%", (1, 1): "2\n100%"}
        assert "83.3% of 6 clips" in axes.get_title()


def test_curves_show_every_validation_and_where_the_rate_was_lowered(monkeypatch):
    figures = {}
    monkeypatch.setattr(
        plots, "save", lambda figure, path: figures.update({path.name: figure.axes[0]})
    )
    rates = [0.1, 0.1, 0.01, 0.01]
    history = [
        {"epoch": i + 1, "learning_rate": rate, "train_loss": 1.0, "train_accuracy": 0.5}
        | {"val_loss": 2.0 if i % 2 else None, "val_accuracy": 0.25 if i % 2 else None}
        for i, rate in enumerate(rates)
    ]
    plots.draw_history(history, "", "")
    assert len(figures) == 5
    curve, mark = figures["graph_val_loss.png"].lines
    assert curve.get_xydata().tolist() == [[2, 2.0], [4, 2.0]]
    assert set(mark.get_xdata()) == {3}
    assert all("epoch" in axes.get_xlabel() and axes.get_ylabel() for axes in figures.values())


def test_curves_and_confusion_matrices_of_a_run_are_drawn(trained):
    pictures = list((trained / "result").rglob("*.png"))
    assert len(pictures) == 14
    assert all(is_drawn(path) for path in pictures)


def test_a_genre_has_the_same_colour_in_every_plot():
    few = dict(zip(["jazz", "pop"], genre_colors(["jazz", "pop"]), strict=True))
    many = ["blues", "jazz", "metal", "pop", "ska"]
    more = dict(zip(many, genre_colors(many), strict=True))
    assert all(few[genre] == more[genre] for genre in few)
    assert len(set(more.values())) == len(many)
