"""What a user may rely on when work is spread over processes."""

import os
import runpy
import signal
import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path

import pytest
from helpers import ROOT

from common import parallel
from common.errors import InputError, try_call
from common.parallel import parallel_map


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_and_problems_come_in_the_order_of_the_calls(tmp_path, jobs):
    (tmp_path / "3 bytes").write_bytes(b"abc")
    calls = [(tmp_path / name,) for name in ["3 bytes", "missing", "3 bytes"] * 5]
    outcomes = list(parallel_map(os.path.getsize, calls, jobs))
    assert outcomes == [try_call(os.path.getsize, *call) for call in calls]
    assert [size for size, _ in outcomes] == [3, None, 3] * 5


@pytest.mark.parametrize("jobs", [1, 2])
def test_calls_are_made_only_a_little_ahead_of_the_results_that_are_taken(jobs):
    made = []
    # The first call is slow: results mustn't pile up behind it.
    naps = ((made.append(n) or 0.3 * (n == 0),) for n in range(1000))
    outcomes = parallel_map(time.sleep, naps, jobs)
    for n in range(20):
        assert next(outcomes) == (None, None)
        assert len(made) <= jobs * parallel.MAX_PENDING + n
    outcomes.close()


def test_no_more_processes_are_started_than_there_are_calls():
    outcomes = parallel_map(abs, [(-1,), (-2,)], jobs=50)
    assert next(outcomes) == (1, None)
    assert len(active_children()) <= 2
    assert list(outcomes) == [(2, None)]
    assert not active_children()


def test_process_uses_one_thread_and_this_one_keeps_its_environment():
    before = dict(os.environ)
    assert list(parallel_map(os.getenv, [("OPENBLAS_NUM_THREADS",)], jobs=2)) == [("1", None)]
    assert dict(os.environ) == before


@pytest.mark.parametrize("n_bytes", [1, 10**7])
def test_killed_process_is_named_with_the_file_that_it_worked_on(tmp_path, n_bytes):
    for name, code in (("harmless", "pass"), ("killer", "os.kill(os.getpid(), signal.SIGTERM)")):
        text = f"import os, signal; content = bytes({n_bytes}); {code}; del os, signal"
        (tmp_path / f"{name}.py").write_text(text)
    names = ["harmless", "harmless", "killer", "harmless", "harmless"]
    calls = [(tmp_path / f"{name}.py",) for name in names]
    with pytest.raises(InputError, match=r"a process was killed .*killer\.py.* --jobs"):
        list(parallel_map(runpy.run_path, calls, jobs=2))
    assert not active_children()


WORK = """
import signal
from common.cli import run_script
from common.parallel import parallel_map

def main():
    for _ in parallel_map(bytes, [(10**6,)] * 10_000, jobs=3):
        print("done", flush=True)

signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore Ctrl-C
run_script(main)
"""


def start_work():
    """Start a script that prints a line for each result, and wait for the first."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORK],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout.readline() == b"done\n"
    return process


@pytest.mark.skipif(os.name != "posix", reason="Windows sends signals otherwise")
@pytest.mark.parametrize("seconds", [0, 0.05])
def test_interrupted_work_ends_soon_without_a_word(seconds):
    process = start_work()
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    # The streams are at an end when all processes are that hold them.
    _, stderr = process.communicate(timeout=300)
    assert (process.returncode, stderr) == (130, b"")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
def test_work_of_which_a_process_is_killed_ends_soon_in_one_line():
    process = start_work()
    _, *workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(workers[-1]), signal.SIGKILL)
    _, stderr = process.communicate(timeout=300)
    assert (process.returncode, stderr.count(b"\n")) == (2, 1)
    assert b"a process was killed" in stderr


@pytest.mark.skipif(os.name != "posix", reason="Windows sends signals otherwise")
def test_processes_end_when_the_main_one_is_killed():
    process = start_work()
    process.kill()
    assert process.communicate(timeout=300)[1] == b""
