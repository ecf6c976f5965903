"""The two-layer LSTM and its input processing."""

import torch
from torch import nn

from genre_features.frame import N_FEATURES

MAX_WINDOWS = 16  # of a long track in one batch, which is faster than one at a time


class GenreLSTM(nn.Module):
    """Two LSTM layers over the frames, pooled over time, and a linear layer to the genres.

    Training calls `preprocess` and then the module itself; `predict` does both for whole tracks.

    Parameters
    ----------
    n_genres : int
    recipe : Recipe
    settings : FrameSettings
        They convert the recipe's seconds to frames, and give the length of the training clips.
    """

    def __init__(self, n_genres, recipe, settings):
        super().__init__()
        self.recipe = recipe
        self.clip_frames = settings.frames
        self.crop_frames = settings.frames
        if recipe.crop_seconds:
            self.crop_frames = settings.frames_in(recipe.crop_seconds)
        self.lags = [settings.frames_in(seconds) for seconds in recipe.difference_lags]

        n_inputs = N_FEATURES * (1 + len(self.lags))
        self.register_buffer("input_mean", torch.zeros(n_inputs))
        self.register_buffer("input_std", torch.ones(n_inputs))
        if recipe.input_norm == "batch":
            self.batch_norm = nn.BatchNorm1d(n_inputs)
        self.lstm = nn.LSTM(
            n_inputs,
            recipe.hidden_size,
            recipe.n_layers,
            batch_first=True,
            dropout=recipe.dropout,
        )
        n_pooled = 2 if recipe.pooling == "statistics" else 1
        self.linear = nn.Linear(n_pooled * recipe.hidden_size, n_genres)
        if recipe.pooling == "attention":
            self.attention = nn.Linear(recipe.hidden_size, 1)

    def forward(self, inputs):
        """Return log-probabilities, (batch, genres), of preprocessed inputs, (batch, T, n)."""
        if self.recipe.input_norm == "batch":
            inputs = self.batch_norm(inputs.transpose(1, 2)).transpose(1, 2)
        frames, _ = self.lstm(inputs)  # (batch, T, hidden)
        return self.linear(self.pool(frames)).log_softmax(dim=1)

    def pool(self, frames):
        """Combine the LSTM's output over time: (batch, T, hidden) to (batch, n)."""
        if self.recipe.pooling == "last":
            return frames[:, -1]
        if self.recipe.pooling == "mean":
            return frames.mean(dim=1)
        if self.recipe.pooling == "attention":
            return (frames * self.attention(frames).softmax(dim=1)).sum(dim=1)
        # Statistics pooling, as in x-vectors (Snyder et al., ICASSP 2018).
        std, mean = torch.std_mean(frames, dim=1, unbiased=False)
        return torch.cat([mean, std], dim=1)

    def preprocess(self, features):
        """Turn the features of whole tracks, (batch, T, 33), into inputs, (batch, T, n)."""
        return self.scale(self.add_differences(self.subtract_track_mean(features)))

    def subtract_track_mean(self, features):
        """Subtract each track's mean over time, if the recipe says so.

        This is cepstral mean normalisation (Atal, JASA 1974), here of all features.
        """
        if self.recipe.input_norm == "mean-normalised":
            return features - features.mean(dim=1, keepdim=True)
        return features

    def add_differences(self, features):
        """Append each frame's differences to the frames `lags` earlier: (batch, T, n)."""
        inputs = [features]
        for lag in self.lags:
            # The first frames have no earlier frame: their differences are zero.
            past = torch.cat([features[:, :lag], features[:, :-lag]], dim=1)
            inputs.append(features - past)
        return torch.cat(inputs, dim=2)

    def scale(self, inputs):
        """Standardise inputs; without `fit_scaler`, this changes nothing."""
        return (inputs - self.input_mean) / self.input_std

    def fit_scaler(self, batches):
        """Fit the mean and standard deviation of the inputs, if the recipe standardises them.

        Parameters
        ----------
        batches : iterable of (torch.Tensor, torch.Tensor)
            Features of training clips, (n, T, 33), and their targets, which aren't used.
        """
        if self.recipe.input_norm not in ("standardise", "mean-normalised"):
            return
        n_frames, total, squares = 0, 0.0, 0.0
        for features, _ in batches:
            inputs = self.add_differences(self.subtract_track_mean(features))
            inputs = inputs.cpu().double().flatten(0, 1)  # mps has no doubles
            n_frames += len(inputs)
            total += inputs.sum(dim=0)
            squares += inputs.square().sum(dim=0)
        mean = total / n_frames
        std = (squares / n_frames - mean.square()).clamp(min=0).sqrt()
        self.input_mean.copy_(mean)
        # Constant inputs, such as those of silent clips, are not divided.
        self.input_std.copy_(torch.where(std > 1e-6, std, 1.0))

    def predict(self, features):
        """Return log-probabilities, (batch, genres), of the features of tracks, (batch, T, 33).

        For tracks longer than the training clips, they are averaged over windows of that length.
        """
        windows = self.predict_windows(features, self.clip_frames)
        log_probs = torch.cat([log_probs for _, log_probs in windows])
        if len(log_probs) == 1:
            return log_probs[0]
        return log_probs.mean(dim=0).log_softmax(dim=1)

    def predict_windows(self, features, max_frames):
        """Yield the first frames, (n,), and log-probabilities, (n, batch, genres), of windows.

        Parameters
        ----------
        features : torch.Tensor, shape (batch, T, 33)
        max_frames : int
            Length of the windows; see `split_windows`.
        """
        features = self.subtract_track_mean(features)
        starts, length = split_windows(features.shape[1], max_frames)
        for chunk in starts.split(MAX_WINDOWS):
            # Differences reach back before the windows.
            first = max(0, int(chunk[0]) - max(self.lags, default=0))
            inputs = self.scale(self.add_differences(features[:, first : chunk[-1] + length]))
            windows = torch.cat([inputs[:, start : start + length] for start in chunk - first])
            yield chunk, self(windows).unflatten(0, (len(chunk), -1))


def split_windows(n_frames, max_frames):
    """Return the windows that cover a track, each overlapping the next by about half.

    A remainder under a tenth of a window adds none: it would hold nearly the same frames as the
    window before. A track up to a tenth longer than a window is a single window.

    Parameters
    ----------
    n_frames, max_frames : int or torch.Tensor, shape ()
        Frames of the track and of a training clip. Tensors when exporting to ONNX.

    Returns
    -------
    starts : torch.Tensor, shape (windows,)
        The first frame of each window.
    length : torch.Tensor, shape ()
        Frames of a window.
    """
    n_frames, max_frames, one = (torch.as_tensor(n) for n in (n_frames, max_frames, 1))
    # One for the first 1.1 windows, and one for each half of a window begun after that.
    n_windows = torch.maximum((10 * n_frames + 4 * max_frames - 1) // (5 * max_frames) - 1, one)
    length = torch.where(n_windows == 1, n_frames, max_frames)
    starts = torch.arange(n_windows) * (n_frames - length) // torch.maximum(n_windows - 1, one)
    return starts, length
