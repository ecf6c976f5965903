"""What a user may rely on when installing the project and reading about it."""

import ast
import graphlib
import importlib.metadata
import re
import sys
from pathlib import Path

from helpers import ROOT, SCHEDULES, SCRIPTS

# Each wing, and those that it may import.
WINGS = {
    "common": (),
    "genre_features": ("common",),
    "genre_lstm": ("genre_features", "common"),
    "experiments": ("genre_lstm", "genre_features", "common"),
    "benchmarks": ("genre_lstm", "genre_features", "common"),
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
            *(f"{module}.{subset}" for module, subset in imported_names(path)),
        }
        & set(paths)
        for name, path in paths.items()
    }
    assert sum(map(len, graph.values())) > len(paths)
    list(graphlib.TopologicalSorter(graph).static_order())  # CycleError names the circle


def test_every_module_and_script_has_a_test_file():
    others = {f"lstm_genre_classifier_pytorch_{name}": "training_scripts" for name in SCHEDULES}
    for path in SOURCES:
        name = others.get(path.stem, path.stem)
        if path.parent.name in ("experiments", "benchmarks"):
            name = path.parent.name  # one file for all of it
        elif path.parent.name == "genre_features" and name == "plots":
            name = "feature_plots"
        if name != "__init__":
            assert (ROOT / "tests" / f"test_{name}.py").exists(), path


def test_readme_names_every_script_and_its_links_lead_somewhere():
    text = read("README.md")
    assert all(script in text for script in SCRIPTS)
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert links
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing
