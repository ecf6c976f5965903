"""What a user may rely on when features are extracted on a Dask cluster."""

import json
import subprocess
import sys
import time

import pytest
from conftest import assert_one_line, contents, extract

from genre_features import extraction

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Start a scheduler and two workers on this machine; return its address and the workers."""
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
    _, stderr = extract(corpus, tmp_path, "--scheduler", "nowhere://1", status=2)
    assert_one_line(stderr.splitlines()[-1], "no Dask scheduler answers at nowhere://1")
