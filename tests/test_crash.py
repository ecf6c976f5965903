"""What a user may rely on when a script is killed, stopped or started twice."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT, assert_one_line, contents, extract, extraction_line, train

from genre_features import extraction, journal
from plumbing.files import alone


@pytest.fixture
def stop_after(monkeypatch):
    """Return a function that has an extraction stopped with Ctrl-C after so many clips."""

    def stop(n_clips):
        real, left = extraction.spread, iter(range(n_clips))

        def spread(*arguments):
            for found in real(*arguments):
                if next(left, None) is None:
                    raise KeyboardInterrupt
                yield found

        monkeypatch.setattr(extraction, "spread", spread)

    yield stop
    monkeypatch.undo()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks")
def test_scripts_killed_at_any_moment_go_on_and_end_as_if_never_killed():
    command = [sys.executable, ROOT / "tests" / "crash.py", "--kills", "2"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("as undisturbed") == 2


def test_stopped_extraction_says_so_keeps_the_old_cache_and_goes_on(
    corpus, features, tmp_path, stop_after, monkeypatch
):
    output = tmp_path / "out"
    extract(corpus, output, "--hop-length", 1024)
    old = contents(output)
    stop_after(5)
    _, stderr = extract(corpus, output, status=130)
    assert stderr.splitlines()[-1].startswith("Stopped after 5 of 21 clips")
    assert contents(output) == old
    monkeypatch.undo()
    extracted = []
    real = extraction.extract_clip
    monkeypatch.setattr(
        extraction, "extract_clip", lambda *call: extracted.append(call) or real(*call)
    )
    extract(corpus, output)
    assert len(extracted) == 16
    assert contents(output) == contents(features)
    assert not list(output.glob(".part-*"))


@pytest.mark.parametrize("change", ["audio", "settings", "array", "journal"])
def test_nothing_is_kept_of_a_stopped_extraction_of_something_else(
    corpus, tmp_path, stop_after, monkeypatch, change
):
    output, dataset = tmp_path / "out", tmp_path / "corpus"
    dataset.symlink_to(corpus)
    stop_after(20)
    extract(dataset, output, *["--hop-length", 1024] * (change == "settings"), status=130)
    monkeypatch.undo()
    if change == "audio":
        dataset.unlink()
        paths = sorted(corpus.rglob("*.wav"))
        for path, other in zip(paths, paths[1:] + paths[:1], strict=True):
            copy = dataset / path.relative_to(corpus)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(other.read_bytes())
    if change == "array":
        journal.unfinished(output, "train").write_bytes(b"short")
    if change == "journal":
        (output / journal.NAME).write_text("no journal")
    extract(dataset, output)
    undisturbed = tmp_path / "undisturbed"
    extract(dataset, undisturbed)
    assert contents(output) == contents(undisturbed)


def test_second_extraction_into_a_folder_is_told_who_is_at_work_there(corpus, tmp_path):
    with alone(tmp_path):
        _, stderr = extract(corpus, tmp_path, status=2)
    assert_one_line(stderr, f"process {os.getpid()}", "is writing to", tmp_path)
    assert not contents(tmp_path)


def test_second_training_into_a_folder_is_told_who_is_at_work_there(features, tmp_path):
    weights = tmp_path / "weights" / "PiecewiseDecay"
    with alone(weights):
        _, stderr = train("PiecewiseDecay", features, tmp_path, "--epochs", 1, status=2)
    assert_one_line(stderr, f"process {os.getpid()}", "is writing to", weights)


def test_folder_is_free_again_once_its_holder_was_killed(tmp_path):
    code = (
        "import os, pathlib, sys, plumbing.files\n"
        "with plumbing.files.alone(pathlib.Path(sys.argv[1])): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT).returncode == 9
    with alone(tmp_path):
        pass


def test_full_disk_ends_an_extraction_in_one_line_and_keeps_the_old_cache(corpus, tmp_path):
    resource = pytest.importorskip("resource", reason="Windows limits no file's size")
    output = tmp_path / "out"
    extract(corpus, output, "--hop-length", 1024)
    old = contents(output)
    limit = (20_000, 20_000)  # bytes, less than the features have
    done = subprocess.run(
        [sys.executable, *extraction_line(corpus, output)],
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert_one_line(done.stderr.split("\r")[-1].strip().splitlines()[-1], "too large")
    assert "Traceback" not in done.stderr
    assert contents(output) == old
