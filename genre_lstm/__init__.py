"""From arrays to answers: the two-layer LSTM, its training, its scores and its weights."""
