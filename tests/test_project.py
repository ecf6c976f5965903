"""What a user may rely on when installing the project and trying it out."""

import ast
import csv
import dataclasses
import graphlib
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

from genre_features.cache import GenreFeatureData
from genre_features.demo_corpus import CLIP_SECONDS, CLIPS, make_clip
from genre_lstm.weights import load_model

SCRIPTS = [
    "GenreFeatureData.py",
    "lstm_genre_classifier_pytorch_PiecewiseDecay.py",
    "lstm_genre_classifier_pytorch_ReduceLROnPlateau.py",
    "generate_music_plots.py",
    "predict.py",
]
# Each wing, and those that it may import.
WINGS = {
    "plumbing": (),
    "genre_features": ("plumbing",),
    "genre_lstm": ("genre_features", "plumbing"),
    "experiments": ("genre_lstm", "genre_features", "plumbing"),
    "benchmarks": ("genre_lstm", "genre_features", "plumbing"),
}
SOURCES = [path for folder in (".", *WINGS) for path in (ROOT / folder).glob("*.py")]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def imported_modules(path):
    """Names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def imported_names(path):
    """Pairs of a module and a name that a file imports from it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module, alias.name) for alias in node.names)


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
    foreign = modules - set(WINGS) - set(sys.stdlib_module_names)
    distributions = importlib.metadata.packages_distributions()
    needed = {distributions[name][0].lower() for name in foreign}
    assert needed == pinned_in("requirements.txt") | {"onnx", "distributed"}
    assert pinned_in("requirements/onnx.txt") == {"onnx", "onnxruntime"}
    assert pinned_in("requirements/dask.txt") == {"distributed"}


def test_the_top_level_holds_the_scripts_and_nothing_that_is_only_imported():
    assert sorted(path.name for path in ROOT.glob("*.py")) == sorted(SCRIPTS)


def test_wings_import_in_one_direction_and_nothing_imports_a_script():
    scripts = {Path(script).stem for script in SCRIPTS}
    for path in SOURCES:
        names = {name.split(".")[0] for name in imported_modules(path)}
        assert not names & scripts, path
        if (wing := path.parent.name) in WINGS:
            assert not names & set(WINGS) - {wing, *WINGS[wing]}, path
        if wing == "genre_features":
            assert "torch" not in names, path


def test_no_import_runs_in_a_circle():
    paths = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in SOURCES}
    graph = {
        name: {
            *imported_modules(path),
            *(f"{module}.{part}" for module, part in imported_names(path)),
        }
        & set(paths)
        for name, path in paths.items()
    }
    assert sum(map(len, graph.values())) > len(paths)
    list(graphlib.TopologicalSorter(graph).static_order())  # CycleError names the circle


# Where the training scripts may differ: what they are called, and their schedule.
SCHEDULE = re.compile(
    r'"""Train the.*?"""'
    r"|def make_scheduler.*?(?=\ndef main)"
    r'|training_run\("\w+"'
    r"| *scheduler = make_scheduler.*?\n|, scheduler(?=\))"
    r"| *if validated:\n| *scheduler.step\(.*?\)\n",
    re.DOTALL,
)


def test_training_scripts_are_equal_but_for_their_schedule():
    paths = [f"lstm_genre_classifier_pytorch_{schedule}.py" for schedule in SCHEDULES]
    texts = [read(path) for path in (*paths, "experiments/constant_rate.py")]
    assert all(text.count("\n") < 70 for text in texts)
    rests = {re.sub(r"\s+", " ", SCHEDULE.sub("", text)) for text in texts}
    assert len(rests) == 1
    assert "train_epoch(model, optimizer, data)" in rests.pop()


def test_training_itself_happens_in_the_scripts_and_not_behind_them():
    text = read("genre_lstm/run.py")
    assert not re.findall(r"backward|\.step\(|isinstance|lr_scheduler|LambdaLR|Plateau", text)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("option", ["--help", "--no-such-option"])
def test_options_are_read_before_anything_heavy_is_imported(script, option):
    code = (
        "import runpy, sys\n"
        "sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit: print('imported', *sys.modules)"
    )
    command = [sys.executable, "-c", code, script, option]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    imported = done.stdout.splitlines()[-1].split()
    assert imported[0] == "imported"
    assert not {"torch", "librosa", "scipy", "matplotlib", "sklearn", "numba"} & set(imported)


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
@pytest.mark.parametrize("recipe", ["published", "improved"])
def test_committed_weights_load_and_are_those_of_the_committed_run(recipe, schedule):
    _, saved = load_model(ROOT / "weights" / "reference" / recipe / schedule / "model.pt")
    summary = json.loads(read(f"result/reference/{recipe}/{schedule}/summary.json"))
    card = json.loads(read(f"weights/reference/{recipe}/{schedule}/model.json"))
    saved["settings"] = dataclasses.asdict(saved["settings"])
    for key in ("schedule", "recipe", "seed", "genres", "settings", "versions"):
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
    form = "| {measured} | {reference} | {n} | {ours} {unit} | {theirs} {unit} | {ratio} | {goal} |"
    assert not [row for row in rows if form.format(**row) not in read("benchmarks/README.md")]
