"""Train a two-layer LSTM to tell the genre of music, with a constant learning rate.

    python lstm_genre_classifier_pytorch.py           # gtzan/data_*.npy -> weights/, result/

The two training scripts, _PiecewiseDecay and _ReduceLROnPlateau, share everything here but the
learning rate's schedule. Run by itself this script keeps the rate constant: it is the run that
the two schedules set out to calm.
"""

import argparse
import contextlib
import copy
import dataclasses
import itertools
import platform
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import ConstantLR, ReduceLROnPlateau
from tqdm import tqdm

import genre_plots
import parallel_training
from calibration import calibrate
from genre_lstm import (
    INPUT_NORMS,
    POOLINGS,
    RECIPES,
    GenreLSTM,
    check_tensors,
    load_weights,
    mask_inputs,
    random_crops,
    save_weights,
    transpose_chroma,
)
from GenreFeatureData import GenreFeatureData
from script_helpers import (
    MOST,
    HelpFormatter,
    InputError,
    alone,
    at_least,
    library_versions,
    run_script,
    write_json,
    write_table,
)

# Of the model card, beside what the run itself has to say.
INTENDED_USE = "research and teaching: comparing recipes, and a first guess at the genre of music"
LIMITS = [
    "whatever is heard, music or not, is given one of the genres trained on",
    "scores are those of clips like the training data's; other collections score lower",
    "probabilities are calibrated on the validation part alone",
]
HISTORY = ("epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate")


# Training and scoring


def batches(data, part, batch_size, device, shuffle=False):
    """Yield (features, genres) tensors of a part, in file order unless `shuffle` is set.

    Every clip comes once: the last batch may be smaller.
    """
    inputs, targets = data.inputs[part], torch.from_numpy(data.targets[part])
    order = torch.randperm(len(inputs)) if shuffle else torch.arange(len(inputs))
    for rows in order.split(batch_size):
        # Copied out of the memory map batch by batch: the cache may be larger than memory.
        features = torch.from_numpy(np.array(inputs[rows.numpy()], dtype=np.float32))
        yield features.to(device), targets[rows].to(device)


def genre_weights(targets, n_genres):
    """Return what each genre's clips weigh, (n_genres,), for all genres to count the same."""
    counts = np.bincount(targets, minlength=n_genres)
    return torch.from_numpy(len(targets) / np.maximum(counts, 1)).float() / n_genres


def train_step(model, optimizer, features, genres, weights=None, classify=None):
    """Take one step down the gradient of a batch; return its mean loss and correct answers.

    `weights`, (n_genres,), are those of the genres in the loss; None for all the same. `classify`
    is the model's own, or the one that several processes share.
    """
    recipe = model.recipe
    if recipe.transpose:
        features = transpose_chroma(features)
    inputs = random_crops(model.process(features), model.crop_length)
    if recipe.mask:
        inputs = mask_inputs(inputs, recipe.mask)
    others, share = genres, 1.0
    if recipe.mixup:
        # Mixup (Zhang et al., 2018): examples between examples, with answers in between.
        share = float(torch.distributions.Beta(recipe.mixup, recipe.mixup).sample())
        partners = torch.randperm(len(inputs)).to(inputs.device)
        inputs = share * inputs + (1 - share) * inputs[partners]
        others = genres[partners]
    log_probabilities = (classify or model.classify)(inputs)
    loss = share * nn.functional.nll_loss(log_probabilities, genres, weights)
    if share < 1:
        loss = loss + (1 - share) * nn.functional.nll_loss(log_probabilities, others, weights)
    optimizer.zero_grad()
    loss.backward()
    if recipe.clip_norm:
        nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
    optimizer.step()
    larger = genres if share >= 0.5 else others  # a mixed example's genre, for the accuracy
    return loss.detach(), (log_probabilities.argmax(dim=1) == larger).sum()


