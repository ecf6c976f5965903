"""What a user may rely on about the figures of data sets."""

from pathlib import Path

import numpy as np
import pytest
from helpers import GENRES, is_uncut, most_memory, run, write_cache, write_manifest
from matplotlib.colors import same_color

from genre_features import cache
from genre_features.cache import GenreFeatureData
from genre_features.check import ClipReport
from genre_features.clips import Clip
from genre_features.dataset_plots import plot_bandwidths
from genre_features.figures import genre_colors, plot_label
from genre_features.genres import TEN_GENRES

FEATURES = [  # what a picture of genres calls the 33, in the order of the cache
    *map(str, range(13)),
    "centroid",
    *["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"],
    *["0-200", "200-400", "400-800", "800-1600", "1600-3200", "3200-6400", "6400-11025"],
]


def test_genres_are_drawn_with_mean_and_deviation_of_their_training_clips(features, figures):
    run("generate_music_plots.py", "--genres", "--features", features)
    figure, data, drawn = figures["genres.png"], GenreFeatureData(features).load(), []
    clips = [data.inputs["train"][data.targets["train"] == i].mean(axis=1) for i in range(3)]
    for axes in figure.axes:
        columns = [FEATURES.index(text.get_text()) for text in axes.get_xticklabels()]
        drawn += columns
        rows = zip(axes.containers, clips, genre_colors(GENRES), strict=True)
        for (line, _, (bars,)), means, color in rows:
            lengths = [(bar[1, 1] - bar[0, 1]) / 2 for bar in bars.get_segments()]
            np.testing.assert_allclose(line.get_ydata(), means[:, columns].mean(0), rtol=1e-4)
            np.testing.assert_allclose(lengths, means[:, columns].std(0), rtol=1e-3)
            assert same_color(line.get_color(), color)
    assert sorted(drawn) == list(range(33))
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == [f"{genre} (4)" for genre in GENRES]


@pytest.mark.parametrize("genres", [TEN_GENRES, ["_x", "$_$", 3 * "a long name "], ["a"]])
def test_genres_of_any_name_and_number_are_drawn(tmp_path, figures, genres):
    write_cache(tmp_path, 20, 5, len(genres), np.float32, random=False)
    write_manifest(tmp_path, genres, 5)
    run("generate_music_plots.py", "--genres", "--features", tmp_path)
    assert is_uncut(figures["genres.png"])
    texts = [text.get_text() for text in figures["genres.png"].legends[0].get_texts()]
    assert [text.rpartition(" (")[0] for text in texts] == [plot_label(genre) for genre in genres]


def test_cache_larger_than_memory_is_drawn_clip_by_clip(tmp_path, figures, monkeypatch):
    monkeypatch.setattr(cache, "MAX_IN_MEMORY", 0)
    write_cache(tmp_path, 500, 1000, 1, np.float32, random=False)
    write_manifest(tmp_path, ["a"], 1000)
    peak = most_memory(run, "generate_music_plots.py", "--genres", "--features", tmp_path)
    assert peak < (tmp_path / "data_train_input.npy").stat().st_size / 4
    assert len(figures["genres.png"].axes[0].containers) == 1


@pytest.mark.parametrize("last", ["pop/pop.00002.mp3", "pop/a.mp3"])
def test_bandwidths_are_plotted_over_track_numbers_or_else_the_order_of_files(figures, last):
    values = {"jazz/jazz.00007.au": 9, "jazz/jazz.00003.au": 11.025, last: 10}  # kHz
    reports = [
        ClipReport(
            Clip(file[: file.index("/")], file), "train", None, 30.0, 1000.0 * value, 0.0, []
        )
        for file, value in values.items()
    ]
    plot_bandwidths(reports, ["jazz", "pop"], Path("b.png"))
    jazz, pop = figures["b.png"].axes
    x = [3, 7] if "pop." in last else [0, 1]
    assert jazz.lines[0].get_xydata().tolist() == [[x[0], 11.025], [x[1], 9]]
    numbered = "pop." in last
    assert ("track number" in pop.get_xlabel()) == bool(len(pop.get_xticks())) == numbered
    assert [axes.get_ylabel() for axes in (jazz, pop)] == ["jazz", "pop"]
    assert len(figures["b.png"].legends[0].get_texts()) == 4
    assert is_uncut(figures["b.png"])
    assert jazz.get_ylim()[0] < 9 < 11.025 < jazz.get_ylim()[1]
    assert sum(8 <= tick <= 12 for tick in jazz.get_yticks()) > 2
