"""Work spread over the cores of this machine, or over the machines of a Dask cluster."""

import contextlib
import itertools
import math
import multiprocessing.connection
import multiprocessing.resource_tracker
import os
import signal
import sys
import threading
from pathlib import Path

from common.cluster import map_on_cluster, with_one_thread
from common.errors import InputError, try_call
from common.memory import keep_freed_memory

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
MAX_PENDING = 4  # calls of each process whose results may wait for those of earlier calls
MAX_PROCESSES = 60 if os.name == "nt" else 10_000  # Windows can't wait for more


def parallel_map(function, calls, jobs=None, dask=None):
    """Yield `try_call(function, *call)` for every call, in order, from parallel processes.

    Each process uses one thread: all cores are busy, and sums don't depend on `jobs`. Calls are
    made a little ahead of the results that are taken. When the generator is closed, each process
    ends after its call; when this process dies, they end at once.

    Parameters
    ----------
    function : callable
        From an importable module.
    calls : iterable of tuple
    jobs : int, optional
        Number of processes; by default one per core. On a cluster its workers decide.
    dask : str, optional
        Address of a Dask scheduler, as in ``tcp://10.0.0.1:8786``. Its workers must see the same
        files under the same paths.

    Raises
    ------
    InputError
        A process was killed; or no scheduler answers, or Dask isn't installed.
    """
    if dask:
        yield from map_on_cluster(function, calls, dask)
    elif jobs == 1:
        yield from (with_one_thread(function, *call) for call in calls)
    else:
        yield from map_in_processes(function, calls, min(jobs or n_cores(), MAX_PROCESSES))


def n_cores():
    """Return the number of cores that this process may use."""
    n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):  # the limit of a container
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        n = min(n, math.ceil(int(quota) / int(period)))
    return n


def map_in_processes(function, calls, n_processes):
    """Yield `try_call(function, *call)` for every call, in order, from so many processes.

    Each process has a pipe of its own. With a queue for all, as in the standard library's pools, a
    process that is killed while it sends a result makes the others wait for the rest for ever.
    """
    calls, results = enumerate(calls), {}
    workers, idle, busy = [], [], {}  # (process, pipe); pipes; number and call of each other pipe
    try:
        for number in itertools.count():
            while number not in results:
                n_ahead = MAX_PENDING * n_processes - len(results)
                while len(busy) < min(n_processes, n_ahead) and (item := next(calls, None)):
                    if not idle:
                        workers.append(start_worker(function))
                        idle.append(workers[-1][1])
                    pipe = idle.pop()
                    busy[pipe] = item
                    with contextlib.suppress(OSError):  # a killed process; next_result says so
                        pipe.send(item[1])
                if not busy:
                    return
                for pipe in multiprocessing.connection.wait(busy):
                    results[busy[pipe][0]] = next_result(pipe, busy[pipe][1])
                    del busy[pipe]
                    idle.append(pipe)
            yield results.pop(number)
    finally:
        for _, pipe in workers:
            pipe.close()  # a process ends when it has nothing to receive, or can't send
        for process, _ in workers:
            process.join()


def start_worker(function):
    """Start a process that makes calls of a function; return it and the pipe to it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(function, theirs), daemon=True)
    with worker_environment():
        process.start()
    theirs.close()  # the process then has the only copy: its death ends the pipe
    return process, ours


def serve(function, pipe):
    """Make the calls that a pipe holds, and send their results, until its other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Windows; elsewhere it is blocked already
    threading.Thread(target=exit_with_parent, daemon=True).start()
    keep_freed_memory()
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send(try_call(function, *pipe.recv()))


def exit_with_parent():
    """End this process as soon as the one that started it has ended."""
    multiprocessing.parent_process().join()
    os._exit(1)


def next_result(pipe, call):
    """Return the result of a call from a pipe; InputError if its process was killed."""
    try:
        return pipe.recv()
    except (EOFError, OSError):
        raise InputError(
            f"a process was killed that worked on {call[0]}: run the same command again, with a "
            "smaller --jobs if memory is short"
        ) from None


@contextlib.contextmanager
def worker_environment():
    """Set what processes inherit that start in the block: one thread, and no Ctrl-C.

    And no script: each would import it, which may take as long as torch, to call a function of
    another module.
    """
    before, masks = dict(os.environ), hasattr(signal, "pthread_sigmask")
    main = vars(sys.modules["__main__"])
    script = {name: main[name] for name in ("__file__", "__spec__") if name in main}
    main.update(dict.fromkeys(script))
    os.environ.update(before | dict.fromkeys(THREADS, "1"))
    if masks:  # Ctrl-C reaches all processes: the main one ends the others
        multiprocessing.resource_tracker.ensure_running()  # it would unmask Ctrl-C when it starts
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        main.update(script)
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
