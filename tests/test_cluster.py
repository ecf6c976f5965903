"""What a user may rely on when work is spread over a Dask cluster."""

import contextlib
import json
import subprocess
import sys
import time

import pytest
from helpers import assert_one_line, contents, extract

from common.errors import try_call
from common.parallel import parallel_map
from genre_features import extraction


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The address of a Dask scheduler on this machine, and the processes of its two workers."""
    with start_cluster(tmp_path_factory.mktemp("cluster")) as (address, _, *workers):
        yield address, workers


WORKER = ("worker", "--no-nanny", "--nthreads", "1", "--no-dashboard")


def start_dask(folder, *arguments):
    """Start a process of a cluster, whose scheduler writes its address to the folder."""
    place = folder / "scheduler.json"
    command = [sys.executable, "-m", "dask", *arguments, "--scheduler-file", place]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=folder, **quiet)


@contextlib.contextmanager
def start_cluster(folder, n_workers=2):
    """Start a scheduler and workers on this machine; yield its address and all processes."""
    pytest.importorskip("distributed")
    place = folder / "scheduler.json"
    scheduler = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    processes = [start_dask(folder, *scheduler)]
    processes += [start_dask(folder, *WORKER) for _ in range(n_workers)]
    while not place.exists() or not place.read_text():
        assert processes[0].poll() is None
        time.sleep(0.05)
    try:
        yield json.loads(place.read_text())["address"], *processes
    finally:
        end(*processes)


def end(*processes):
    """Kill processes."""
    for process in processes:
        process.kill()
        process.wait()


def test_cluster_writes_the_bytes_of_one_process(corpus, features, cluster, tmp_path):
    extract(corpus, tmp_path, "--dask", cluster[0])
    assert contents(tmp_path) == contents(features)


def test_worker_that_dies_midway_loses_nothing(corpus, features, cluster, tmp_path, monkeypatch):
    address, workers = cluster
    real = extraction.parallel_map

    def parallel_map(*arguments):
        for n_done, found in enumerate(real(*arguments), 1):
            if n_done == 2:
                workers[0].kill()
            yield found

    monkeypatch.setattr(extraction, "parallel_map", parallel_map)
    extract(corpus, tmp_path, "--dask", address)
    assert workers[0].wait() != 0
    assert contents(tmp_path) == contents(features)


def test_scheduler_that_goes_away_midway_prints_one_line_error(
    corpus, tmp_path, monkeypatch, capfd
):
    real = extraction.parallel_map
    with start_cluster(tmp_path, n_workers=1) as (address, scheduler, _):

        def parallel_map(*arguments):
            for outcome in real(*arguments):
                scheduler.kill()
                yield outcome

        monkeypatch.setattr(extraction, "parallel_map", parallel_map)
        _, stderr = extract(corpus, tmp_path / "out", "--dask", address, status=2)
    last = stderr.splitlines()[-1]
    assert_one_line(last, f"the Dask scheduler at {address} went away", "run the same command")
    assert "Traceback" not in stderr + capfd.readouterr().err


def test_missing_workers_are_waited_for_with_a_line(tmp_path, capsys):
    workers = []

    def calls():
        workers.append(start_dask(tmp_path, *WORKER))
        yield abs, -1

    with start_cluster(tmp_path, n_workers=0) as (address, *processes):
        try:
            assert list(parallel_map(try_call, calls(), dask=address)) == [((1, None), None)]
        finally:
            end(*workers, *processes)
    assert_one_line(capsys.readouterr().err, f"Waiting for workers to join {address}")


def test_scheduler_or_library_that_is_not_there_prints_one_line_error(
    corpus, tmp_path, monkeypatch
):
    pytest.importorskip("distributed")
    _, stderr = extract(corpus, tmp_path, "--dask", "nowhere://1", status=2)
    assert_one_line(stderr.splitlines()[-1], "no Dask scheduler answers at nowhere://1")
    monkeypatch.setitem(sys.modules, "distributed", None)
    _, stderr = extract(corpus, tmp_path, "--dask", "tcp://127.0.0.1:1", status=2)
    assert_one_line(stderr.splitlines()[-1], "pip install distributed")
