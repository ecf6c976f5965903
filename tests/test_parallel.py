"""What a user may rely on when work is spread over processes."""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys

import pytest
from helpers import ROOT

from common import parallel
from common.errors import InputError, try_call
from common.parallel import parallel_map


def divide(a, b):
    """Divide; what can't be divided is the user's to correct."""
    if not b:
        raise InputError(f"{a} can't be divided")
    return a / b


def test_results_and_problems_come_in_the_order_of_the_calls():
    calls = [(1, 2), (1, 0), (3, 4)]
    expected = [(0.5, None), (None, "1 can't be divided"), (0.75, None)]
    assert list(parallel_map(divide, calls, jobs=1)) == expected
    assert [try_call(divide, *call) for call in calls] == expected


def test_calls_are_made_one_after_the_other_as_results_are_taken():
    made = []
    outcomes = parallel_map(lambda call: made.append(call), ((call,) for call in range(5)), jobs=1)
    next(outcomes)
    assert made == [0]


def test_processes_answer_in_the_order_of_the_calls(tmp_path):
    (tmp_path / "3 bytes").write_bytes(b"abc")
    names = ["3 bytes", "missing", "3 bytes"] * 5
    outcomes = list(parallel_map(os.path.getsize, [(tmp_path / name,) for name in names], jobs=2))
    assert [size for size, _ in outcomes] == [3, None, 3] * 5
    assert all("missing" in problem for size, problem in outcomes if size is None)


def test_calls_are_made_only_a_little_ahead_of_the_results_that_are_taken():
    made = []
    outcomes = parallel_map(abs, ((made.append(n) or n,) for n in range(1000)), jobs=2)
    for n in range(3):
        assert next(outcomes) == (n, None)
        assert len(made) <= 2 * parallel.MAX_PENDING + n
    outcomes.close()


def test_no_more_processes_are_started_than_there_are_calls(monkeypatch):
    started, start = [], multiprocessing.get_context("spawn").Process.start
    monkeypatch.setattr(
        multiprocessing.get_context("spawn").Process,
        "start",
        lambda process: started.append(start(process)),
    )
    assert list(parallel_map(abs, [(-1,)], jobs=50)) == [(1, None)]
    assert len(started) == 1


def test_process_uses_one_thread_and_this_one_keeps_its_environment():
    before = dict(os.environ)
    assert list(parallel_map(os.getenv, [("OPENBLAS_NUM_THREADS",)], jobs=2)) == [("1", None)]
    assert dict(os.environ) == before


def test_killed_process_is_said_with_the_file_that_it_worked_on(tmp_path):
    killer = tmp_path / "killer.py"
    killer.write_text("import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
    (tmp_path / "harmless.py").touch()
    calls = [(tmp_path / "harmless.py",), (killer,), (tmp_path / "harmless.py",)]
    with pytest.raises(
        InputError, match=rf"^a process was killed that worked on .*{killer}.* --jobs"
    ):
        list(parallel_map(runpy.run_path, calls, jobs=2))


def test_system_without_semaphores_is_said_to_need_one_job(monkeypatch):
    def fail(*_, **__):
        raise NotImplementedError("this system lacks semaphores")

    monkeypatch.setattr(parallel.concurrent.futures, "ProcessPoolExecutor", fail)
    with pytest.raises(InputError, match=r"lacks semaphores.*--jobs 1"):
        list(parallel_map(abs, [(1,)], jobs=2))


SLEEPERS = """
import time
from common.cli import run_script
from common.parallel import parallel_map

def main():
    calls = [(0,)] * 2 + [(1000,)] * 10
    for _ in parallel_map(time.sleep, calls, jobs=2):
        print("done", flush=True)

run_script(main)
"""


@pytest.mark.skipif(os.name != "posix", reason="Windows sends signals otherwise")
@pytest.mark.parametrize("stop", ["killed", "Ctrl-C"])
def test_processes_end_with_the_main_one_however_it_ends(stop):
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPERS],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert [process.stdout.readline() for _ in range(2)] == [b"done\n"] * 2
    if stop == "killed":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGINT)
    # The streams are at an end when all processes are that hold them.
    stdout, stderr = process.communicate(timeout=100)
    assert (stdout, stderr.count(b"Traceback")) == (b"", 0)
    # After a kill, Python's resource tracker says that it cleans up.
    assert not stderr or stop == "killed"
    assert process.returncode == (-9 if stop == "killed" else 130)
