"""What a user may rely on when installing the project and reading about it."""

import ast
import graphlib
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

from helpers import ROOT, SCRIPTS, run
from packaging.requirements import Requirement

# Each package, and those that it may import.
PACKAGES = {
    "common": (),
    "genre_features": ("common",),
    "genre_lstm": ("genre_features", "common"),
    "experiments": ("genre_lstm", "genre_features", "common"),
    "benchmarks": ("genre_lstm", "genre_features", "common"),
}
SOURCES = [path for folder in (".", *PACKAGES) for path in (ROOT / folder).glob("*.py")]
GUIDES = ["README.md", "gtzan/README.md", "experiments/README.md", "benchmarks/README.md"]
OPTIONAL = {"distributed", "onnx", "av"}  # libraries that only an option needs


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def imported_modules(path):
    """Names of the modules that a file imports, wherever in it; of their members, too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def requirements(lines):
    """Return the version specifiers of requirements, by the library's name."""
    parsed = [Requirement(line.partition("#")[0]) for line in lines if line[:1].isalpha()]
    return {requirement.name: requirement.specifier for requirement in parsed}


def test_every_library_imported_is_required_and_every_required_one_imported():
    modules = {name.partition(".")[0] for path in SOURCES for name in imported_modules(path)}
    foreign = modules - set(PACKAGES) - set(sys.stdlib_module_names)
    distributions = importlib.metadata.packages_distributions()
    needed = {distributions.get(name, [name])[0].lower() for name in foreign}
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert needed - OPTIONAL == set(requirements(project["dependencies"]))


def test_installed_versions_are_pinned_and_not_below_the_lowest_that_are_allowed():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    for allowed, file in (
        (requirements(project["dependencies"]), "requirements.txt"),
        (requirements(extras), "requirements-dev.txt"),
    ):
        pinned = requirements(read(file).splitlines())
        assert set(pinned) == set(allowed) - {project["name"]}
        for name, specifier in pinned.items():
            (pin,) = specifier
            assert pin.operator == "==" and allowed[name].contains(pin.version), name
    assert "-r requirements.txt" in read("MusicClassificationEnv.yaml")


def test_packages_import_in_one_direction_and_nothing_imports_a_script():
    scripts = {Path(script).stem for script in SCRIPTS}
    for path in SOURCES:
        names = {name.partition(".")[0] for name in imported_modules(path)}
        assert not names & scripts, path
        if (package := path.parent.name) in PACKAGES:
            assert not names & set(PACKAGES) - {package, *PACKAGES[package]}, path
        if package in ("common", "genre_features"):
            assert "torch" not in names, path


def test_no_import_runs_in_a_circle():
    paths = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in SOURCES}
    graph = {name: set(imported_modules(path)) & set(paths) for name, path in paths.items()}
    assert sum(map(len, graph.values())) > len(paths)
    list(graphlib.TopologicalSorter(graph).static_order())  # CycleError names the circle


def test_links_of_the_guides_lead_somewhere():
    links = [
        ((ROOT / guide).parent / link).exists() or link
        for guide in GUIDES
        for link in re.findall(r"\]\(([^)#]+)\)", read(guide))
        if "://" not in link
    ]
    assert True in links
    assert not set(links) - {True}


def test_commands_of_the_guides_exist_with_their_options():
    text = re.sub(r"\\\n\s*", "", "\n".join(map(read, GUIDES)))
    commands = re.findall(r"python (\w+\.py|-m [\w.]+)(.*)", text)
    assert {script for script, _ in commands} >= {"GenreFeatureData.py", "predict.py"}
    for script, rest in commands:
        if script.endswith(".py"):
            known = run(script, "--help")[0]
            for option in re.findall(r"(?<=\s)--[a-z][a-z0-9-]*", rest.partition("`")[0]):
                assert option in known, f"{script}{rest}"
        elif (module := script.removeprefix("-m ")).partition(".")[0] in PACKAGES:
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
