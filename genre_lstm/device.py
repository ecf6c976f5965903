"""The computing device: which one, how it stays fast, and errors for lack of its memory."""

import contextlib

import torch

from common.errors import InputError


def pick_device(name, dropout=0.0):
    """Return the device asked for; InputError if this machine doesn't have it, or trains wrongly.

    On mps, the gradients of PyTorch 2.13's LSTM are wrong with dropout, so auto never takes it.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    backends = {"cuda": torch.cuda, "mps": torch.backends.mps}
    if name in backends and not backends[name].is_available():
        raise InputError(f"no {name} device here: leave --device at auto, or take cpu")
    if name == "mps" and dropout:
        raise InputError(
            "PyTorch computes wrong gradients on mps with dropout: give --device cpu or --dropout 0"
        )
    return name


@contextlib.contextmanager
def flush_denormals():
    """Flush denormal numbers, those below 1e-38, to zero in the block, on the CPU.

    Over hundreds of frames gradients fade to such numbers, which take some processors ten times
    as long. They are too small to change a weight. OpenMP's threads follow if they start in the
    block.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@contextlib.contextmanager
def report_out_of_memory(remedy):
    """Turn PyTorch's errors for lack of memory in the block, on any device, into an InputError."""
    try:
        yield
    except RuntimeError as error:
        words = ("out of memory", "allocate memory", "not enough memory", "ALLOC_FAILED")
        if any(word in str(error) for word in words):
            raise InputError(f"not enough memory on the device: {remedy}") from None
        raise
