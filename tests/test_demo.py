"""What a user may rely on about the synthetic corpus and the notebook, which shows it."""

import re
import shutil
from unittest import mock

import nbformat
import numpy as np
import pytest
import soundfile
from helpers import ROOT, SCRIPTS, run, write_clip
from nbclient import NotebookClient
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from genre_features import demo_corpus
from genre_features.cache import GenreFeatureData

FOLDERS = ("common", "genre_features", "genre_lstm", "weights/reference")
FEW = {"train": 3, "validation": 4, "test": 1}  # clips of each genre, to save time


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A folder in which a smaller demo corpus was made and its features extracted."""
    folder = tmp_path_factory.mktemp("demo")
    with mock.patch.dict(demo_corpus.CLIPS, FEW):
        run("GenreFeatureData.py", "--demo", "--jobs", 1, cwd=folder)
    return folder


def test_demo_corpus_has_the_originals_six_genres_and_layout(demo):
    data = GenreFeatureData(demo / "gtzan" / "demo").load()
    assert data.genres == ["classical", "hiphop", "jazz", "metal", "pop", "reggae"]
    for subset, count in FEW.items():
        assert np.bincount(data.targets[subset]).tolist() == [count] * 6
        paths = list((demo / "gtzan" / "demo" / f"_{subset}").glob("*.au"))
        assert len(paths) == 6 * count
    info = soundfile.info(paths[0])
    assert (info.samplerate, info.channels, info.duration) == (22050, 1, demo_corpus.CLIP_SECONDS)


def test_demo_clip_is_the_same_whatever_else_is_made(demo):
    recorded, _ = soundfile.read(demo / "gtzan" / "demo" / "_test" / "reggae.00000.au")
    np.testing.assert_allclose(recorded, demo_corpus.make_clip("reggae", 0), atol=2**-15)


def test_demo_genres_can_be_told_apart_but_not_trivially(demo):
    data = GenreFeatureData(demo / "gtzan" / "demo").load()
    statistics = {
        subset: np.concatenate([inputs.mean(axis=1), inputs.std(axis=1)], axis=1)
        for subset, inputs in data.inputs.items()
    }
    classifier = make_pipeline(StandardScaler(), SVC())
    classifier.fit(statistics["train"], data.targets["train"])
    accuracy = classifier.score(statistics["validation"], data.targets["validation"])
    assert 0.5 < accuracy < 0.95


# The notebook


def read_tour():
    return nbformat.read(ROOT / "tour.ipynb", as_version=4)


def read_outputs(tour):
    """Return the types of what the cells show, such as image/png, and the text that they print."""
    outputs = [output for cell in tour.cells for output in cell.get("outputs", ())]
    kinds = {kind for output in outputs for kind in output.get("data", ())}
    return kinds, "".join(output.get("text", "") for output in outputs)


def replace(tour, old, new):
    """Change a setting of the notebook; return its cell."""
    (cell,) = [cell for cell in tour.cells if old in cell.source]
    cell.source = cell.source.replace(old, new)
    return cell


def test_tour_runs_from_top_to_bottom_with_a_song_of_ones_own(demo):
    for name in FOLDERS:
        shutil.copytree(ROOT / name, demo / name)
    for script in SCRIPTS:
        shutil.copy(ROOT / script, demo)
    tour = read_tour()
    write_clip(demo / "my song.wav", "blip", 0, seconds=6)
    replace(tour, 'SONG = "song.mp3"', 'SONG = "my song.wav"')
    settings = replace(tour, "EPOCHS = 40", "EPOCHS = 1")
    settings.source += f"\n\nfrom genre_features import demo_corpus\ndemo_corpus.CLIPS = {FEW}"
    replace(tour, "np.arange(6000, 11000, 500)", "np.arange(6000, 11000, 2000)")
    where = {"metadata": {"path": str(demo)}}
    patient = {"startup_timeout": 600, "iopub_timeout": 600}  # on a busy machine
    NotebookClient(tour, resources=where, **patient).execute()  # raises if a cell fails
    kinds, text = read_outputs(tour)
    assert {"image/png", "text/html"} <= kinds
    assert "my song.wav: " in text
    # A low-pass filter makes the published model take the clip for metal, but not the improved.
    published, filtered, improved, still = map(int, re.findall(r"; metal (\d+)%", text))
    assert filtered - published > 10 > abs(still - improved)
    assert (demo / "weights/demo/improved/PiecewiseDecay/model.pt").exists()


def test_tour_is_shipped_with_the_outputs_of_all_cells_in_200_kilobytes():
    assert (ROOT / "tour.ipynb").stat().st_size <= 200_000
    tour = read_tour()
    cells = [cell for cell in tour.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds, text = read_outputs(tour)
    assert {"image/png", "text/html"} <= kinds
    assert "Traceback" not in text
