"""Work spread over the machines of a Dask cluster."""

import collections
import concurrent.futures
import contextlib
import logging
import shutil
import sys
import tempfile
from pathlib import Path

from threadpoolctl import ThreadpoolController
from tqdm import tqdm

from common.errors import InputError, try_call

PATIENCE = 2  # s, that a result is waited for before looking whether any worker is left


def map_on_cluster(function, calls, address):
    """Yield `try_call(function, *call)` for every call, in order, from a Dask cluster.

    `address` is that of its scheduler.
    """
    try:
        import distributed
    except ImportError:
        raise InputError("--dask needs Dask: run pip install distributed") from None
    for name in ("distributed", "distributed.client"):  # whose tracebacks would hide our line
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise InputError(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        upload_packages(client, {try_call.__module__, function.__module__})
        max_pending, pending = max(64, 2 * sum(client.nthreads().values())), collections.deque()
        for call in calls:
            pending.append((client.submit(with_one_thread, function, *call, pure=False), call[0]))
            if len(pending) == max_pending:
                yield next_result(client, *pending.popleft(), address)
        while pending:
            yield next_result(client, *pending.popleft(), address)


def next_result(client, future, name, address):
    """Wait for the result of a call whose first argument has a name, and return it."""
    import distributed

    is_announced = False
    try:
        while True:
            with contextlib.suppress(TimeoutError):
                return future.result(PATIENCE)
            if not is_announced and not client.nthreads():
                note = f"Waiting for workers to join {address} (dask worker)."
                tqdm.write(note, file=sys.stderr)  # on a line of its own, above a progress bar
                is_announced = True
    except distributed.scheduler.KilledWorker:
        what = f"workers of the cluster died at {name}"
    except (OSError, concurrent.futures.CancelledError):
        what = f"the Dask scheduler at {address} went away"
    raise InputError(f"{what}: run the same command again")


def upload_packages(client, modules):
    """Copy the packages of some modules to a cluster's workers, which needn't have the project."""
    for package in sorted({module.partition(".")[0] for module in modules}):
        folder = Path(sys.modules[package].__file__).parent
        with tempfile.TemporaryDirectory() as name:
            archive = shutil.make_archive(f"{name}/{package}", "zip", folder.parent, package)
            client.upload_file(archive)


def with_one_thread(function, *arguments):
    """Return `try_call(function, *arguments)`, with one thread for numpy's libraries."""
    with ThreadpoolController().limit(limits=1):
        return try_call(function, *arguments)
