"""What a user may rely on about the memory of long work."""

import ctypes
import subprocess
import sys

import pytest
from helpers import ROOT

COUNT_PAGES = """
import resource
from common.memory import keep_freed_memory

keep_freed_memory()
for block in range(10):
    if block == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    b"x" * 2**26
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="glibc alone"
)
def test_memory_of_one_batch_is_used_again_for_the_next():
    command = [sys.executable, "-c", COUNT_PAGES]
    n_pages = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert int(n_pages) < 2**26 // 4096  # of nine blocks, less than a single block has
