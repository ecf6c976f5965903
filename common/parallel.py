"""Work spread over the cores of this machine, or over the machines of a Dask cluster."""

import collections
import concurrent.futures
import contextlib
import math
import multiprocessing.connection
import multiprocessing.resource_tracker
import os
import signal
import threading
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from threadpoolctl import ThreadpoolController

from common.cluster import map_on_cluster
from common.errors import InputError, try_call

# glibc then reuses a clip's memory for the next clip: fetching fresh pages from the system for
# every clip takes time. Bytes.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**28), "MALLOC_TRIM_THRESHOLD_": str(2**29)}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
MAX_PENDING = 4  # calls of each process whose results may wait for those of earlier calls
MAX_PROCESSES = 60 if os.name == "nt" else 10_000  # Windows can't wait for more


def parallel_map(function, calls, jobs=None, scheduler=None):
    """Yield `try_call(function, *call)` for every call, in order, from parallel processes.

    Each process uses one thread: all cores are busy, and sums don't depend on `jobs`. Calls are
    made a little ahead of the results that are taken, and the processes end with this one.

    Parameters
    ----------
    function : callable
        From an importable module.
    calls : iterable of tuple
    jobs : int, optional
        Number of processes; by default one per core. On a cluster its workers decide.
    scheduler : str, optional
        Address of a Dask scheduler, as in ``tcp://10.0.0.1:8786``. Its workers must see the same
        files under the same paths.

    Raises
    ------
    InputError
        A process was killed; or there is no such scheduler, no longer, or no library for it.
    """
    if scheduler:
        yield from map_on_cluster(function, calls, scheduler)
    elif jobs == 1:
        libraries = ThreadpoolController()
        for call in calls:
            with libraries.limit(limits=1):
                outcome = try_call(function, *call)
            yield outcome
    else:
        yield from map_in_processes(function, calls, jobs or n_cores())


def n_cores():
    """Return the number of cores that this process may use."""
    n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):  # the share of a container
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        n = min(n, math.ceil(int(quota) / int(period)))
    return n


def map_in_processes(function, calls, world_size):
    """Yield `try_call(function, *call)` for every call, in order, from so many processes."""
    world_size, context = min(world_size, MAX_PROCESSES), multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    held = collections.deque()  # of the calls made, in order, those whose results aren't taken
    with contextlib.ExitStack() as stack:
        try:
            pool = concurrent.futures.ProcessPoolExecutor(
                world_size, context, initializer=exit_with_parent, initargs=(theirs,)
            )
        except NotImplementedError as error:  # a system without semaphores
            raise InputError(f"no parallel processes here ({error}): add --jobs 1") from None
        stack.callback(pool.shutdown, cancel_futures=True)
        stack.callback(ours.close)  # ends the processes, whatever they are doing
        for call in calls:
            with worker_environment():  # a process is started with the first calls
                held.append((call, pool.submit(try_call, function, *call)))
            if len(held) == MAX_PENDING * world_size:
                yield take(held, world_size)
        while held:
            yield take(held, world_size)


def take(held, world_size):
    """Return the result of the first call held; InputError if a process was killed."""
    try:
        result = held[0][1].result()
    except BrokenProcessPool:
        # Which process had which call isn't known; calls are begun in order.
        unfinished = [call[0] for call, future in held if future.exception()][:world_size]
        raise InputError(
            f"a process was killed that worked on {' or '.join(map(str, unfinished))}: run the "
            "same command again, with a smaller --jobs if memory is short"
        ) from None
    held.popleft()
    return result


def exit_with_parent(pipe):
    """End this process as soon as the other end of a pipe is closed, or its process has ended."""

    def watch():
        multiprocessing.connection.wait([pipe])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def worker_environment():
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
