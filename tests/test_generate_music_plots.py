"""What a user may rely on when drawing music."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers import assert_one_line, is_drawn, is_uncut, run, write_clip

from genre_features import plots
from genre_features.audio import load_signal
from genre_features.features import extract_features
from genre_features.figures import new_figure
from genre_features.frame import COLUMNS, SAMPLE_RATE
from genre_features.plots import plot_files, plot_mfcc, plot_spectral_contrast, read_file

KINDS = [*COLUMNS, "features"]
PANELS = [  # of a sheet, from top to bottom: the features that it shows
    slice(0, 1),
    slice(1, 13),
    COLUMNS["spectral_centroid"],
    COLUMNS["chroma"],
    slice(32, 33),
    slice(26, 32),
]


@pytest.fixture(scope="module")
def two_files(tmp_path_factory):
    """A clip of one second and one of two."""
    folder = tmp_path_factory.mktemp("files")
    for genre, seconds in (("blip", 1), ("hum", 2)):
        write_clip(folder / f"{genre}.wav", genre, 0, seconds=seconds)
    return [folder / "blip.wav", folder / "hum.wav"]


def test_all_four_features_and_a_sheet_are_drawn_without_a_display(tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    write_clip(tmp_path / "söng one.flac", "blip", 0, rate=44100)
    run("generate_music_plots.py", tmp_path / "söng one.flac", "--output", tmp_path / "plots")
    pictures = list((tmp_path / "plots").iterdir())
    assert {path.name for path in pictures} == {f"söng one_{kind}.png" for kind in KINDS}
    assert all(map(is_drawn, pictures))


def test_files_with_names_as_long_as_the_system_allows_are_drawn_together(tmp_path):
    paths = [tmp_path / f"{letter * 110}.wav" for letter in "aü"]
    for path in paths:
        write_clip(path, "blip", 0, seconds=0.1)
    run("generate_music_plots.py", *paths, "--output", tmp_path / "plots")
    (picture,) = (tmp_path / "plots").iterdir()
    assert picture.name.startswith("aaaaa")
    assert "_and_üüüüü" in picture.name


def test_figures_have_the_name_of_the_file_and_the_seconds_and_format_asked_for(tmp_path, figures):
    write_clip(tmp_path / "long.wav", "hum", 0, seconds=3.0)
    run("generate_music_plots.py", tmp_path / "long.wav", "--seconds", 1.5, "--format", "pdf")
    assert set(figures) == {f"long_{kind}.pdf" for kind in KINDS}
    for figure in figures.values():
        assert figure.get_suptitle() == "long.wav"
        assert figure.axes[0].get_xlim() == pytest.approx((0, 1.5), abs=0.05)


def test_sheet_shows_all_features_of_each_file_in_a_column_on_shared_scales(two_files, figures):
    run("generate_music_plots.py", *two_files)
    assert list(figures) == ["blip_and_hum_features.png"]
    sheet = figures["blip_and_hum_features.png"]
    panels = sheet.axes[: 2 * len(PANELS)]
    assert [panel.get_title().partition("\n")[0] for panel in panels[:2]] == ["blip.wav", "hum.wav"]
    features = [extract_features(load_signal(path)).T for path in two_files]
    for columns, *row in zip(PANELS, panels[::2], panels[1::2], strict=True):
        for panel, values in zip(row, features, strict=True):
            line = panel.lines[0].get_ydata()[None] if panel.lines else None
            drawn = panel.collections[0].get_array() if line is None else line
            np.testing.assert_array_equal(drawn, values[columns])
        images = [image for panel in row for image in panel.collections]
        assert row[0].get_ylim() == row[1].get_ylim()
        assert len({image.get_clim() for image in images}) <= 1
    assert len({panel.get_xlim() for panel in panels}) == 1
    assert panels[0].get_xlim()[1] == pytest.approx(2, abs=0.05)  # the longer file's end
    assert [bool(panel.get_xlabel()) for panel in panels] == [False] * 10 + [True] * 2
    assert len({label.get_text() for label in panels[6].get_yticklabels()}) == 12  # chroma
    assert is_uncut(sheet)


def test_two_files_of_the_same_name_are_told_apart(tmp_path, figures):
    paths = [tmp_path / folder / "song.wav" for folder in "ab"]
    for path in paths:
        write_clip(path, "blip", 0)
    run("generate_music_plots.py", *paths)
    sheet = figures["song_and_song_features.png"]
    names = [axes.get_title().partition("\n")[0] for axes in sheet.axes[:2]]
    assert [Path(name).parts[-2:] for name in names] == [("a", "song.wav"), ("b", "song.wav")]


def test_scales_are_those_of_most_values_not_of_the_extremes(two_files):
    file = read_file(two_files[0], 600)
    for kind, plot in (("mfcc", plot_mfcc), ("spectral_contrast", plot_spectral_contrast)):
        file[kind][:] = 2
        file[kind][5, :2] = 1000
        assert 2 <= plot(new_figure().add_subplot(), file).get_clim()[1] <= 3


def test_silence_shows_no_rounding_errors(tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    figure = new_figure()
    plot_files(figure, COLUMNS, [read_file(tmp_path / "silence.wav", 600)])
    for axes in figure.axes[: len(PANELS)]:  # the others are colour bars
        for image in axes.collections:
            assert np.ptp(image.get_array()) <= 1e-3 * np.ptp(image.get_clim())


def test_long_file_is_drawn_in_means_of_its_frames_with_no_more_columns_than_pixels(
    two_files, monkeypatch
):
    whole = read_file(two_files[1], 600)  # 87 frames
    monkeypatch.setattr(plots, "MAX_COLUMNS", 30)
    figure = new_figure()
    plot_files(figure, ["mfcc"], [read_file(two_files[1], 600)])
    drawn = figure.axes[1].collections[0].get_array()
    expected = [whole["mfcc"][1:, i : i + 3].mean(axis=1) for i in range(0, 87, 3)]
    np.testing.assert_allclose(drawn, np.array(expected).T, rtol=1e-4, atol=1e-4)
    assert figure.axes[1].get_xlim()[1] == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["a.wav", "b.wav", "c.wav"], "one file, two files"),
        ([], "--genres"),
        (["a.wav", "--genres"], "--genres alone"),
        (["a.wav", "--features", "gtzan"], "--features"),
        (["a.wav", "--format", "jpg"], "--format"),
        (["missing.wav"], "missing.wav"),
        (["--genres"], "GenreFeatureData.py"),
    ],
)
def test_impossible_arguments_are_refused_in_a_line(arguments, word, tmp_path):
    _, stderr = run("generate_music_plots.py", *arguments, cwd=tmp_path, status=2)
    assert_one_line(stderr.splitlines()[-1], word)
    assert not list(tmp_path.iterdir())
