"""Random changes of the training examples, drawn anew for every batch.

All numbers are drawn on the CPU: they are the same whatever the device.
"""

from typing import NamedTuple

import torch

from genre_features.frame import COLUMNS


class Examples(NamedTuple):
    """A batch of training examples, each of which may be mixed from two."""

    inputs: torch.Tensor  # (batch, T, n_inputs)
    genres: torch.Tensor  # (batch,)
    others: torch.Tensor  # (batch,), genres of the examples mixed in
    share: float  # of `genres` in each example; the rest is of `others`


def augment(model, features, genres):
    """Turn a batch of tracks into training examples, as the model's recipe says.

    Parameters
    ----------
    model : GenreLSTM
    features : torch.Tensor, shape (batch, T, 33)
    genres : torch.Tensor, shape (batch,)

    Returns
    -------
    Examples
    """
    recipe = model.recipe
    if recipe.roll_chroma:
        features = transpose_chroma(features)
    inputs = random_crops(model.process(features), model.crop_length)
    if recipe.mask_prob:
        inputs = mask_inputs(inputs, recipe.mask_prob)
    if recipe.mixup_alpha:
        return mix(inputs, genres, recipe.mixup_alpha)
    return Examples(inputs, genres, genres, 1.0)


def send(numbers, device):
    """Copy a few numbers to a device, without waiting for it if it is a CUDA GPU."""
    return numbers.to(device, non_blocking=device.type == "cuda")


def transpose_chroma(features):
    """Rotate each track's chroma by a random number of semitones; features are (batch, T, 33)."""
    columns = COLUMNS["chroma"]
    chroma = features[:, :, columns]
    shifts = send(torch.randint(12, (len(features), 1)), features.device)
    order = (torch.arange(12, device=features.device) + shifts) % 12  # (batch, 12)
    rotated = chroma.gather(2, order[:, None].expand_as(chroma))
    return torch.cat([features[:, :, : columns.start], rotated, features[:, :, columns.stop :]], 2)


def random_crops(inputs, length):
    """Cut a window of `length` frames from a random place of each track, (batch, T, n_inputs)."""
    n_tracks, n_frames, _ = inputs.shape
    if n_frames <= length:
        return inputs
    starts = send(torch.randint(n_frames - length + 1, (n_tracks, 1)), inputs.device)
    frames = starts + torch.arange(length, device=inputs.device)  # (batch, length)
    return inputs.gather(1, frames[:, :, None].expand(-1, -1, inputs.shape[2]))


def mask_inputs(inputs, share):
    """Set a random `share` of each example's inputs to zero, the mean of standardised inputs."""
    kept = torch.rand(len(inputs), 1, inputs.shape[2]) >= share
    return inputs * send(kept.to(inputs.dtype), inputs.device)


def mix(inputs, genres, alpha):
    """Mix each example with another of the batch: mixup [1]_, with one share for the batch.

    References
    ----------
    .. [1] Zhang et al., "mixup: Beyond empirical risk minimization", ICLR 2018.
    """
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    partners = send(torch.randperm(len(inputs)), inputs.device)
    mixed = share * inputs + (1 - share) * inputs[partners]
    return Examples(mixed, genres, genres[partners], share)
