"""What a user may rely on when installing the project and trying it out."""

import ast
import csv
import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import ROOT, SCHEDULES, run
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from genre_lstm import load_model
from GenreFeatureData import GenreFeatureData
from gtzan.demo_corpus import CLIP_SECONDS, CLIPS, make_clip

SCRIPTS = [
    "GenreFeatureData.py",
    "lstm_genre_classifier_pytorch.py",
    "lstm_genre_classifier_pytorch_PiecewiseDecay.py",
    "lstm_genre_classifier_pytorch_ReduceLROnPlateau.py",
    "generate_music_plots.py",
    "generate_model_plot.py",
]


SOURCES = [
    path
    for folder in (".", "gtzan", "experiments", "benchmarks")
    for path in (ROOT / folder).glob("*.py")
]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def imported_modules(path):
    """Names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_conda_and_pip_install_the_same_versions():
    assert re.findall(r"^ {6}- (.+)$", read("MusicClassificationEnv.yaml"), re.M) == [
        "-r requirements.txt"
    ]
    pinned = re.findall(r"[\w-]+==[\w.]+", read("MusicClassificationEnv.yaml"))
    assert not pinned  # every version stands in requirements.txt


def pinned_in(name):
    return {name.lower() for name in re.findall(r"^([\w-]+)==[\w.]+", read(name), re.M)}


def test_every_library_imported_is_pinned_and_every_pinned_one_imported():
    modules = {name.split(".")[0] for path in SOURCES for name in imported_modules(path)}
    own = {path.stem for path in SOURCES} | {"gtzan", "experiments", "benchmarks"}
    foreign = modules - own - set(sys.stdlib_module_names)
    distributions = importlib.metadata.packages_distributions()
    needed = {distributions[name][0].lower() for name in foreign}
    assert needed == pinned_in("requirements.txt") | {"onnx", "distributed"}
    assert pinned_in("requirements-onnx.txt") == {"onnx", "onnxruntime"}
    assert pinned_in("requirements-dask.txt") == {"distributed"}


def test_imports_run_one_way_and_nothing_imports_a_script():
    for path in SOURCES:
        own = {name for name in imported_modules(path) if (ROOT / f"{name}.py").exists()}
        assert not own & {Path(name).stem for name in SCRIPTS[2:]}, path
        if path.name == "GenreFeatureData.py" or path.parent.name == "gtzan":
            assert "lstm_genre_classifier_pytorch" not in own, path


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_says_what_each_script_does_from_any_folder(script, tmp_path):
    command = [sys.executable, str(ROOT / script), "--help"]
    stdout = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert f"python {script}" in stdout
    assert not list(tmp_path.iterdir())


def test_demo_and_a_data_set_of_ones_own_are_not_taken_together(tmp_path):
    _, stderr = run("GenreFeatureData.py", "--demo", "--output", "x", cwd=tmp_path, status=2)
    assert "--demo" in stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_readme_names_every_script_and_its_links_lead_somewhere():
    text = read("README.md")
    assert all(script in text for script in SCRIPTS)
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert links
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("folder", ["", "improved/"])
def test_scores_in_the_readme_are_those_of_the_committed_runs(folder, schedule):
    summary = json.loads(read(f"result/{folder}{schedule}/summary.json"))
    cells = []
    for part in ("validation", "test"):
        found = summary[part]
        cells.append(f"{100 * found['accuracy']:.1f} % ({found['correct']} of {found['n']})")
    hiphop, metal = (summary["genres"].index(genre) for genre in ("hiphop", "metal"))
    row = summary["validation"]["confusion"][hiphop]
    middle = [f"{row[hiphop] / sum(row):.2f}", f"{row[metal]} of {sum(row)}"]
    row = [summary["recipe"]["name"], schedule, cells[0], *middle, cells[1]]
    assert f"| {' | '.join(row)} |" in read("README.md")


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("folder", ["", "improved/"])
def test_committed_weights_load_and_are_those_of_the_committed_run(folder, schedule):
    _, saved = load_model(ROOT / "weights" / folder / schedule / "model.pt")
    summary = json.loads(read(f"result/{folder}{schedule}/summary.json"))
    card = json.loads(read(f"weights/{folder}{schedule}/model.json"))
    for key in ("schedule", "recipe", "seed", "genres", "features", "versions"):
        # JSON knows no tuples.
        assert json.loads(json.dumps(saved[key])) == summary[key] == card[key]


# The demo corpus


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A folder in which the demo corpus was made and its features extracted."""
    folder = tmp_path_factory.mktemp("demo")
    run("GenreFeatureData.py", "--demo", cwd=folder)
    return folder


def test_demo_corpus_has_the_originals_six_genres_and_layout(demo):
    data = GenreFeatureData(demo / "gtzan" / "demo").load()
    assert data.genres == ["classical", "hiphop", "jazz", "metal", "pop", "reggae"]
    for part, count in CLIPS.items():
        assert np.bincount(data.targets[part]).tolist() == [count] * 6
        paths = list((demo / "gtzan" / "demo" / f"_{part}").glob("*.au"))
        assert len(paths) == 6 * count
    info = soundfile.info(paths[0])
    assert (info.samplerate, info.channels, info.duration) == (22050, 1, CLIP_SECONDS)


@pytest.mark.parametrize("genre", ["classical", "reggae"])
def test_demo_clip_is_the_same_whatever_else_is_made(demo, genre):
    recorded, _ = soundfile.read(demo / "gtzan" / "demo" / "_test" / f"{genre}.00003.au")
    np.testing.assert_allclose(recorded, make_clip(genre, 3), atol=2**-15)


def test_demo_genres_can_be_told_apart_but_not_trivially(demo):
    data = GenreFeatureData(demo / "gtzan" / "demo").load()
    statistics = {
        part: np.concatenate([inputs.mean(axis=1), inputs.std(axis=1)], axis=1)
        for part, inputs in data.inputs.items()
    }
    classifier = make_pipeline(StandardScaler(), SVC())
    classifier.fit(statistics["train"], data.targets["train"])
    accuracy = classifier.score(statistics["validation"], data.targets["validation"])
    assert 0.5 < accuracy < 0.95


def test_demo_trains_beside_the_real_runs(demo):
    options = ("--demo", "--epochs", 1, "--device", "cpu")
    run("lstm_genre_classifier_pytorch_PiecewiseDecay.py", *options, cwd=demo)
    assert (demo / "result" / "demo" / "PiecewiseDecay" / "confusion_mat.png").exists()
    assert [path.name for path in (demo / "weights").iterdir()] == ["demo"]
    assert [path.name for path in (demo / "result").iterdir()] == ["demo"]


def test_speeds_in_the_readme_are_the_measured_ones():
    with (ROOT / "benchmarks" / "results.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows
    form = "| {measured} | {reference} | {ours} {unit} | {theirs} {unit} | {ratio} | {goal} |"
    assert not [row for row in rows if form.format(**row) not in read("README.md")]
