"""What a user may rely on when work is spread over a Dask cluster."""

import contextlib
import json
import subprocess
import sys
import time

import pytest
from helpers import assert_one_line, contents, extract, predict

from common import cluster
from common.errors import escape_controls
from common.parallel import parallel_map

WORKER = ("worker", "--no-nanny", "--nthreads", "1", "--no-dashboard")


def start_dask(folder, *arguments):
    """Start a process of a cluster, whose scheduler writes its address to the folder."""
    place = folder / "scheduler.json"
    command = [sys.executable, "-m", "dask", *arguments, "--scheduler-file", place]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=folder, **quiet)


@contextlib.contextmanager
def start_cluster(folder):
    """Start a scheduler and a worker on this machine; yield its address and its processes."""
    pytest.importorskip("distributed")
    place = folder / "scheduler.json"
    scheduler = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    processes = [start_dask(folder, *scheduler), start_dask(folder, *WORKER)]
    try:
        while not place.exists() or not place.read_text():
            assert processes[0].poll() is None
            time.sleep(0.05)
        yield json.loads(place.read_text())["address"], processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_cluster_that_loses_all_workers_waits_and_one_that_loses_its_scheduler_is_named(
    corpus, features, tmp_path, monkeypatch, after_clips, capfd
):
    said = []

    def lose_the_worker():
        processes[1].kill()
        monkeypatch.setattr(cluster.tqdm, "write", say_and_start_a_worker)

    def say_and_start_a_worker(message, file):
        said.append(message)
        processes.append(start_dask(tmp_path, *WORKER))

    monkeypatch.setattr(cluster, "PATIENCE", 0.1)
    with start_cluster(tmp_path) as (address, processes):
        after_clips(2, lose_the_worker)
        extract(corpus, tmp_path / "out", "--dask", address)
        assert set(said) == {f"Waiting for workers to join {address} (dask worker)."}
        assert contents(tmp_path / "out") == contents(features)  # as of one process
        after_clips(2, processes[0].kill)
        _, stderr = extract(corpus, tmp_path / "again", "--dask", address, status=2)
    last = stderr.splitlines()[-1]
    assert_one_line(last, f"the Dask scheduler at {address} went away", "run the same command")
    assert "Traceback" not in stderr + capfd.readouterr().err


def test_files_get_the_predictions_of_one_process_a_few_at_a_time(corpus, weights, tmp_path):
    line, numbers = (corpus / "hum", "--weights", weights, "--json"), iter(range(10**9))
    with start_cluster(tmp_path) as (address, _):
        assert predict(*line, "--dask", address)[0] == predict(*line, "--jobs", 1)[0]
        outcomes = parallel_map(escape_controls, ((n,) for n in numbers), dask=address)
        assert [next(outcomes) for _ in range(3)] == [("0", None), ("1", None), ("2", None)]
        outcomes.close()
    assert next(numbers) < 200


def test_scheduler_or_library_that_is_not_there_prints_one_line_error(
    corpus, tmp_path, monkeypatch
):
    pytest.importorskip("distributed")
    _, stderr = extract(corpus, tmp_path, "--dask", "nowhere://1", status=2)
    assert_one_line(stderr.splitlines()[-1], "no Dask scheduler answers at nowhere://1")
    monkeypatch.setitem(sys.modules, "distributed", None)
    _, stderr = extract(corpus, tmp_path, "--dask", "tcp://127.0.0.1:1", status=2)
    assert_one_line(stderr.splitlines()[-1], "pip install distributed")