def train_epoch(model, optimizer, data, device, weights=None, classify=None):
    """Train on every clip once.

    Returns
    -------
    loss, accuracy : float
        The means over the clips, met on the way.
    losses : torch.Tensor, shape (n_batches,)
        The mean loss of each batch.
    """
    model.train()
    loss_sum = n_correct = 0
    losses, recipe = [], model.recipe
    for features, genres in batches(data, "train", recipe.batch_size, device, recipe.shuffle):
        loss, correct = train_step(model, optimizer, features, genres, weights, classify)
        losses.append(loss)
        loss_sum += loss * len(genres)
        n_correct += correct
    n_clips = len(data.targets["train"])
    return float(loss_sum) / n_clips, float(n_correct) / n_clips, torch.stack(losses)


def find_divergence(model, losses):
    """Say what first wasn't finite in an epoch with these batch losses; None if all was.

    Called once an epoch: to look after every batch is to wait for the device each time.
    """
    if len(broken := (~losses.isfinite()).nonzero()):
        return f"the loss of batch {int(broken[0]) + 1} of {len(losses)} isn't finite"
    # Weights that aren't finite after an earlier batch show in the loss of the next.
    if not all(tensor.isfinite().all() for tensor in model.parameters()):
        return f"the weights after batch {len(losses)} of {len(losses)} aren't finite"
    return None


@torch.no_grad()
def answers(model, data, part, batch_size, device):
    """Yield (log-probabilities, genres) of a part's clips, batch by batch, in file order."""
    model.eval()
    for features, genres in batches(data, part, batch_size, device):
        yield model(features), genres


def score(model, data, part, batch_size, device):
    """Score a model on every clip of a part.

    Returns
    -------
    dict
        ``n``, ``correct``, ``accuracy``, ``loss`` (mean negative log-likelihood, nats), ``recall``
        of each genre (None where it has no clips), and ``confusion`` (counts; rows are true).
    """
    confusion = np.zeros((len(data.genres), len(data.genres)), dtype=int)
    loss = 0.0
    for log_probabilities, genres in answers(model, data, part, batch_size, device):
        loss += float(nn.functional.nll_loss(log_probabilities, genres, reduction="sum"))
        np.add.at(confusion, (genres.cpu(), log_probabilities.argmax(dim=1).cpu()), 1)
    n_clips, n_correct = int(confusion.sum()), int(confusion.trace())
    return {
        "n": n_clips,
        "correct": n_correct,
        "accuracy": n_correct / n_clips,
        "loss": loss / n_clips,
        "recall": {
            genre: float(row[i] / row.sum()) if row.any() else None
            for i, (genre, row) in enumerate(zip(data.genres, confusion, strict=True))
        },
        "confusion": confusion.tolist(),
    }


