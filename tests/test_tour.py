"""What a user may rely on about the notebook."""

import shutil
from pathlib import Path

import nbformat
from helpers import ROOT, SCRIPTS
from nbclient import NotebookClient

PACKAGES = ("common", "genre_features", "genre_lstm")


def read_tour():
    return nbformat.read(ROOT / "tour.ipynb", as_version=4)


def kinds_of_output(tour):
    """The types of what the cells put out, such as image/png."""
    outputs = [output for cell in tour.cells for output in cell.get("outputs", ())]
    return {kind for output in outputs for kind in output.get("data", ())}


def printed(tour):
    outputs = [output for cell in tour.cells for output in cell.get("outputs", ())]
    return "".join(output.get("text", "") for output in outputs)


def test_tour_runs_from_top_to_bottom(demo, tmp_path):
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package)
    for script in SCRIPTS:
        shutil.copy(ROOT / script, tmp_path)
    (tmp_path / "gtzan").symlink_to(demo / "gtzan", target_is_directory=True)
    tour = read_tour()
    (settings,) = [cell for cell in tour.cells if "EPOCHS = 60" in cell.source]
    settings.source = settings.source.replace("EPOCHS = 60", "EPOCHS = 1")
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(tour, timeout=600, resources=where).execute()  # raises if a cell fails
    assert {"image/png", "text/html"} <= kinds_of_output(tour)
    assert "1 epochs of 180 clips" in printed(tour)
    assert Path(tmp_path, "weights/demo/improved/PiecewiseDecay/model.pt").exists()


def test_tour_is_kept_with_its_outputs_in_less_than_a_megabyte():
    assert (ROOT / "tour.ipynb").stat().st_size < 1e6
    tour = read_tour()
    cells = [cell for cell in tour.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert {"image/png", "text/html"} <= kinds_of_output(tour)
    assert "Traceback" not in printed(tour)
