"""A training run: everything around the training itself, which the training scripts show.

That is the data, the device, torchrun's processes, locks, progress, checkpoints and files. Nothing
here computes a gradient, or steps an optimizer or a scheduler.
"""

import contextlib
import dataclasses
import platform
import shlex
import sys
import time

import torch
from tqdm import tqdm

from common.cli import library_versions
from common.errors import InputError
from common.files import lock_folders
from genre_features.cache import GenreFeatureData
from genre_lstm import calibration, checkpoint, processes, results, scoring
from genre_lstm.device import flush_denormals, is_out_of_memory, pick_device
from genre_lstm.recipes import recipe_title
from genre_lstm.training import check_batch_norm, find_divergence, hold, seconds_per_epoch


@contextlib.contextmanager
def training_run(schedule, options):
    """Open the data and lock the folders of a training run; yield a `TrainingRun`.

    Parameters
    ----------
    schedule : str
    options : argparse.Namespace
        See `options.parse_options`.
    """
    with (
        processes.process_group(),
        report_out_of_memory(),
        flush_denormals(),
        contextlib.ExitStack() as stack,
    ):
        run = TrainingRun(schedule, options)
        if processes.is_rank_zero():
            stack.enter_context(lock_folders(run.weights, run.result))
        try:
            yield run
        except KeyboardInterrupt:
            run.stop()
            raise
        weights = run.weights.as_posix()  # cmd.exe reads backslashes in quotes differently
        command = shlex.join(["python", "predict.py", "song.mp3", "--weights", weights])
        picture = run.result / f"confusion_mat.{run.format}"
        print(f"Curves and scores are in {run.result}: open {picture}.")
        print(f"Weights are in {run.weights}. Next: {command}")


@contextlib.contextmanager
def report_out_of_memory():
    """Turn PyTorch's errors for lack of memory in the block into an InputError."""
    try:
        yield
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise InputError(
                "not enough memory on the device: give a smaller --batch-size, or another --device"
            ) from None
        raise


