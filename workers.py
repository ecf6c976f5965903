"""Work spread over the cores of this machine, or over the machines of a Dask cluster."""

import os
from pathlib import Path

import joblib
from threadpoolctl import ThreadpoolController

from script_helpers import InputError

# Of glibc: a process keeps the memory of one clip's arrays for the next, instead of fetching fresh
# pages from the system each time, which would take a quarter of the time. Bytes.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**28), "MALLOC_TRIM_THRESHOLD_": str(2**29)}

# What a cluster's workers need of this project to run the functions below.
MODULES = ("script_helpers", "audio_features", "workers")


def spread(function, calls, jobs=-1, scheduler=None):
    """Yield function(*call) for every call, in order, from processes side by side.

    Each takes one thread: the cores are busy, and sums keep their order whatever `jobs` is.

    Parameters
    ----------
    function : callable
        From `audio_features`, if it is to run on a cluster.
    calls : iterable of tuple
    jobs : int
        Processes; -1 for one a core. On a cluster its workers decide.
    scheduler : str, optional
        Address of the Dask scheduler of a cluster, as in ``tcp://10.0.0.1:8786``; its machines
        must see the same files under the same paths.

    Raises
    ------
    InputError
        There is no such scheduler, or the library to reach it with isn't installed.
    """
    if scheduler:
        yield from spread_over_cluster(function, calls, scheduler)
        return
    # Importing it compiles parts of it once. Processes that do so at the same time can leave a
    # damaged cache, from which every later one crashes.
    import librosa.feature.spectral  # noqa: F401

    if jobs == 1:
        libraries = ThreadpoolController()
        for call in calls:
            with libraries.limit(limits=1):
                result = function(*call)
            yield result
        return
    os.environ.update({name: os.environ.get(name, size) for name, size in KEEP_MEMORY.items()})
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        yield from joblib.Parallel(n_jobs=jobs, return_as="generator")(
            joblib.delayed(function)(*call) for call in calls
        )


def spread_over_cluster(function, calls, scheduler):
    """Yield function(*call) for every call, in order, from the workers of a Dask cluster."""
    try:
        import distributed
    except ImportError:
        raise InputError(
            "a cluster needs more libraries: run pip install -r requirements-dask.txt"
        ) from None
    try:
        client = distributed.Client(scheduler, timeout="10s")
    except (OSError, ValueError) as error:
        raise InputError(f"no Dask scheduler answers at {scheduler}: {error}") from None
    with client:
        for module in MODULES:
            client.upload_file(str(Path(__file__).with_name(f"{module}.py")))
        with joblib.parallel_config("dask"):
            yield from joblib.Parallel(return_as="generator")(
                joblib.delayed(with_one_thread)(function, *call) for call in calls
            )


def with_one_thread(function, *arguments):
    """Call a function that may use a single thread, in a process that others started."""
    with ThreadpoolController().limit(limits=1):
        return function(*arguments)
