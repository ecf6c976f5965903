"""A training run: everything around the training itself, which the training scripts show.

That is the data, the device, torchrun's processes, locks, progress, checkpoints and files. Nothing
here computes a gradient, or steps an optimizer or a scheduler.
"""

import contextlib
import dataclasses
import shlex
import sys
import time

import numpy as np
import torch
from tqdm import tqdm

from common.errors import InputError, print_note
from common.files import lock_folders
from common.memory import keep_freed_memory
from genre_features.cache import GenreFeatureData
from genre_lstm import checkpoint, results, scoring
from genre_lstm.batches import EpochStats, batches, class_weights, preload
from genre_lstm.device import flush_denormals, pick_device, report_out_of_memory
from genre_lstm.processes import (
    Shard,
    is_rank_zero,
    on_rank_zero,
    process_group,
    set_local_device,
    world_size,
)
from genre_lstm.recipes import recipe_title

MAX_LOSS = 1000  # nats per clip: beyond it, training has diverged
REDRAW_SECONDS = 60  # between redrawings of the curves; drawing takes under 1 % of the time


@contextlib.contextmanager
def training_run(schedule, options):
    """Open the data and lock the folders of a training run; yield a `TrainingRun`.

    Parameters
    ----------
    schedule : str
        The name of the folders in ``weights/`` and ``result/``.
    options : argparse.Namespace
        See `options.parse_options`.
    """
    keep_freed_memory()
    with (
        process_group(),
        report_out_of_memory("give a smaller --batch-size, or another --device"),
        flush_denormals(),
        contextlib.ExitStack() as stack,
    ):
        run = TrainingRun(schedule, options)
        if is_rank_zero():
            stack.enter_context(lock_folders(run.weights, run.result))
        checkpoint.check_no_unfinished_run(run)
        try:
            yield run
        except KeyboardInterrupt:
            run.on_interrupt()
            raise


