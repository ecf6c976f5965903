"""What a user may rely on about the notebook."""

import re
import shutil

import nbformat
import pytest
from helpers import ROOT, SCRIPTS, write_clip
from nbclient import NotebookClient

FOLDERS = ("common", "genre_features", "genre_lstm", "weights/reference")


def read_tour():
    return nbformat.read(ROOT / "tour.ipynb", as_version=4)


def read_outputs(tour):
    """Return the types of what the cells show, such as image/png, and the text that they print."""
    outputs = [output for cell in tour.cells for output in cell.get("outputs", ())]
    kinds = {kind for output in outputs for kind in output.get("data", ())}
    return kinds, "".join(output.get("text", "") for output in outputs)


@pytest.fixture(scope="module")
def folder(demo, tmp_path_factory):
    """A copy of the scripts with the demo corpus."""
    folder = tmp_path_factory.mktemp("tour")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name)
    for script in SCRIPTS:
        shutil.copy(ROOT / script, folder)
    shutil.copytree(demo / "gtzan", folder / "gtzan")
    return folder


def replace(tour, old, new):
    """Change a setting of the notebook."""
    (cell,) = [cell for cell in tour.cells if old in cell.source]
    cell.source = cell.source.replace(old, new)


def test_tour_runs_from_top_to_bottom_with_a_song_of_ones_own(folder):
    write_clip(folder / "my song.wav", "blip", 0, seconds=6)
    tour = read_tour()
    replace(tour, 'SONG = "song.mp3"', 'SONG = "my song.wav"')
    replace(tour, "EPOCHS = 40", "EPOCHS = 1")
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(tour, timeout=600, resources=where).execute()  # raises if a cell fails
    kinds, text = read_outputs(tour)
    assert {"image/png", "text/html"} <= kinds
    assert "my song.wav: " in text
    # A low-pass filter makes the published model take the clip for metal, but not the improved.
    published, filtered, improved, still = map(int, re.findall(r"; metal (\d+)%", text))
    assert filtered - published > 10 > abs(still - improved)
    assert (folder / "weights/demo/improved/PiecewiseDecay/model.pt").exists()


def test_tour_is_shipped_with_the_outputs_of_all_cells_in_200_kilobytes():
    assert (ROOT / "tour.ipynb").stat().st_size <= 200_000
    tour = read_tour()
    cells = [cell for cell in tour.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds, text = read_outputs(tour)
    assert {"image/png", "text/html"} <= kinds
    assert "Traceback" not in text
