"""The two-layer LSTM, its input processing, and the recipes it is trained by."""

import dataclasses
import io
import zipfile
from pathlib import Path

import torch
from torch import nn

from audio_features import COLUMNS, N_FEATURES
from script_helpers import MOST, InputError, are_lengths, are_names, replacing

INPUT_NORMS = ("none", "standardise", "track-mean", "batch")
POOLINGS = ("last", "mean", "attention", "statistics")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The settings of a training run; the defaults are the published ones. Lengths in seconds."""

    name: str = "published"
    epochs: int = 1000
    batch_size: int = 35
    learning_rate: float = 3e-5  # the first that the original's report calls stable
    validate_every: int = 10  # epochs
    hidden_size: int = 128  # of each LSTM layer
    n_layers: int = 2
    shuffle: bool = False  # in file order 35 clips in a row are of one genre
    balanced: bool = False  # the loss weighs each clip by how rare its genre is
    input_norm: str = "none"
    deltas: tuple[float, ...] = ()  # differences to the features this much earlier, s
    crop: float = 0.0  # length of a training example, s; 0 for the whole clip
    transpose: bool = False  # rotate the chroma at random: a genre has no key
    pooling: str = "last"
    dropout: float = 0.0  # between the LSTM layers
    weight_decay: float = 0.0
    clip_norm: float = 0.0  # of the gradient; 0 for no limit
    mask: float = 0.0  # share of the inputs that each training example does without
    mixup: float = 0.0  # alpha of the Beta distribution by which examples are mixed; 0: not


RECIPES = {
    "published": Recipe(),
    "improved": Recipe(
        name="improved",
        epochs=240,  # mixed examples take longer to learn
        batch_size=32,
        learning_rate=3e-3,  # a hundred times the published: the inputs are standardised
        validate_every=2,  # so that the patience of ReduceLROnPlateau fits in
        shuffle=True,  # every batch shows all genres
        balanced=True,  # data sets of one's own have uneven counts; GTZAN's are nearly even
        input_norm="track-mean",  # what a recording chain adds is constant over a track
        deltas=(0.08, 0.31, 1.24),  # what changes within a note, a beat and a bar
        crop=8.0,  # some bars of music, cut anew in every epoch
        transpose=True,
        pooling="statistics",  # how the frames vary tells as much as how they are
        dropout=0.3,
        weight_decay=0.01,
        clip_norm=1.0,  # unclipped, single batches throw training back
        mask=0.1,  # no single feature is to be relied on
        mixup=0.3,  # 419 clips are soon learnt by heart
    ),
}


class GenreLSTM(nn.Module):
    """Two LSTM layers over the frames, pooled over time, and a linear layer to the genres.

    Parameters
    ----------
    n_genres : int
    recipe : Recipe
    features : dict
        Settings of the features: ``sample_rate``, ``hop_length`` and ``frames``, in samples. They
        turn the recipe's seconds to frames.
    """

    def __init__(self, n_genres, recipe, features):
        super().__init__()
        self.recipe = recipe
        frame_rate = features["sample_rate"] / features["hop_length"]
        self.lags = [max(1, round(seconds * frame_rate)) for seconds in recipe.deltas]
        self.window = features["frames"]  # scored at once
        self.crop_length = max(1, round(recipe.crop * frame_rate)) if recipe.crop else self.window
        n_inputs = N_FEATURES * (1 + len(self.lags))
        self.is_standardised = recipe.input_norm in ("standardise", "track-mean")
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
        if self.recipe.input_norm == "track-mean":
            features = features - features.mean(dim=1, keepdim=True)
        return self.to_inputs(features)

    def to_inputs(self, features):
        """Add the differences and standardise."""
        inputs = [features]
        for lag in self.lags:
            # The first frames have nothing before them: theirs stay at zero.
            past = torch.cat([features[:, :lag], features[:, :-lag]], dim=1)
            inputs.append(features - past)
        return (torch.cat(inputs, dim=2) - self.input_mean) / self.input_deviation

    def standardise(self, tracks):
        """Fit the inputs' mean and standard deviation to tracks, an iterable of (n, T, 33)."""
        n_frames, total, squares = 0, 0.0, 0.0
        for features in tracks:
            inputs = self.process(features).cpu().double().flatten(0, 1)  # mps has no doubles
            n_frames += len(inputs)
            total += inputs.sum(dim=0)
            squares += inputs.square().sum(dim=0)
        mean = total / n_frames
        self.input_mean.copy_(mean)
        # Constant inputs, such as of silent clips, are left as they are.
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

        Those of tracks longer than the clips of the training data are the mean over windows of
        that length, each overlapping the next by half.
        """
        windows = [scores for _, scores in self.classify_windows(features, self.window)]
        if len(windows) == 1:
            return windows[0]
        return torch.stack(windows).mean(dim=0).log_softmax(dim=1)

    def classify_windows(self, features, length):
        """Yield the first frame and the log-probabilities of windows that overlap by half."""
        if self.recipe.input_norm == "track-mean":
            features = features - features.mean(dim=1, keepdim=True)
        n_frames = features.shape[1]
        length = min(length, n_frames)
        n_windows = -(-2 * n_frames // length) - 1
        for i in range(n_windows):
            start = i * (n_frames - length) // max(1, n_windows - 1)
            # Differences reach back before the window.
            first = max(0, start - max(self.lags, default=0))
            inputs = self.to_inputs(features[:, first : start + length])[:, start - first :]
            yield start, self.classify(inputs)


def transpose_chroma(features):
    """Rotate each track's chroma by a random number of semitones; features are (batch, T, 33)."""
    columns = COLUMNS["chroma"]
    chroma = features[:, :, columns]
    shifts = torch.randint(12, (len(features), 1))
    order = ((torch.arange(12) + shifts) % 12).to(features.device)  # (batch, 12)
    rotated = chroma.gather(2, order[:, None].expand_as(chroma))
    return torch.cat([features[:, :, : columns.start], rotated, features[:, :, columns.stop :]], 2)


