"""The device that computes: which it is, how it stays fast, and whether its memory is full."""

import contextlib

import torch

from common.errors import InputError


def pick_device(name):
    """Return the device asked for; InputError if this machine doesn't have it."""
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return next(device for device in available if available[device])
    if not available[name]:
        raise InputError(f"no {name} device here: leave --device at auto, or take cpu")
    return name


def device_of(model):
    """Return the device of a model's weights."""
    return next(model.parameters()).device


@contextlib.contextmanager
def flush_denormals():
    """Take denormal numbers, those below 1e-38, for zero in the block, on the CPU.

    Over hundreds of frames gradients fade to such numbers, with which some processors take ten
    times as long. They are too small to change a weight. OpenMP's threads follow if they start in
    the block.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def is_out_of_memory(error):
    """Whether a RuntimeError of PyTorch is for lack of memory, on whatever device."""
    words = ("out of memory", "allocate memory", "not enough memory", "ALLOC_FAILED")
    return any(some in str(error) for some in words)
