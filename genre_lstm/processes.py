"""Several processes that train one model, as torchrun starts them.

    torchrun --nproc-per-node 2 lstm_genre_classifier_pytorch_PiecewiseDecay.py

All draw the same batches, crops, masks and mixtures from the same random numbers. Each trains on
its share of a batch, and DistributedDataParallel sums the gradients, so that the steps equal those
of a single process except for rounding and dropout.
"""

import atexit
import contextlib
import gc
import os
import signal
import sys
from pathlib import Path

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from common.errors import InputError


def world_size():
    """Return how many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def is_rank_zero():
    """Whether this is the process that validates, prints and writes files."""
    return not distributed.is_initialized() or distributed.get_rank() == 0


def interrupt_once(*_):
    """Handle Ctrl-C once: torchrun sends it again after the terminal did."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextlib.contextmanager
def process_group():
    """Join the processes that torchrun has started, if it has.

    Only rank zero prints anything. If processes fail, the first to fail reports its error; the
    others fail for the same reason, or because it is gone.
    """
    if not distributed.is_torchelastic_launched():
        yield
        return
    store, rank, size = next(distributed.rendezvous("env://"))
    signal.signal(signal.SIGINT, interrupt_once)
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backend, store=store, rank=rank, world_size=size)
    try:
        with contextlib.ExitStack() as stack:
            if rank:
                null = stack.enter_context(Path(os.devnull).open("w"))
                stack.enter_context(contextlib.redirect_stdout(null))
                stack.enter_context(contextlib.redirect_stderr(null))
            yield
    except BaseException:
        if store.add("failed", 1) > 1:
            sys.exit(2)
        raise
    atexit.register(leave_process_group)


def leave_process_group():
    """Destroy the process group, but not before the model in DistributedDataParallel.

    Were that the last to hold the group, it would wait for a thread of gloo's, and that thread for
    Python's global lock.
    """
    gc.collect()  # DistributedDataParallel refers to itself
    distributed.destroy_process_group()


def set_local_device(device):
    """Assign this process its own GPU if `device` is cuda; InputError if there is none for it."""
    if device == "mps" and world_size() > 1:
        raise InputError("torchrun trains on --device cuda or cpu only")
    if device == "cuda" and world_size() > 1:
        local_rank, n_gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local_rank >= n_gpus:
            raise InputError(
                f"torchrun started more processes here than the {n_gpus} GPUs there are: give "
                f"--nproc-per-node {n_gpus}"
            )
        torch.cuda.set_device(local_rank)


def on_rank_zero(function, *arguments):
    """Call a function in rank zero alone; return its result in all processes."""
    result = [function(*arguments) if is_rank_zero() else None]
    if world_size() > 1:
        distributed.broadcast_object_list(result)
    return result[0]


def sum_over_processes(tensor):
    """Add up a tensor over all processes, in place, and return it."""
    if world_size() > 1:
        distributed.all_reduce(tensor)
    return tensor


class Shard:
    """The share of each batch that this process trains on: every `world_size`-th clip.

    Attributes
    ----------
    fraction : float
        The share of the last batch: 1 without torchrun.
    """

    def __init__(self):
        self.fraction, self.random_state = 1.0, None

    def wrap(self, model):
        """Return a model in DistributedDataParallel; without torchrun, the model itself."""
        if world_size() == 1:
            return model
        if model.recipe.input_norm == "batch":
            raise InputError(
                "--input-norm batch isn't available under torchrun: each process would normalise "
                "by its own share of a batch"
            )
        parallel = DistributedDataParallel(model)
        parallel.register_comm_hook(self, Shard.sum_gradients)
        return parallel

    def sum_gradients(self, bucket):
        """Weight this process's gradients by its share of the batch, and add up all processes'."""
        gradients = bucket.buffer().mul_(self.fraction)
        work = distributed.all_reduce(gradients, async_op=True)
        return work.get_future().then(lambda future: future.value()[0])

    def take(self, *tensors):
        """Return this process's rows of the tensors of a batch.

        A batch may leave a process none. It then takes the first row, which counts nothing.
        """
        if world_size() == 1:
            return tensors
        rank, n_clips = distributed.get_rank(), len(tensors[0])
        rows = list(range(rank, n_clips, world_size()))
        self.fraction = len(rows) / n_clips
        # Each process draws its own dropout. `restore` makes all other numbers the same in all.
        self.random_state = torch.get_rng_state()
        torch.manual_seed(int(torch.randint(2**31, ())) + rank)
        return tuple(tensor[rows or [0]] for tensor in tensors)

    def n_clips(self, targets):
        """Return how many of the rows that `take` returned count."""
        return len(targets) if self.fraction else 0

    def restore(self):
        """Continue the random numbers that all processes share, after a step."""
        if self.random_state is not None:
            torch.set_rng_state(self.random_state)
