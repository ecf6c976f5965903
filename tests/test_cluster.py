"""What a user may rely on when work is spread over a Dask cluster."""

import contextlib
import json
import subprocess
import sys
import time

import pytest
from helpers import assert_one_line, contents, extract

from genre_features import extraction
from plumbing.inputs import InputError, attempt
from plumbing.workers import spread


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The address of a Dask scheduler on this machine, and the processes of its two workers."""
    with start_cluster(tmp_path_factory.mktemp("cluster")) as (address, _, *workers):
        yield address, workers


@contextlib.contextmanager
def start_cluster(folder, n_workers=2):
    """Start a scheduler and workers on this machine; yield its address and all processes."""
    pytest.importorskip("distributed")
    place, processes = folder / "scheduler.json", []

    def start(*arguments):
        command = [sys.executable, "-m", "dask", *arguments, "--scheduler-file", place]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        processes.append(subprocess.Popen(command, cwd=folder, **quiet))

    start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    for _ in range(n_workers):
        start("worker", "--no-nanny", "--nthreads", "1", "--no-dashboard")
    while not place.exists() or not place.read_text():
        assert processes[0].poll() is None
        time.sleep(0.05)
    try:
        yield json.loads(place.read_text())["address"], *processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_cluster_writes_the_bytes_of_one_process(corpus, features, cluster, tmp_path):
    extract(corpus, tmp_path, "--scheduler", cluster[0])
    assert contents(tmp_path) == contents(features)


def test_worker_that_dies_midway_loses_nothing(corpus, features, cluster, tmp_path, monkeypatch):
    address, workers = cluster
    real = extraction.spread

    def spread(*arguments):
        for n_done, found in enumerate(real(*arguments), 1):
            if n_done == 2:
                workers[0].kill()
            yield found

    monkeypatch.setattr(extraction, "spread", spread)
    extract(corpus, tmp_path, "--scheduler", address)
    assert workers[0].wait() != 0
    assert contents(tmp_path) == contents(features)


def test_scheduler_that_goes_away_midway_is_said_in_one_line(tmp_path):
    with start_cluster(tmp_path, n_workers=1) as (address, scheduler, _):
        outcomes = spread(attempt, ((abs, n) for n in range(1000)), scheduler=address)
        assert next(outcomes) == ((0, None), None)
        scheduler.kill()
        with pytest.raises(InputError, match=f"^the Dask scheduler at {address} went away"):
            list(outcomes)


def test_it_is_said_that_no_worker_has_joined_yet(tmp_path, capsys):
    with start_cluster(tmp_path, n_workers=1) as (address, *_):
        outcomes = spread(attempt, [(abs, -1)], scheduler=address)  # the worker takes a second
        assert list(outcomes) == [((1, None), None)]
    assert_one_line(capsys.readouterr().err, f"Waiting for workers to join {address}")


def test_scheduler_that_does_not_answer_is_said_in_one_line(corpus, tmp_path):
    pytest.importorskip("distributed")
    _, stderr = extract(corpus, tmp_path, "--scheduler", "nowhere://1", status=2)
    assert_one_line(stderr.splitlines()[-1], "no Dask scheduler answers at nowhere://1")


def test_without_dask_it_is_said_how_to_install_it(corpus, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    _, stderr = extract(corpus, tmp_path, "--scheduler", "tcp://127.0.0.1:1", status=2)
    assert_one_line(stderr.splitlines()[-1], "requirements/dask.txt")
