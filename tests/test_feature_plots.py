"""What a user may rely on about the figures of files' features."""

import numpy as np
import pytest
from helpers import is_uncut, run, write_clip
from matplotlib.figure import Figure

from genre_features.audio import load_signal
from genre_features.features import extract_features
from genre_features.frame import COLUMNS
from genre_features.plots import plot_mfcc, plot_spectral_contrast

TIME = {"x_axis": "time", "sr": 22050, "hop_length": 512}


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


def test_scales_are_those_of_most_values_not_of_the_extremes():
    figure = Figure()
    values = np.ones((13, 1000))
    values[5, :10] = 1000
    for draw in (plot_mfcc, plot_spectral_contrast):
        assert draw(figure.add_subplot(), values, TIME).get_clim()[1] == 1
