"""Work spread over the cores of this machine, or over the machines of a Dask cluster."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from threadpoolctl import ThreadpoolController

from plumbing.inputs import InputError

# glibc then reuses a clip's memory for the next clip. Fetching fresh pages from the system for
# every clip takes a quarter of the time. Bytes.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**28), "MALLOC_TRIM_THRESHOLD_": str(2**29)}


def attempt(function, *arguments):
    """Return (result, None) of a call, or (None, message) if its input can't be used."""
    try:
        return function(*arguments), None
    except (InputError, OSError) as error:
        return None, str(error)
    except MemoryError:
        return None, f"{arguments[0]} takes more memory than there is"


def spread(function, calls, jobs=-1, scheduler=None):
    """Yield `attempt(function, *call)` for every call, in order, from parallel processes.

    Each process uses one thread: all cores are busy, and sums don't depend on `jobs`.

    Parameters
    ----------
    function : callable
        From an importable module, which is loaded here before the processes start.
    calls : iterable of tuple
    jobs : int
        Number of processes; -1 for one per core. On a cluster its workers decide.
    scheduler : str, optional
        Address of a Dask scheduler, as in ``tcp://10.0.0.1:8786``. Its workers must see the same
        files under the same paths.

    Raises
    ------
    InputError
        There is no such scheduler, or the library for it isn't installed.
    """
    if scheduler:
        yield from spread_over_cluster(function, calls, scheduler)
    elif jobs == 1:
        libraries = ThreadpoolController()
        for call in calls:
            with libraries.limit(limits=1):
                outcome = attempt(function, *call)
            yield outcome
    else:
        import joblib  # imported here: one file alone doesn't wait for it

        os.environ.update({name: os.environ.get(name, size) for name, size in KEEP_MEMORY.items()})
        with joblib.parallel_config("loky", inner_max_num_threads=1):
            yield from joblib.Parallel(n_jobs=jobs, return_as="generator")(
                joblib.delayed(attempt)(function, *call) for call in calls
            )


def spread_over_cluster(function, calls, scheduler):
    """Yield `attempt(function, *call)` for every call, in order, from a Dask cluster."""
    try:
        import distributed
        import joblib
    except ImportError:
        raise InputError(
            "--scheduler needs Dask: run pip install -r requirements/dask.txt"
        ) from None
    try:
        client = distributed.Client(scheduler, timeout="10s")
    except (OSError, ValueError) as error:
        raise InputError(f"no Dask scheduler answers at {scheduler}: {error}") from None
    with client:
        upload_packages(client, {attempt.__module__, function.__module__})
        with joblib.parallel_config("dask"):
            yield from joblib.Parallel(return_as="generator")(
                joblib.delayed(with_one_thread)(function, *call) for call in calls
            )


def upload_packages(client, modules):
    """Copy the packages of some modules to a cluster's workers, which needn't have the project."""
    for package in sorted({module.partition(".")[0] for module in modules}):
        folder = Path(sys.modules[package].__file__).parent
        with tempfile.TemporaryDirectory() as name:
            archive = shutil.make_archive(f"{name}/{package}", "zip", folder.parent, package)
            client.upload_file(archive)


def with_one_thread(function, *arguments):
    """Return `attempt(function, *arguments)`, with one thread for numpy's libraries."""
    with ThreadpoolController().limit(limits=1):
        return attempt(function, *arguments)