def seconds_per_epoch(model, data, device):
    """Estimate how long an epoch takes from its first batches, on a copy of the model."""
    model, batch_size = copy.deepcopy(model).train(), model.recipe.batch_size
    optimizer = torch.optim.SGD(model.parameters())
    classify, seconds = parallel_training.shared_classify(model), []
    with torch.random.fork_rng(devices=[]):  # nothing is drawn on the GPU but dropout
        start = time.perf_counter()
        for features, genres in itertools.islice(batches(data, "train", batch_size, device), 4):
            loss, _ = train_step(model, optimizer, features, genres, classify=classify)
            float(loss)  # waits for the device
            seconds.append(time.perf_counter() - start)
            start = time.perf_counter()
    n_batches = -(-len(data.targets["train"]) // batch_size)
    return statistics.median(seconds) * n_batches  # unmoved by the first, which warms up


class Training:
    """A training run: all that a checkpoint holds, and the loop.

    Parameters
    ----------
    data : GenreFeatureData
    recipe : Recipe
    schedule : str
        The schedule's name.
    make_scheduler : callable
        Takes the optimizer and the number of epochs, and returns a torch scheduler. It is
        stepped after every epoch; ReduceLROnPlateau after every validation, with its loss.
    seed : int
    device : str
    """

    def __init__(self, data, recipe, schedule, make_scheduler, seed, device):
        torch.manual_seed(seed)
        self.data, self.recipe, self.device = data, recipe, device
        self.model = GenreLSTM(len(data.genres), recipe, data.settings).to(device)
        self.classify = parallel_training.shared_classify(self.model)
        if self.model.is_standardised:
            tracks = batches(data, "train", recipe.batch_size, device)
            self.model.standardise(features for features, _ in tracks)
        # Without weight decay this is Adam.
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.scheduler = make_scheduler(self.optimizer, recipe.epochs)
        self.weights = None
        if recipe.balanced:
            self.weights = genre_weights(data.targets["train"], len(data.genres)).to(device)
        self.history = []  # a dict an epoch, with the keys of HISTORY
        self.seconds = 0.0
        self.title = f"{schedule}, {recipe.name} recipe"
        self.settings = {
            "schedule": schedule,
            "recipe": dataclasses.asdict(recipe),
            "seed": seed,
            "genres": data.genres,
            "features": data.settings,
            "clips": {part: len(targets) for part, targets in data.targets.items()},
            "checksums": data.checksums,
        }

    def save(self, path):
        """Write a checkpoint from which `restore` goes on as if never stopped."""
        state = {
            "settings": self.settings,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "random": torch.get_rng_state(),
            "history": self.history,
            "seconds": self.seconds,
        }
        save_weights(path, state)

    def restore(self, path):
        """Go on from a checkpoint; InputError if there is none, or one of another run."""
        if not path.exists():
            raise InputError(f"nothing to resume: {path} is missing; leave out --resume")
        state = load_weights(path, self.device)
        try:
            for key, value in self.settings.items():
                if (found := state["settings"].get(key)) != value:
                    found = " ".join(str(found).split())  # on one line, whatever it is
                    raise InputError(
                        f"{path} doesn't fit this run: its {key} is {found}, here {value}; give "
                        "the same options and features, or leave out --resume"
                    )
            check_tensors(state["model"], self.model.state_dict())
            for epoch, row in enumerate(state["history"], 1):
                if tuple(row) != HISTORY or row["epoch"] != epoch:
                    raise ValueError
            if not 0 <= state["seconds"] <= MOST:
                raise ValueError
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.scheduler.load_state_dict(state["scheduler"])
            torch.set_rng_state(state["random"].cpu())
            self.history, self.seconds = state["history"], float(state["seconds"])
        except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError, RuntimeError):
            raise InputError(f"{path} holds no checkpoint; leave out --resume") from None

    def score(self, part):
        """Score the model as it is on a part; see the function of that name."""
        return score(self.model, self.data, part, self.recipe.batch_size, self.device)

    def calibrate(self):
        """Fit the temperature of the model as it is; see `calibration.calibrate`."""
        found = {}
        for part in ("validation", "test"):
            batched = answers(self.model, self.data, part, self.recipe.batch_size, self.device)
            found[part] = [torch.cat(tensors).cpu() for tensors in zip(*batched, strict=True)]
        return calibrate(found)

    def run(self, checkpoint):
        """Train the epochs that are left, saving a checkpoint after each.

        Of several processes the first validates and saves.
        """
        recipe, start = self.recipe, time.perf_counter() - self.seconds
        progress = tqdm(
            range(len(self.history) + 1, recipe.epochs + 1),
            desc="Training",
            unit="epoch",
            initial=len(self.history),
            total=recipe.epochs,
        )
        shown = {}
        for epoch in progress:
            rate = self.optimizer.param_groups[0]["lr"]
            loss, accuracy, losses = train_epoch(
                self.model, self.optimizer, self.data, self.device, self.weights, self.classify
            )
            if divergence := find_divergence(self.model, losses):
                raise InputError(
                    f"training diverged in epoch {epoch}, {divergence}: lower --learning-rate; "
                    "the last checkpoint is kept"
                )
            validation = {"loss": None, "accuracy": None}
            validated = epoch % recipe.validate_every == 0 or epoch == recipe.epochs
            if validated:
                validation = parallel_training.by_first(self.score, "validation")
                shown = {"val_loss": validation["loss"], "val_acc": validation["accuracy"]}
            if not isinstance(self.scheduler, ReduceLROnPlateau):
                self.scheduler.step()
            elif validated:
                self.scheduler.step(validation["loss"])
            row = (epoch, loss, accuracy, validation["loss"], validation["accuracy"], rate)
            self.history.append(dict(zip(HISTORY, row, strict=True)))
            self.seconds = time.perf_counter() - start
            if parallel_training.is_first():
                self.save(checkpoint)
            progress.set_postfix(loss=loss, acc=accuracy, **shown, lr=rate)


