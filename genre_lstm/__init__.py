"""From features to genres: the two-layer LSTM, its training, its scores and its weights."""

import os

# Before torch is imported. The threads of an LSTM wait for one another at every frame: where other
# programs keep the cores busy, two of them can take many times as long as one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
