"""Work spread over the cores of this machine, or over the machines of a Dask cluster."""

import collections
import contextlib
import math
import multiprocessing.connection
import multiprocessing.resource_tracker
import os
import signal
import threading
from pathlib import Path

from threadpoolctl import ThreadpoolController

from plumbing.inputs import InputError, attempt

# glibc then reuses a clip's memory for the next clip. Fetching fresh pages from the system for
# every clip takes a quarter of the time. Bytes.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**28), "MALLOC_TRIM_THRESHOLD_": str(2**29)}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
HELD = 4  # calls of each process whose results may wait for those of earlier calls
MOST_PROCESSES = 60 if os.name == "nt" else 10_000  # Windows can't wait for more


def spread(function, calls, jobs=-1, scheduler=None):
    """Yield `attempt(function, *call)` for every call, in order, from parallel processes.

    Each process uses one thread: all cores are busy, and sums don't depend on `jobs`. Calls are
    made a little ahead of the results that are taken, and the processes end with this one.

    Parameters
    ----------
    function : callable
        From an importable module.
    calls : iterable of tuple
    jobs : int
        Number of processes; -1 for one per core. On a cluster its workers decide.
    scheduler : str, optional
        Address of a Dask scheduler, as in ``tcp://10.0.0.1:8786``. Its workers must see the same
        files under the same paths.

    Raises
    ------
    InputError
        A process was killed; or there is no such scheduler, no longer, or no library for it.
    """
    if scheduler:
        from plumbing.cluster import spread_over_cluster  # with modules that few need

        yield from spread_over_cluster(function, calls, scheduler)
    elif jobs == 1:
        libraries = ThreadpoolController()
        for call in calls:
            with libraries.limit(limits=1):
                outcome = attempt(function, *call)
            yield outcome
    else:
        yield from spread_over_processes(function, calls, n_cores() if jobs == -1 else jobs)


# Processes


def n_cores():
    """Return the number of cores that this process may use."""
    n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):  # the share of a container
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        n = min(n, math.ceil(int(quota) / int(period)))
    return n


class Worker:
    """A process that answers calls one by one, and ends when this process does."""

    def __init__(self, function):
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=serve, args=(other, function), daemon=True)
        with surroundings():
            self.process.start()
        other.close()

    def receive(self, call):
        """Return the answer to a call."""
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            status = self.process.exitcode
            how = f"was killed by signal {-status}" if status < 0 else f"ended in status {status}"
            raise InputError(
                f"the process that worked on {call[0]} {how}: run the same command again, with a "
                "smaller --jobs if memory is short"
            ) from None

    def stop(self):
        self.pipe.close()
        self.process.terminate()
        self.process.join()


def serve(pipe, function):
    """Answer the calls that come through a pipe, until its other end is closed."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send(attempt(function, *pipe.recv()))


def end_with_parent():
    """End this process as soon as the one that started it has ended, however it did."""
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


@contextlib.contextmanager
def surroundings():
    """Set what processes inherit that start in the block: one thread, kept memory, no Ctrl-C."""
    before = dict(os.environ)
    os.environ.update(KEEP_MEMORY | before | dict.fromkeys(THREADS, "1"))
    masks = hasattr(signal, "pthread_sigmask")
    if masks:  # Ctrl-C reaches all processes: the main one ends the others
        multiprocessing.resource_tracker.ensure_running()  # it would unmask Ctrl-C when it starts
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def spread_over_processes(function, calls, n_processes):
    """Yield `attempt(function, *call)` for every call, in order, from so many processes."""
    calls, n_processes = iter(calls), min(n_processes, MOST_PROCESSES)
    idle, busy = [], {}
    outcomes = collections.deque()  # of the calls made, in order; each a list, empty at first
    with contextlib.ExitStack() as stack:
        while True:
            while (
                len(busy) < n_processes
                and len(outcomes) < HELD * n_processes
                and (call := next(calls, None))
            ):
                if not idle:
                    idle.append(Worker(function))
                    stack.callback(idle[-1].stop)
                worker = idle.pop()
                outcomes.append([])
                busy[worker.pipe] = worker, call, outcomes[-1]
                worker.pipe.send(call)
            if not outcomes:
                return
            timeout = 0 if outcomes[0] else None
            for pipe in multiprocessing.connection.wait(busy, timeout):
                worker, call, outcome = busy.pop(pipe)
                outcome.append(worker.receive(call))
                idle.append(worker)
            if outcomes[0]:
                yield outcomes.popleft()[0]