class TrainingRun:
    """A training run with its data, folders and history.

    Attributes
    ----------
    schedule, title, format : str
        The title and the suffix are those of the figures.
    recipe : Recipe
    seed : int
    device : str
    data : GenreFeatureData
    weights, result : pathlib.Path
        The folders of the run's files.
    shard : Shard
        The part of each batch that this process trains on; see `processes`.
    history : list of dict
        A row of history.csv per epoch.
    seconds : float
        Time trained, including that of earlier sessions.
    config : dict
        What must be equal for a checkpoint to belong to this run.
    resume : bool
        Whether the run continues from its checkpoint.
    model, optimizer, scheduler
        Those of the training, from `epochs` on; a checkpoint holds their states.
    """

    def __init__(self, schedule, options):
        self.schedule, self.recipe, self.seed = schedule, options.recipe, options.seed
        self.resume, self.format = options.resume, options.format
        self.weights, self.result = options.weights / schedule, options.result / schedule
        given = options.genres, options.hop_length
        self.data = data = GenreFeatureData(options.features, *given).load()
        if self.recipe.frame_step:
            data.subsample(self.recipe.frame_step)
        self.device = pick_device(options.device, self.recipe.dropout)
        set_local_device(self.device)
        if self.device != "cpu":
            preload(data, self.device)
        self.shard = Shard()
        self.history, self.seconds, self.last_drawn = [], 0.0, 0.0
        self.numbers = {}  # beside the progress bar
        self.title = f"{schedule}, {recipe_title(self.recipe)}"
        self.config = {
            "schedule": schedule,
            "recipe": dataclasses.asdict(self.recipe),
            "seed": self.seed,
            "genres": data.genres,
            "settings": dataclasses.asdict(data.settings),
            "clips": {subset: len(targets) for subset, targets in data.targets.items()},
            "checksums": data.checksums,
        }

    def batches(self, subset, shuffle=False):
        """Yield (features, targets) of a subset's batches; see `batches.batches`."""
        for batch in batches(self.data, subset, self.recipe.batch_size, self.device, shuffle):
            yield batch
            self.shard.restore()

    def class_weights(self):
        """Return the weight of each genre in the loss, if the recipe weights them, else None."""
        if not self.recipe.class_weighted:
            return None
        return class_weights(self.data.targets["train"], len(self.data.genres)).to(self.device)

    def epochs(self, model, optimizer, scheduler):
        """Yield the number of each epoch that is to be trained, with a progress bar.

        With --resume, model, optimizer and scheduler are first restored from the checkpoint.
        """
        self.model, self.optimizer, self.scheduler = model, optimizer, scheduler
        if self.resume:
            checkpoint.restore(self)
        n_done, n_epochs = len(self.history), self.recipe.epochs
        self.announce(n_epochs - n_done)
        self.start_time = time.perf_counter() - self.seconds
        epochs = range(n_done + 1, n_epochs + 1)
        bar = {"unit": "epoch", "initial": n_done, "total": n_epochs, "disable": None}
        with tqdm(epochs, "Training", **bar) as self.progress:
            for epoch in self.progress:
                self.stats = EpochStats()
                self.learning_rate = optimizer.param_groups[0]["lr"]
                yield epoch

    def announce(self, n_epochs):
        """Print what is trained, where, and where the results appear."""
        n_clips, curves = len(self.data.targets["train"]), self.result / f"graph_loss.{self.format}"
        if (self.result / "summary.json").exists() and is_rank_zero():
            print_note(f"Replacing the finished run in {self.result}.")
        print(
            f"{self.schedule}: {n_epochs} epochs of {n_clips} clips on {self.device} (processes: "
            f"{world_size()}, threads in each: {torch.get_num_threads()}). Curves: {curves}",
            flush=True,
        )

    def log_batch(self, loss, log_probs, targets):
        """Add a batch to the epoch's training loss and accuracy."""
        self.stats.add(loss, log_probs, targets, self.shard.n_clips(targets))

    def validate(self):
        """Return the scores on the validation subset; None in the epochs between validations."""
        epoch = len(self.history) + 1
        if epoch % self.recipe.validate_every and epoch < self.recipe.epochs:
            return None
        return on_rank_zero(lambda: scoring.evaluate(self.model, self.data, "validation")[0])

    def save_checkpoint(self, val_scores):
        """Add the epoch to the history, and save checkpoint.pt and history.csv.

        Parameters
        ----------
        val_scores : dict or None
            See `validate`.

        Raises
        ------
        InputError
            The weights aren't finite, or the loss is huge.
        """
        loss, accuracy = self.stats.means()
        scores = val_scores or {"loss": None, "accuracy": None}
        epoch = len(self.history) + 1
        row = (epoch, loss, accuracy, scores["loss"], scores["accuracy"], self.learning_rate)
        history = [*self.history, dict(zip(results.HISTORY, row, strict=True))]
        is_finite = all(torch.isfinite(tensor).all() for tensor in self.model.state_dict().values())
        if not is_finite or max(loss, scores["loss"] or 0) > MAX_LOSS:
            raise InputError(f"training diverged in epoch {epoch}: lower --learning-rate")
        self.seconds = time.perf_counter() - self.start_time
        if is_rank_zero():
            checkpoint.save(self, history)
        self.history = history  # not earlier: what `on_interrupt` reports is in the checkpoint
        if is_rank_zero():
            # The file that says that a run is finished; `write_results` writes it last.
            (self.result / "summary.json").unlink(missing_ok=True)
            # Windows can't replace a file that another program, such as Excel, has open.
            with contextlib.suppress(PermissionError):
                self.show_progress(val_scores)
                results.write_history(self)

    def show_progress(self, val_scores):
        """Show the epoch's numbers beside the progress bar, and now and then redraw the curves."""
        row = self.history[-1]
        self.numbers |= {"loss": row["train_loss"], "acc": row["train_accuracy"]}
        self.numbers["lr"] = row["learning_rate"]
        if val_scores:
            self.numbers |= {"val_loss": row["val_loss"], "val_acc": row["val_accuracy"]}
        self.progress.set_postfix(self.numbers)
        if val_scores and self.progress.disable:
            text = ", ".join(f"{name} {value:.3g}" for name, value in self.numbers.items())
            print(f"epoch {row['epoch']} of {self.recipe.epochs}: {text}", file=sys.stderr)
        if val_scores and self.seconds - self.last_drawn > REDRAW_SECONDS:
            results.draw_curves(self, ("graph_loss", "graph_accuracy"))
            self.last_drawn = time.perf_counter() - self.start_time

    def on_interrupt(self):
        """After Ctrl-C, draw the curves so far and print how to continue."""
        if self.history and is_rank_zero():
            results.write_history(self)
            results.draw_curves(self)
            n_epochs = len(self.history)
            print(f"Stopped after epoch {n_epochs}: continue with --resume.", file=sys.stderr)

    def write_results(self):
        """Score the trained model, and write weights, curves, scores and predictions."""
        summary = on_rank_zero(results.write_results, self)
        for subset in self.data.targets:
            if subset != "train":
                print(f"{subset}: {results.format_scores(summary[subset])}")
        counts = np.bincount(self.data.targets["validation"])
        if summary["validation"]["correct"] <= counts.max():
            print("That is no better than always predicting the most frequent genre.")
        if "test" not in summary:
            print("The features have no test subset: the model isn't tested.")
        weights = self.weights.as_posix()  # cmd.exe reads backslashes in quotes differently
        command = shlex.join(["python", "predict.py", "song.mp3", "--weights", weights])
        figure = self.result / f"confusion_mat.{self.format}"
        print(f"Curves and scores are in {self.result}: open {figure}.")
        print(f"Weights are in {self.weights}. Next: {command}")
