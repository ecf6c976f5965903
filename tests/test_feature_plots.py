"""What a user may rely on about the figures of files' features."""

import numpy as np
import pytest
import soundfile
from helpers import is_uncut, run, write_clip

from genre_features import plots
from genre_features.audio import load_signal
from genre_features.features import extract_features
from genre_features.figures import new_figure
from genre_features.frame import COLUMNS, SAMPLE_RATE, FrameSettings
from genre_features.plots import plot_files, plot_mfcc, plot_spectral_contrast, read_file

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


@pytest.fixture
def sheet(two_files, figures):
    """The sheet of both clips."""
    run("generate_music_plots.py", *two_files)
    assert list(figures) == ["blip_and_hum_features.png"]
    return figures["blip_and_hum_features.png"]


def test_sheet_shows_all_features_of_each_file_in_a_column(two_files, sheet):
    panels = sheet.axes[: 2 * len(PANELS)]
    assert [panel.get_title().partition("\n")[0] for panel in panels[:2]] == ["blip.wav", "hum.wav"]
    features = [extract_features(load_signal(path)).T for path in two_files]
    for columns, *row in zip(PANELS, panels[::2], panels[1::2], strict=True):
        for panel, values in zip(row, features, strict=True):
            if columns.stop - columns.start == 1:
                drawn = panel.lines[0].get_ydata()[None]
            else:
                drawn = panel.collections[0].get_array()
            np.testing.assert_array_equal(drawn, values[columns])
    assert is_uncut(sheet)


def test_files_on_a_sheet_share_the_time_axis_and_in_each_row_the_scale(sheet):
    panels = sheet.axes[: 2 * len(PANELS)]
    assert len(sheet.axes) == len(panels) + 4  # a colour bar for each row of images
    assert {panel.get_xlim() for panel in panels} == {panels[0].get_xlim()}
    assert panels[0].get_xlim()[1] == pytest.approx(2, abs=0.05)  # the longer file's end
    for row in zip(panels[::2], panels[1::2], strict=True):
        assert row[0].get_ylim() == row[1].get_ylim()
        images = [image for panel in row for image in panel.collections]
        assert len({image.get_clim() for image in images}) <= 1
    assert [bool(panel.get_xlabel()) for panel in panels] == [False] * 10 + [True] * 2


def read(path):
    return read_file(path, 600, FrameSettings())


def test_scales_are_those_of_most_values_not_of_the_extremes(two_files):
    file = read(two_files[0])
    for kind, plot in (("mfcc", plot_mfcc), ("spectral_contrast", plot_spectral_contrast)):
        file[kind][:] = 2
        file[kind][5, :2] = 1000
        assert 2 <= plot(new_figure().add_subplot(), file).get_clim()[1] <= 3


def test_silence_shows_no_rounding_errors(tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    file = read(tmp_path / "silence.wav")
    for kind in plots.PANELS:
        figure = new_figure()
        plot_files(figure, [kind], [file])
        for axes in figure.axes[: len(plots.PANELS[kind])]:  # the others are colour bars
            for image in axes.collections:
                assert np.ptp(image.get_array()) <= 1e-3 * np.ptp(image.get_clim())


def test_long_file_is_drawn_in_means_of_its_frames_with_no_more_columns_than_pixels(
    two_files, tmp_path, monkeypatch
):
    whole = read(two_files[1])  # 87 frames
    monkeypatch.setattr(plots, "MAX_COLUMNS", 30)
    figure = new_figure()
    plot_files(figure, ["mfcc"], [read(two_files[1])])
    drawn = figure.axes[1].collections[0].get_array()
    expected = [whole["mfcc"][1:, i : i + 3].mean(axis=1) for i in range(0, 87, 3)]
    np.testing.assert_allclose(drawn, np.array(expected).T, rtol=1e-4, atol=1e-4)
    assert figure.axes[1].get_xlim()[1] == pytest.approx(2, abs=0.1)


def test_chroma_names_all_twelve_pitch_classes(two_files):
    figure = new_figure()
    plot_files(figure, ["chroma"], [read(two_files[0])])
    assert len({label.get_text() for label in figure.axes[0].get_yticklabels()}) == 12