class TrainingRun:
    """A training run with its data, folders and history.

    Attributes
    ----------
    schedule : str
    recipe : Recipe
    seed : int
    device : str
    data : GenreFeatureData
    weights, result : pathlib.Path
        The folders of the run's files.
    history : list of dict
        A row of history.csv per epoch.
    seconds : float
        Time trained, including that of earlier sessions.
    identity : dict
        What must be equal for a checkpoint to belong to this run.
    title : str
        Of the figures.
    format : str
        The suffix of the figures.
    resumes : bool
        Whether the run goes on from its checkpoint.
    model, optimizer, scheduler
        What is trained, from `start` on; a checkpoint holds their states.
    """

    def __init__(self, schedule, options):
        self.schedule, self.recipe, self.seed = schedule, options.recipe, options.seed
        self.resumes, self.format = options.resume, options.format
        self.weights, self.result = options.weights / schedule, options.result / schedule
        self.data = data = GenreFeatureData(options.features).load()
        self.device = pick_device(options.device)
        processes.set_local_device(self.device)
        if self.device != "cpu":
            hold(data, self.device)
        self.model = self.optimizer = self.scheduler = None
        self.history, self.seconds = [], 0.0
        self.shown = {}  # the last validation's scores, beside the progress bar
        self.answers = {}  # to the clips of each subset, in the first process
        self.title = f"{schedule}, {recipe_title(self.recipe)}"
        self.identity = {
            "schedule": schedule,
            "recipe": dataclasses.asdict(self.recipe),
            "seed": self.seed,
            "genres": data.genres,
            "settings": dataclasses.asdict(data.settings),
            "clips": {subset: len(targets) for subset, targets in data.targets.items()},
            "checksums": data.checksums,
        }

    def place(self, model):
        """Return a model on the run's device, its work split across torchrun's processes."""
        return processes.share(model.to(self.device))

    def start(self, model, optimizer, scheduler=None):
        """Take over what is trained, with --resume as it was when interrupted, and announce it."""
        self.model, self.optimizer, self.scheduler = model, optimizer, scheduler
        check_batch_norm(model, self.data)
        if self.resumes:
            checkpoint.restore(self)
        else:
            checkpoint.refuse_to_lose(self)
        n_epochs = self.recipe.epochs - len(self.history)
        minutes = n_epochs * seconds_per_epoch(model, self.data) / 60
        place = self.device
        if self.device == "cpu":
            n_threads = torch.get_num_threads()
            place += f" with {n_threads} thread" + "s" * (n_threads != 1)
        if (world_size := processes.world_size()) > 1:
            place += f" in each of {world_size} processes"
        n_clips = len(self.data.targets["train"])
        print(
            f"{self.schedule}: {n_epochs} epochs of {n_clips} clips on {place}, "
            f"about {minutes:.1f} minutes.",
            flush=True,
        )

    def epochs(self):
        """Yield the number of each epoch that is left, under a progress bar."""
        n_done, n_epochs = len(self.history), self.recipe.epochs
        self.began = time.perf_counter() - self.seconds
        left = range(n_done + 1, n_epochs + 1)
        self.progress = tqdm(left, "Training", unit="epoch", initial=n_done, total=n_epochs)
        for epoch in self.progress:
            self.learning_rate = self.optimizer.param_groups[0]["lr"]
            yield epoch

    def validate(self, epoch):
        """Score the model on the validation subset; None in the epochs between validations."""
        if not self.recipe.validates_after(epoch):
            return None
        return processes.on_rank_zero(self.score, "validation")

    def score(self, subset):
        """Score the model on a subset; see `scoring.score`."""
        return scoring.score(scoring.answer(self.model, self.data, subset), self.data.genres)

    def record(self, epoch, trained, validated):
        """Append an epoch to the history, and save a checkpoint.

        Parameters
        ----------
        epoch : int
        trained : training.Epoch
        validated : dict or None
            See `validate`.

        Raises
        ------
        InputError
            Training diverged.
        """
        if divergence := find_divergence(self.model, trained.losses):
            raise InputError(
                f"training diverged in epoch {epoch}, {divergence}: lower --learning-rate"
            )
        scores = validated or {"loss": None, "accuracy": None}
        row = (epoch, trained.loss, trained.accuracy, scores["loss"], scores["accuracy"])
        row = dict(zip(results.HISTORY, (*row, self.learning_rate), strict=True))
        self.history.append(row)
        self.seconds = time.perf_counter() - self.began
        if processes.is_rank_zero():
            checkpoint.save(self)
        if validated:
            self.shown = {"val_loss": scores["loss"], "val_acc": scores["accuracy"]}
        now = {"loss": trained.loss, "acc": trained.accuracy, "lr": self.learning_rate}
        self.progress.set_postfix(**now, **self.shown)

    def stop(self):
        """After Ctrl-C, write the curves so far and print how to continue."""
        if self.history and processes.is_rank_zero():
            results.write_curves(self.history, self.result, self.title, self.format)
            print(
                f"Stopped after epoch {len(self.history)}: continue with --resume.",
                file=sys.stderr,
            )

    def summarise(self):
        """Score the trained model on every clip; return the content of summary.json."""
        summary = processes.on_rank_zero(self.make_summary)
        for subset in ("validation", "test"):
            print(f"{subset}: {results.describe(summary[subset])}")
        return summary

    def make_summary(self):
        """Return the content of summary.json, and keep the answers that it was computed from."""
        subsets = ("validation", "test")
        batches = {subset: scoring.answer(self.model, self.data, subset) for subset in subsets}
        self.answers = {subset: scoring.join(batches[subset]) for subset in subsets}
        validated = [row for row in self.history if row["val_loss"] is not None]
        best = max(validated, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
        return {
            **self.identity,
            "split": self.data.split,
            "epochs": self.recipe.epochs,
            "seconds": round(self.seconds, 1),
            "device": self.device,
            "threads": torch.get_num_threads(),
            "processes": processes.world_size(),
            "final_epoch": len(self.history),
            "best_epoch": best["epoch"],
            "best_val_accuracy": best["val_accuracy"],
            "scored_epoch": len(self.history),
            **{subset: scoring.score(batches[subset], self.data.genres) for subset in subsets},
            "calibration": calibration.calibrate(self.answers),
            "versions": library_versions("torch", "numpy", "scipy")
            | {"python": platform.python_version()},
        }

    def write_weights(self, summary):
        """Write model.pt and model.json."""
        files = (self.model, self.data.settings, summary, self.weights)
        processes.on_rank_zero(results.write_weights, *files)

    def write_curves(self):
        """Write history.csv and draw its columns."""
        files = (self.history, self.result, self.title, self.format)
        processes.on_rank_zero(results.write_curves, *files)

    def write_scores(self, summary):
        """Write summary.json, predictions.csv, the confusion matrices and the reliability."""
        files = (summary, self.answers, self.data.tracks, self.result, self.title, self.format)
        processes.on_rank_zero(results.write_scores, *files)
