"""The batches of a data set, the weights of its genres in the loss, and the sums of an epoch."""

import numpy as np
import torch

from genre_lstm.processes import sum_over_processes

MAX_PRELOAD = 4e9  # bytes of features that are copied to a GPU at once; GTZAN's take 0.1 GB


def preload(data, device):
    """Copy the features of all subsets to a GPU, unless they are too large; see `batches`."""
    if sum(4 * inputs.size for inputs in data.inputs.values()) <= MAX_PRELOAD:
        for subset, inputs in data.inputs.items():
            data.inputs[subset] = torch.from_numpy(np.array(inputs, dtype=np.float32)).to(device)


def batches(data, subset, batch_size, device, shuffle=False):
    """Yield the batches of a subset. Every clip comes once, so the last batch may be smaller.

    Parameters
    ----------
    data : GenreFeatureData
    subset : str
    batch_size : int
    device : str or torch.device
    shuffle : bool
        Draw the clips at random instead of in file order.

    Yields
    ------
    features : torch.Tensor, shape (batch, T, 33), float32
    targets : torch.Tensor, shape (batch,), int64
        Genre indices.
    """
    inputs, targets = data.inputs[subset], torch.from_numpy(data.targets[subset])
    order = torch.randperm(len(inputs)) if shuffle else torch.arange(len(inputs))
    if isinstance(inputs, torch.Tensor):
        order, targets = order.to(device), targets.to(device)
        yield from ((inputs[rows], targets[rows]) for rows in order.split(batch_size))
        return
    for rows in order.split(batch_size):
        # Copied batch by batch: a cache that is mapped may be larger than memory.
        features = torch.from_numpy(np.array(inputs[rows.numpy()], dtype=np.float32))
        yield features.to(device), targets[rows].to(device)


def class_weights(targets, n_genres):
    """Return the weight of each genre in the loss, (n_genres,): all genres count the same."""
    counts = np.bincount(targets, minlength=n_genres)
    return torch.from_numpy(len(targets) / np.maximum(counts, 1)).float() / n_genres


class EpochStats:
    """Sums of an epoch over its batches, kept on the device: reading them would wait for it."""

    def __init__(self):
        self.loss_sum, self.n_correct, self.n_clips = 0, 0, 0

    def add(self, loss, log_probs, targets, n_clips):
        """Add a batch: its mean loss, log-probabilities, targets and number of clips."""
        self.loss_sum += loss.detach() * n_clips
        if n_clips:
            self.n_correct += (log_probs.argmax(dim=1) == targets).sum()
        self.n_clips += n_clips

    def means(self):
        """Return the mean loss (nats per clip) and the accuracy, over all processes."""
        loss, n_correct, n_clips = (
            float(sum_over_processes(torch.as_tensor(total, device=self.loss_sum.device)))
            for total in (self.loss_sum, self.n_correct, self.n_clips)
        )
        return loss / n_clips, n_correct / n_clips
