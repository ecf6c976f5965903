"""Random changes of the training examples, drawn anew for every batch.

All numbers are drawn on the CPU, so they don't depend on the device.
"""

import torch

from genre_features.frame import COLUMNS


def augment(model, features, targets):
    """Turn a batch of tracks into training examples, as the model's recipe says.

    Parameters
    ----------
    model : GenreLSTM
    features : torch.Tensor, shape (batch, T, 33)
    targets : torch.Tensor, shape (batch,)
        Genre indices.

    Returns
    -------
    inputs : torch.Tensor, shape (batch, crop_frames, n_inputs)
    targets, mixed_targets : torch.Tensor, shape (batch,)
        Genres of the two tracks that each example mixes; equal without mixup.
    lam : float
        Weight of `targets` in the loss; that of `mixed_targets` is ``1 - lam``.
    """
    recipe = model.recipe
    if recipe.roll_chroma:
        features = roll_chroma(features)
    inputs = random_crops(model.preprocess(features), model.crop_frames)
    if recipe.mask_prob:
        inputs = mask_inputs(inputs, recipe.mask_prob)
    if recipe.mixup_alpha:
        return mixup(inputs, targets, recipe.mixup_alpha)
    return inputs, targets, targets, 1.0


def to_device(numbers, device):
    """Copy a few numbers to a device, without waiting for it if it is a CUDA GPU."""
    return numbers.to(device, non_blocking=device.type == "cuda")


def roll_chroma(features):
    """Transpose each track's chroma by a random number of semitones; (batch, T, 33)."""
    columns = COLUMNS["chroma"]
    chroma = features[:, :, columns]
    n_pitches = chroma.shape[2]
    shifts = to_device(torch.randint(n_pitches, (len(features), 1)), features.device)
    order = (torch.arange(n_pitches, device=features.device) + shifts) % n_pitches  # (batch, 12)
    rolled = chroma.gather(2, order[:, None].expand_as(chroma))
    return torch.cat([features[:, :, : columns.start], rolled, features[:, :, columns.stop :]], 2)


def random_crops(inputs, n_frames):
    """Cut `n_frames` frames from a random position in each example, (batch, T, n)."""
    n_examples, length, _ = inputs.shape
    if length <= n_frames:
        return inputs
    starts = to_device(torch.randint(length - n_frames + 1, (n_examples, 1)), inputs.device)
    frames = starts + torch.arange(n_frames, device=inputs.device)  # (batch, n_frames)
    return inputs.gather(1, frames[:, :, None].expand(-1, -1, inputs.shape[2]))


def mask_inputs(inputs, prob):
    """Set each input to zero, its mean, in all frames of an example with probability `prob`."""
    mask = torch.rand(len(inputs), 1, inputs.shape[2]) >= prob
    return inputs * to_device(mask.to(inputs.dtype), inputs.device)


def mixup(inputs, targets, alpha):
    """Mix each example with another of the batch [1]_, with one weight for the batch.

    Returns
    -------
    inputs, targets, mixed_targets, lam
        See `augment`.

    References
    ----------
    .. [1] Zhang et al., "mixup: Beyond empirical risk minimization", ICLR 2018.
    """
    lam = float(torch.distributions.Beta(alpha, alpha).sample())
    partners = to_device(torch.randperm(len(inputs)), inputs.device)
    mixed = lam * inputs + (1 - lam) * inputs[partners]
    return mixed, targets, targets[partners], lam