# Files


def write_history(training, result):
    """Write and draw the history so far; cells of epochs that weren't validated stay empty."""
    write_table(result / "history.csv", HISTORY, training.history)
    genre_plots.draw_history(training.history, result, training.title)


def summarise(training):
    """Score a finished run on every clip; return what summary.json holds."""
    validated = [row for row in training.history if row["val_loss"] is not None]
    best = max(validated, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
    versions = library_versions("torch", "numpy", "librosa") | {"python": platform.python_version()}
    return {
        **training.settings,
        "split": training.data.split,
        "epochs": training.recipe.epochs,
        "seconds": round(training.seconds, 1),
        "device": training.device,
        "threads": torch.get_num_threads(),
        "processes": parallel_training.n_processes(),
        "final_epoch": len(training.history),
        "best_epoch": best["epoch"],
        "best_val_accuracy": best["val_accuracy"],
        "scored_epoch": len(training.history),
        **{part: training.score(part) for part in ("validation", "test")},
        "calibration": training.calibrate(),
        "versions": versions,
    }


def write_results(training, summary, weights, result):
    """Write the weights, figures and plots of a finished run."""
    model = training.model
    kept = ("schedule", "recipe", "seed", "genres", "features", "versions")
    standardisation = None
    if model.is_standardised:
        standardisation = {"mean": model.input_mean.cpu(), "deviation": model.input_deviation.cpu()}
    content = {
        "state": {name: tensor.cpu() for name, tensor in model.state_dict().items()},
        "standardisation": standardisation,
        **{key: summary[key] for key in kept},
        "temperature": summary["calibration"]["temperature"],
    }
    save_weights(weights / "model.pt", content)
    architecture = {
        "layers": str(model),
        "parameters": sum(tensor.numel() for tensor in model.parameters()),
        "shapes": {name: list(tensor.shape) for name, tensor in model.state_dict().items()},
    }
    card = {"intended_use": INTENDED_USE, "limits": LIMITS, "architecture": architecture}
    write_json(weights / "model.json", {**card, **summary})
    write_json(result / "summary.json", summary)
    write_history(training, result)
    scores = {part: summary[part] for part in ("validation", "test")}
    genre_plots.draw_confusion(
        scores, summary["genres"], result / "confusion_mat.png", training.title
    )
    genre_plots.draw_reliability(summary["calibration"], result / "reliability.png", training.title)


# Command line


def defaults(setting):
    """Say what each recipe's value of a setting is."""
    return "(" + ", ".join(f"{name}: {getattr(r, setting)}" for name, r in RECIPES.items()) + ")"


def parse_arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=HelpFormatter)
    add, count = parser.add_argument, {"metavar": "N", "type": at_least(1)}
    folder = {"metavar": "DIR", "type": Path}
    add("--features", **folder, help="the .npy splits (default: gtzan)")
    add("--recipe", choices=list(RECIPES), default="published", help="the settings to start from")
    recipe = parser.add_argument_group("settings instead of the recipe's")
    add = recipe.add_argument
    seconds = {"metavar": "S", "type": at_least(0.0)}
    add("--epochs", **count, help=f"passes over the training clips {defaults('epochs')}")
    add("--batch-size", **count, help=f"clips a step {defaults('batch_size')}")
    add(
        "--learning-rate",
        metavar="X",
        type=at_least(1e-12),
        help=f"at the start, before the schedule {defaults('learning_rate')}",
    )
    add(
        "--shuffle",
        action=argparse.BooleanOptionalAction,
        help=f"whether batches are drawn at random, not in file order {defaults('shuffle')}",
    )
    add(
        "--input-norm",
        choices=INPUT_NORMS,
        help="nothing, mean and deviation of the training clips, each track's own mean before "
        f"those, or batch normalisation {defaults('input_norm')}",
    )
    add(
        "--deltas",
        **seconds,
        nargs="*",
        help=f"add differences to the features so many seconds before {defaults('deltas')}",
    )
    add("--crop", **seconds, help=f"seconds of a training example; 0: all {defaults('crop')}")
    add(
        "--pooling",
        choices=POOLINGS,
        help=f"how the frames of a clip are made one {defaults('pooling')}",
    )
    add = parser.add_argument
    add("--seed", metavar="N", type=at_least(0), default=0, help="of the initial weights")
    add(
        "--device",
        choices=["auto", "cpu", "cuda", "mps"],
        default="auto",
        help="auto: the first of cuda, mps, cpu that is there",
    )
    places = "; published: {0}, improved: {0}/improved"
    add("--weights", **folder, help="where <Schedule>/model.pt goes" + places.format("weights"))
    add("--result", **folder, help="where <Schedule>/*.png goes" + places.format("result"))
    add("--resume", action="store_true", help="go on where this run was stopped")
    add("--demo", action="store_true", help="use gtzan/demo, weights/demo and result/demo")
    return parser.parse_args()