def random_crops(inputs, length):
    """Cut a window of `length` frames from a random place of each track."""
    n_tracks, n_frames, _ = inputs.shape
    if n_frames <= length:
        return inputs
    starts = torch.randint(n_frames - length + 1, (n_tracks, 1))
    frames = (starts + torch.arange(length)).to(inputs.device)  # (batch, length)
    return inputs.gather(1, frames[:, :, None].expand(-1, -1, inputs.shape[2]))


def mask_inputs(inputs, share):
    """Set each input to zero, a standardised one's mean, in examples by a chance of `share`."""
    kept = torch.rand(len(inputs), 1, inputs.shape[2]) >= share
    return inputs * kept.to(inputs)


def save_weights(path, content):
    """Write tensors and plain values to a file, whole or not at all; OSError if it can't be."""
    # By way of memory: of a full disk torch.save itself makes a RuntimeError.
    memory = io.BytesIO()
    torch.save(content, memory)
    with replacing(path) as temporary:
        temporary.write_bytes(memory.getbuffer())


def load_weights(path, device="cpu"):
    """Read a file of tensors and plain values; InputError if it is anything else."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        # PyTorch compresses nothing: what unpacks to more than its file would fill the memory.
        if size > Path(path).stat().st_size:
            raise ValueError
        return torch.load(path, map_location=device, weights_only=True)
    except OSError:
        raise
    except Exception:  # of any kind: damaged files have functions called with anything
        raise InputError(
            f"{path} isn't a file of weights as the training scripts write them: it is damaged, "
            "or holds more than tensors and plain values"
        ) from None


def check_settings(recipe, genres, features, temperature):
    """Raise ValueError unless these are settings that a model can be saved with."""
    numbers = (*recipe.deltas, recipe.crop, temperature)
    if not (
        are_names(genres)
        and are_lengths([features[key] for key in ("sample_rate", "hop_length", "frames")])
        and recipe.input_norm in INPUT_NORMS
        and recipe.pooling in POOLINGS
        and all(isinstance(number, float | int) and 0 <= number <= MOST for number in numbers)
        and temperature > 1e-3
    ):
        raise ValueError


def check_tensors(found, wanted):
    """Raise ValueError unless tensors are like those wanted, and such as give finite answers."""
    for name, tensor in found.items():
        if (tensor.shape, tensor.dtype) != (wanted[name].shape, wanted[name].dtype):
            raise ValueError
        # The elements of a tensor that isn't contiguous may be more than are in memory.
        if not tensor.is_contiguous() or not (tensor.abs() < MOST).all():
            raise ValueError
        least = {"input_deviation": 1e-7, "batch_norm.running_var": 0}.get(name, -MOST)
        if not (tensor >= least).all():
            raise ValueError


def load_model(path, device="cpu"):
    """Rebuild a trained model from its ``model.pt`` alone.

    Returns
    -------
    model : GenreLSTM
        In evaluation mode.
    saved : dict
        What ``model.pt`` holds beside the weights: ``genres``, ``features``, ``recipe``,
        ``temperature`` (which divides the log-probabilities), ...

    Raises
    ------
    InputError
        The file holds no model, or one that can't give finite answers.
    """
    saved = load_weights(path, device)
    try:
        recipe, saved["temperature"] = Recipe(**saved["recipe"]), float(saved["temperature"])
        state, standardisation = saved.pop("state"), saved.pop("standardisation")
        check_settings(recipe, saved["genres"], saved["features"], saved["temperature"])
        if recipe.n_layers > len(state):
            raise ValueError
        # On the meta device tensors have no memory: whatever the recipe says, the model takes no
        # more than the file's own tensors, which take the places of those.
        with torch.device("meta"):
            model = GenreLSTM(len(saved["genres"]), recipe, saved["features"])
        n_inputs = model.lstm.input_size
        mean, deviation = torch.zeros(n_inputs), torch.ones(n_inputs)
        if standardisation:
            mean, deviation = standardisation["mean"], standardisation["deviation"]
        check_tensors(
            {**state, "input_mean": mean, "input_deviation": deviation},
            dict([*model.named_parameters(), *model.named_buffers()]),
        )
        model.load_state_dict(state, assign=True)
        model.input_mean, model.input_deviation = mean, deviation
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError):
        raise InputError(f"{path} doesn't hold the weights of a GenreLSTM") from None
    return model.to(device).eval(), saved
