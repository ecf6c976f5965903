"""From features to genres: the two-layer LSTM, its training, its scores and its weights."""

import os

import torch

# The threads of an LSTM wait for one another at every frame: where other programs keep the cores
# busy, two of them can take many times as long as one.
if "OMP_NUM_THREADS" not in os.environ:
    torch.set_num_threads(1)
