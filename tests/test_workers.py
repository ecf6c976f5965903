"""What a user may rely on when work is spread over cores, or over a Dask cluster."""

import json
import subprocess
import sys
import time

import pytest
from helpers import assert_one_line, contents, extract

from genre_features import extraction
from plumbing.inputs import InputError
from plumbing.workers import attempt, spread


def divide(a, b):
    """Divide; what can't be divided is the user's to correct."""
    if not b:
        raise InputError(f"{a} can't be divided")
    return a / b


def test_results_and_problems_come_in_the_order_of_the_calls():
    calls = [(1, 2), (1, 0), (3, 4)]
    expected = [(0.5, None), (None, "1 can't be divided"), (0.75, None)]
    assert list(spread(divide, calls, jobs=1)) == expected
    assert [attempt(divide, *call) for call in calls] == expected


def test_calls_are_made_one_after_the_other_as_results_are_taken():
    made = []
    outcomes = spread(lambda call: made.append(call), ((call,) for call in range(5)), jobs=1)
    next(outcomes)
    assert made == [0]


def test_missing_file_is_a_problem_of_its_own_and_a_bug_is_none(tmp_path):
    assert attempt((tmp_path / "missing").read_bytes)[0] is None
    assert "missing" in attempt((tmp_path / "missing").read_bytes)[1]
    with pytest.raises(ZeroDivisionError):
        attempt(divmod, 1, 0)


# A cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Start a scheduler and two workers on this machine; return its address and the workers."""
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("cluster")
    place, processes = folder / "scheduler.json", []

    def start(*arguments):
        command = [sys.executable, "-m", "dask", *arguments, "--scheduler-file", place]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        processes.append(subprocess.Popen(command, cwd=folder, **quiet))

    start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    for _ in range(2):
        start("worker", "--no-nanny", "--nthreads", "1", "--no-dashboard")
    while not place.exists():
        assert processes[0].poll() is None
        time.sleep(0.05)
    yield json.loads(place.read_text())["address"], processes[1:]
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


def test_scheduler_that_does_not_answer_is_said_in_one_line(corpus, tmp_path):
    pytest.importorskip("distributed")
    _, stderr = extract(corpus, tmp_path, "--scheduler", "nowhere://1", status=2)
    assert_one_line(stderr.splitlines()[-1], "no Dask scheduler answers at nowhere://1")


def test_without_dask_it_is_said_how_to_install_it(corpus, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    _, stderr = extract(corpus, tmp_path, "--scheduler", "tcp://127.0.0.1:1", status=2)
    assert_one_line(stderr.splitlines()[-1], "requirements/dask.txt")