def choose_recipe(options):
    """Return the recipe with the settings that the command line gives in their place."""
    recipe = RECIPES[options.recipe]
    for field in dataclasses.fields(recipe):
        if (value := getattr(options, field.name, None)) is not None:
            value = tuple(value) if isinstance(value, list) else value
            recipe = dataclasses.replace(recipe, **{field.name: value})
    return recipe


def pick_device(name):
    """Return the device asked for; InputError if this machine hasn't got it."""
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return next(device for device in available if available[device])
    if not available[name]:
        raise InputError(f"no {name} device here: leave --device at auto, or take cpu")
    return name


def train(options, data, schedule, make_scheduler, weights, result):
    """Train with a schedule from start to end, as the options say."""
    recipe = choose_recipe(options)
    device = pick_device(options.device)
    parallel_training.take_device(device)

    training = Training(data, recipe, schedule, make_scheduler, options.seed, device)
    checkpoint = weights / "checkpoint.pt"
    if options.resume:
        training.restore(checkpoint)
    epochs_left = recipe.epochs - len(training.history)
    minutes = epochs_left * seconds_per_epoch(training.model, data, device) / 60
    place = f"{device} with {torch.get_num_threads()} threads" if device == "cpu" else device
    if (n_processes := parallel_training.n_processes()) > 1:
        place += f" in each of {n_processes} processes"
    print(
        f"{schedule}: {epochs_left} epochs of {len(data.targets['train'])} clips on {place}, "
        f"about {minutes:.1f} minutes.",
        flush=True,
    )
    try:
        training.run(checkpoint)
    except KeyboardInterrupt:
        if training.history and parallel_training.is_first():
            write_history(training, result)
            n_epochs = len(training.history)
            print(f"Stopped after epoch {n_epochs}: go on with --resume.", file=sys.stderr)
        raise
    if not parallel_training.is_first():
        return
    summary = summarise(training)
    write_results(training, summary, weights, result)
    for part in ("validation", "test"):
        scores = summary[part]
        print(f"{part}: {scores['accuracy']:.2%} ({scores['correct']} of {scores['n']} clips)")
    print(f"Weights are in {weights}, plots and figures in {result}.")


def main(schedule, make_scheduler, description):
    """Train with a schedule, as the command line says, in all processes that there are."""
    options = parse_arguments(description)
    # The published recipe keeps the original's places.
    folder = "demo" if options.demo else options.recipe.removeprefix("published")
    weights = (options.weights or Path("weights", folder)) / schedule
    result = (options.result or Path("result", folder)) / schedule
    with parallel_training.together(), contextlib.ExitStack() as stack:
        data = GenreFeatureData(options.features or Path("gtzan", "demo" * options.demo)).load()
        if parallel_training.is_first():
            stack.enter_context(alone(weights, result))
        train(options, data, schedule, make_scheduler, weights, result)


def make_scheduler(optimizer, epochs):
    """Keep the learning rate as it is."""
    return ConstantLR(optimizer, factor=1.0)


if __name__ == "__main__":
    run_script(main, "Constant", make_scheduler, __doc__)
