"""Memory that a process keeps for itself."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # glibc's malloc.h


def keep_freed_memory():
    """Let this process keep freed memory, to use it again for the next clip or batch.

    glibc, the C library of most Linux systems, returns large blocks to the system, and fetching
    fresh pages for every batch takes up to a third of a training's time. With other C libraries,
    this does nothing.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt:
            mallopt(M_MMAP_MAX, 0)
            mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
