"""Several processes that train one model, as torchrun starts them.

    torchrun --nproc-per-node 2 lstm_genre_classifier_pytorch_PiecewiseDecay.py

All draw the same batches, crops, masks and mixtures from the same random numbers. Each classifies
its share of a batch, and DistributedDataParallel combines their gradients, so the steps equal
those of a single process. Without torchrun there is one process, the first.
"""

import contextlib
import os
import signal
import sys
from pathlib import Path

import torch
from torch import distributed, nn
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

    Only the first prints anything. If processes fail, the first to fail reports its error; the
    others fail for the same reason, or because it is gone. Without a failure, they end where the
    block does.
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
            if not is_rank_zero():
                nowhere = stack.enter_context(Path(os.devnull).open("w"))
                stack.enter_context(contextlib.redirect_stdout(nowhere))
                stack.enter_context(contextlib.redirect_stderr(nowhere))
            yield
    except BaseException:
        if store.add("failed", 1) > 1:
            sys.exit(2)
        raise
    distributed.destroy_process_group()
    # A thread of the group that still frees its last tensors would abort an interpreter that ends.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


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
    """Call a function in the first process alone; return its result in all of them."""
    result = [function(*arguments) if is_rank_zero() else None]
    if world_size() > 1:
        distributed.broadcast_object_list(result)
    return result[0]


class SharedClassifier(nn.Module):
    """A GenreLSTM whose `forward` is `classify`: DistributedDataParallel runs no other method."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, inputs):
        return type(self.model).classify(self.model, inputs)


def share(model):
    """Split the work of a model's `classify` across the processes, while it is being trained.

    They call it together, with the same inputs, (batch, T, n_inputs). Each gets the
    log-probabilities of the whole batch, (batch, genres), and from a loss of these the gradients
    that a single process would get.

    Parameters
    ----------
    model : GenreLSTM

    Returns
    -------
    GenreLSTM
        The model itself; without torchrun it is unchanged.
    """
    size = world_size()
    if size == 1:
        return model
    if model.recipe.input_norm == "batch":
        raise InputError(
            "--input-norm batch isn't available under torchrun: each process would normalise by "
            "its own share of a batch"
        )
    rank = distributed.get_rank()
    classifier = DistributedDataParallel(SharedClassifier(model), forward_sync_buffers=False)

    def classify(inputs):
        if not model.training:
            return type(model).classify(model, inputs)
        # The shares are padded to one size with the last example, and cut off again below.
        padded = -(-len(inputs) // size) * size
        rows = torch.arange(rank, padded, size, device=inputs.device).clamp(max=len(inputs) - 1)
        # Each process has its own dropout; all other random numbers must stay the same in all.
        seed = int(torch.randint(2**32, ())) if model.recipe.dropout else 0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed + rank)
            own = classifier(inputs[rows])
        # DistributedDataParallel averages over the processes, but the gradients must be summed.
        own.register_hook(lambda gradient: size * gradient)
        shares = [torch.empty_like(own) for _ in range(size)]
        distributed.all_gather(shares, own.detach())
        shares[rank] = own  # the one with a gradient
        return torch.stack(shares, dim=1).flatten(0, 1)[: len(inputs)]

    model.classify = classify
    return model
