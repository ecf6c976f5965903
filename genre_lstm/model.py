"""The two-layer LSTM and its input processing."""

import torch
from torch import nn

from genre_features.frame import N_FEATURES

WINDOWS_AT_ONCE = 16  # of a long track: one by one, they would take longer


class GenreLSTM(nn.Module):
    """Two LSTM layers over the frames, pooled over time, and a linear layer to the genres.

    Parameters
    ----------
    n_genres : int
    recipe : Recipe
    settings : FrameSettings
        They convert the recipe's seconds to frames, and tell how long the training clips are.
    """

    def __init__(self, n_genres, recipe, settings):
        super().__init__()
        self.recipe = recipe
        self.lags = [settings.frames_in(seconds) for seconds in recipe.difference_lags]
        self.window = settings.frames  # the length that is scored at once
        self.crop_length = (
            settings.frames_in(recipe.crop_seconds) if recipe.crop_seconds else self.window
        )
        n_inputs = N_FEATURES * (1 + len(self.lags))
        self.is_standardised = recipe.input_norm in ("standardise", "mean-normalised")
        self.register_buffer("input_mean", torch.zeros(n_inputs), persistent=False)
        self.register_buffer("input_deviation", torch.ones(n_inputs), persistent=False)
        self.lstm = nn.LSTM(
            n_inputs,
            recipe.hidden_size,
            recipe.n_layers,
            batch_first=True,
            dropout=recipe.dropout,
        )
        n_pooled = 2 if recipe.pooling == "statistics" else 1
        self.linear = nn.Linear(n_pooled * recipe.hidden_size, n_genres)
        if recipe.input_norm == "batch":
            self.batch_norm = nn.BatchNorm1d(n_inputs)
        if recipe.pooling == "attention":
            self.attention = nn.Linear(recipe.hidden_size, 1)

    def process(self, features):
        """Turn the features of whole tracks, (batch, T, 33), into inputs, (batch, T, n_inputs)."""
        return self.to_inputs(self.remove_track_mean(features))

    def remove_track_mean(self, features):
        """Subtract each track's own mean over time, if the recipe says so."""
        if self.recipe.input_norm == "mean-normalised":
            return features - features.mean(dim=1, keepdim=True)
        return features

    def to_inputs(self, features):
        """Append the differences over time, and standardise."""
        inputs = [features]
        for lag in self.lags:
            # The first frames have none before them: their differences are zero.
            past = torch.cat([features[:, :lag], features[:, :-lag]], dim=1)
            inputs.append(features - past)
        return (torch.cat(inputs, dim=2) - self.input_mean) / self.input_deviation

    def standardise(self, tracks):
        """Fit the mean and standard deviation of the inputs, if the recipe standardises them.

        Parameters
        ----------
        tracks : iterable of torch.Tensor, shape (n, T, 33)
            Features of training clips.
        """
        if not self.is_standardised:
            return
        n_frames, total, squares = 0, 0.0, 0.0
        for features in tracks:
            inputs = self.process(features).cpu().double().flatten(0, 1)  # mps has no doubles
            n_frames += len(inputs)
            total += inputs.sum(dim=0)
            squares += inputs.square().sum(dim=0)
        mean = total / n_frames
        self.input_mean.copy_(mean)
        # Constant inputs, such as those of silent clips, are not divided.
        deviation = (squares / n_frames - mean.square()).clamp(min=0).sqrt()
        self.input_deviation.copy_(torch.where(deviation > 1e-6, deviation, 1.0))

    def classify(self, inputs):
        """Return log-probabilities, (batch, genres), of inputs, (batch, T, n_inputs)."""
        if self.recipe.input_norm == "batch":
            inputs = self.batch_norm(inputs.transpose(1, 2)).transpose(1, 2)
        frames, _ = self.lstm(inputs)  # (batch, T, hidden)
        if self.recipe.pooling == "last":
            pooled = frames[:, -1]
        elif self.recipe.pooling == "mean":
            pooled = frames.mean(dim=1)
        elif self.recipe.pooling == "statistics":
            deviation, mean = torch.std_mean(frames, dim=1, unbiased=False)
            pooled = torch.cat([mean, deviation], dim=1)
        else:
            pooled = (frames * self.attention(frames).softmax(dim=1)).sum(dim=1)
        return self.linear(pooled).log_softmax(dim=1)

    def forward(self, features):
        """Return log-probabilities, (batch, genres), of the features of tracks, (batch, T, 33).

        For tracks longer than the training clips, they are averaged over `windows` of that length.
        """
        scores = torch.cat([scores for _, scores in self.classify_windows(features, self.window)])
        if len(scores) == 1:
            return scores[0]
        return scores.mean(dim=0).log_softmax(dim=1)

    def classify_windows(self, features, longest):
        """Yield first frames, (n,), and log-probabilities, (n, batch, genres), of some windows."""
        features = self.remove_track_mean(features)
        starts, length = windows(features.shape[1], longest)
        for some in starts.split(WINDOWS_AT_ONCE):
            # Differences reach back before the windows.
            first = max(0, int(some[0]) - max(self.lags, default=0))
            inputs = self.to_inputs(features[:, first : some[-1] + length])
            batch = torch.cat([inputs[:, start : start + length] for start in some - first])
            yield some, self.classify(batch).unflatten(0, (len(some), -1))


def windows(n_frames, longest):
    """Return the windows that cover a track, each overlapping the next by about half.

    A remainder under a tenth of a window adds none: it would hold nearly the same frames as the one
    before. A track up to a tenth longer than a window is a window itself.

    Parameters
    ----------
    n_frames, longest : int or torch.Tensor, shape ()
        Frames of the track and of a training clip. Tensors when exporting to ONNX.

    Returns
    -------
    starts : torch.Tensor, shape (windows,)
        The first frame of each.
    length : torch.Tensor, shape ()
        Their frames.
    """
    n_frames, longest, one = (torch.as_tensor(number) for number in (n_frames, longest, 1))
    # One for the first 1.1 windows, and one for each half of a window begun after that.
    n_windows = torch.maximum((10 * n_frames + 4 * longest - 1) // (5 * longest) - 1, one)
    length = torch.where(n_windows == 1, n_frames, longest)
    starts = torch.arange(n_windows) * (n_frames - length) // torch.maximum(n_windows - 1, one)
    return starts, length
