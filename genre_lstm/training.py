"""An epoch of training: batches, steps, and how long they take."""

import copy
import itertools
import statistics
import time
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from common.errors import InputError
from genre_lstm import processes
from genre_lstm.augmentation import augment
from genre_lstm.device import device_of

MAX_PRELOAD = 4e9  # bytes of features that are copied to a GPU at once; GTZAN's take 0.1 GB


class Epoch(NamedTuple):
    """What an epoch of training came to."""

    loss: float  # mean over the clips, while the weights changed
    accuracy: float
    losses: torch.Tensor  # (n_batches,), mean over each batch's clips


def hold(data, device):
    """Copy the features of all subsets to a GPU, unless they are too large to be there at once.

    `batches` then copies nothing. On the CPU, features stay in files, which are mapped into memory.
    """
    if sum(4 * inputs.size for inputs in data.inputs.values()) <= MAX_PRELOAD:
        for subset, inputs in data.inputs.items():
            data.inputs[subset] = torch.from_numpy(np.array(inputs, dtype=np.float32)).to(device)


def batches(data, subset, batch_size, device, shuffle=False):
    """Yield (features, genres) tensors of a subset, in file order unless `shuffle` is set.

    Every clip comes once: the last batch may be smaller.
    """
    inputs, targets = data.inputs[subset], torch.from_numpy(data.targets[subset])
    order = torch.randperm(len(inputs)) if shuffle else torch.arange(len(inputs))
    if isinstance(inputs, torch.Tensor):
        order, targets = order.to(device), targets.to(device)
        yield from ((inputs[rows], targets[rows]) for rows in order.split(batch_size))
        return
    for rows in order.split(batch_size):
        # Copied from the memory map batch by batch: the cache may be larger than memory.
        features = torch.from_numpy(np.array(inputs[rows.numpy()], dtype=np.float32))
        yield features.to(device), targets[rows].to(device)


def check_batch_norm(model, data):
    """Raise InputError if a batch would hold a single frame, which has no deviation."""
    n_frames = min(data.settings.frames, model.crop_length)
    n_last = (len(data.targets["train"]) - 1) % model.recipe.batch_size + 1
    if model.recipe.input_norm == "batch" and n_frames == n_last == 1:
        raise InputError(
            "--input-norm batch can't normalise the last batch, a single frame: choose another "
            "--batch-size"
        )


def balance(targets, n_genres):
    """Return the weight of each genre in the loss, (n_genres,), that makes all count the same."""
    counts = np.bincount(targets, minlength=n_genres)
    return torch.from_numpy(len(targets) / np.maximum(counts, 1)).float() / n_genres


def mean_loss(log_probabilities, genres, genre_weights):
    """Return the loss of a batch: each clip's, weighted, over the number of clips.

    PyTorch's own mean divides by the sum of the weights instead. In a batch of one genre they
    would cancel, and in a small batch a rare genre would count for less than in a large one.
    """
    loss = nn.functional.nll_loss(log_probabilities, genres, genre_weights, reduction="none")
    return loss.mean()


def train_step(model, optimizer, features, genres, genre_weights=None):
    """Take one optimizer step on a batch.

    Parameters
    ----------
    model : GenreLSTM
    optimizer : torch.optim.Optimizer
    features : torch.Tensor, shape (batch, T, 33)
    genres : torch.Tensor, shape (batch,)
    genre_weights : torch.Tensor, shape (n_genres,), optional
        See `balance`; by default all genres weigh 1.

    Returns
    -------
    loss, n_correct : torch.Tensor, shape ()
        The mean loss, and the number of correct answers.
    """
    inputs, genres, others, share = augment(model, features, genres)
    log_probabilities = model.classify(inputs)
    loss = share * mean_loss(log_probabilities, genres, genre_weights)
    if share < 1:
        loss = loss + (1 - share) * mean_loss(log_probabilities, others, genre_weights)
    optimizer.zero_grad()
    loss.backward()
    if model.recipe.max_grad_norm:
        nn.utils.clip_grad_norm_(model.parameters(), model.recipe.max_grad_norm)
    optimizer.step()
    larger = genres if share >= 0.5 else others  # the genre that a mixed example counts for
    return loss.detach(), (log_probabilities.argmax(dim=1) == larger).sum()


def train_epoch(model, optimizer, data):
    """Train on every clip of the training subset once.

    Parameters
    ----------
    model : GenreLSTM
    optimizer : torch.optim.Optimizer
    data : GenreFeatureData

    Returns
    -------
    Epoch
    """
    model.train()
    recipe, device, targets = model.recipe, device_of(model), data.targets["train"]
    genre_weights = balance(targets, len(data.genres)).to(device) if recipe.class_weighted else None
    loss_sum, n_correct, losses = 0, 0, []
    for features, genres in batches(data, "train", recipe.batch_size, device, recipe.shuffle):
        loss, correct = train_step(model, optimizer, features, genres, genre_weights)
        losses.append(loss)
        loss_sum += loss * len(genres)
        n_correct += correct
    n_clips = len(targets)
    return Epoch(float(loss_sum) / n_clips, float(n_correct) / n_clips, torch.stack(losses))


def find_divergence(model, losses):
    """Say what first wasn't finite in an epoch with these batch losses; None if all was.

    Called once per epoch: a look after every batch would wait for the device each time.
    """
    if len(broken := (~losses.isfinite()).nonzero()):
        return f"the loss of batch {int(broken[0]) + 1} of {len(losses)} isn't finite"
    # Weights that aren't finite after an earlier batch show in the loss of the next.
    if not all(tensor.isfinite().all() for tensor in model.parameters()):
        return f"the weights after batch {len(losses)} of {len(losses)} aren't finite"
    return None


def seconds_per_epoch(model, data):
    """Estimate how long an epoch takes from its first batches, trained on a copy of the model."""
    model, batch_size, seconds = copy.deepcopy(model).train(), model.recipe.batch_size, []
    model = processes.share(model)
    optimizer = torch.optim.SGD(model.parameters())
    with torch.random.fork_rng(devices=[]):  # on a GPU only dropout draws numbers
        start = time.perf_counter()
        few = itertools.islice(batches(data, "train", batch_size, device_of(model)), 4)
        for features, genres in few:
            loss, _ = train_step(model, optimizer, features, genres)
            float(loss)  # waits for the device
            seconds.append(time.perf_counter() - start)
            start = time.perf_counter()
    n_batches = -(-len(data.targets["train"]) // batch_size)
    return statistics.median(seconds) * n_batches  # the first, which warms up, doesn't count
