"""The plan, as data: features, steps, schedules and seeds of every run."""

import dataclasses
import itertools
from pathlib import Path
from typing import NamedTuple

from genre_lstm.recipes import RECIPES, Recipe, recipe_options

# A constant rate needs no runs: the first 30 % of PiecewiseDecay show it.
SCHEDULES = PIECEWISE, PLATEAU = "PiecewiseDecay", "ReduceLROnPlateau"
FEATURES = {
    "index-control": "split by track number, unfiltered",
    "index-lowpass": "the same clips, low-passed at 9 kHz",
    "index-both": "both versions of each training clip, see experiments.both",
    "filtered-control": "GTZAN's fault-filtered split, which keeps artists apart, unfiltered",
    "filtered-lowpass": "the same clips, low-passed at 9 kHz",
    "filtered-both": "both versions of each training clip",
    "ten-control": "all ten genres, fault-filtered split, unfiltered",
    "ten-lowpass": "the same clips, low-passed at 9 kHz",
    "ten-both": "both versions of each training clip",
    "emotify": "excerpts of Emotify, another data set, artists kept apart",
    "emotify-1536": "the same excerpts at a hop of 1536 samples instead of 1709",
}
SPLITS = ("index", "filtered", "ten")
INDEX, FILTERED, TEN = ((f"{split}-control", f"{split}-lowpass") for split in SPLITS)
BOTH = tuple(f"{split}-both" for split in SPLITS)
IMPROVED = RECIPES["improved"]

# Each step of the ladder adds its changes to those of the steps before.
LADDER = {
    "published": {},
    "shuffled": {"shuffle": True},
    "short": {"epochs": 120, "learning_rate": 1e-3},
    "standardised": {"input_norm": "standardise"},
    "mean-normalised": {"input_norm": "mean-normalised"},
    "differences": {"difference_lags": IMPROVED.difference_lags},
    "crops": {"crop_seconds": IMPROVED.crop_seconds},
    "pooled": {"pooling": IMPROVED.pooling},
    # Also chroma rotation, masking, mixup, class weights, dropout, weight decay and clipping, with
    # three times the learning rate and twice the epochs.
    "improved": dataclasses.asdict(IMPROVED),
}
# Single changes to the improved recipe, with half its epochs, as many as the ladder's steps have:
# five seeds on two splits score as with all of them, within the spread of the seeds.
BASE = "improved-120-epochs"
CHANGES = {
    BASE: {"epochs": 120},
    # The original's suggestions
    "improved-batch-norm": {"input_norm": "batch"},
    "improved-attention": {"pooling": "attention"},
    # What the improved recipe needs; the ladder shows the rest
    "improved-unshuffled": {"shuffle": False},
    "improved-no-differences": {"difference_lags": ()},
    # No change, but other instructions of the processor, which round otherwise
    "improved-avx2": {},
}
ENVIRONMENT = {"improved-avx2": ["env", "ATEN_CPU_CAPABILITY=avx2", "ONEDNN_MAX_CPU_ISA=AVX2"]}
FINAL = ("published", "improved", "svm")  # only these are scored on the test subset

STEPS, recipe = {}, Recipe()
for step, changes in LADDER.items():
    STEPS[step] = recipe = dataclasses.replace(recipe, **changes)
for step, change in CHANGES.items():
    STEPS[step] = dataclasses.replace(IMPROVED, **CHANGES[BASE] | change)
RUNGS = list(LADDER)[2:-1]  # those of 120 epochs between the published and the improved recipe

PLAN = (  # features, steps, schedules, number of seeds; runs of half an hour and more come last
    (tuple(FEATURES), ("svm",), ("",), 1),
    ((*INDEX, *FILTERED), ("improved",), (PIECEWISE, PLATEAU), 5),
    (("ten-control", "ten-lowpass", "emotify", "emotify-1536"), ("improved",), (PIECEWISE,), 5),
    ((*BOTH, "filtered-lowpass"), (BASE,), (PIECEWISE,), 5),
    (("index-lowpass",), tuple(CHANGES), (PIECEWISE,), 5),
    (("index-lowpass",), tuple(RUNGS), (PIECEWISE,), 3),
    (("index-control",), ("short",), (PIECEWISE,), 3),
    (INDEX, ("published",), (PIECEWISE, PLATEAU), 3),
    (("filtered-control", "filtered-lowpass", "emotify"), ("published",), (PIECEWISE,), 3),
    (("index-lowpass",), ("shuffled",), SCHEDULES, 1),
)


# What the texts compare clip by clip: features and step of two rows, with PiecewiseDecay.
PAIRS = (
    *((f"{split}-control/improved", f"{split}-lowpass/improved") for split in SPLITS),
    ("index-control/published", "index-lowpass/published"),
    *((f"{split}-control/svm", f"{split}-lowpass/svm") for split in SPLITS),
    *((f"{split}-lowpass/svm", f"{split}-lowpass/improved") for split in SPLITS),
    *((f"{split}-lowpass/improved", f"{split}-both/{BASE}") for split in SPLITS),
    *((f"{split}-lowpass/improved", f"{split}-lowpass/{BASE}") for split in SPLITS[:2]),
    *((f"index-lowpass/{BASE}", f"index-lowpass/{step}") for step in list(CHANGES)[1:]),
    ("emotify/svm", "emotify/improved"),
    ("emotify/published", "emotify/improved"),
    ("emotify/improved", "emotify-1536/improved"),
)


class Run(NamedTuple):
    """One training, or one fit of the support vector machine, which has no schedule and no seed."""

    features: str
    step: str
    schedule: str
    seed: str

    @property
    def name(self):
        """The step, schedule and seed, as in improved/PiecewiseDecay-0."""
        return f"{self.step}/{self.schedule}-{self.seed}" if self.schedule else self.step

    def weights(self, runs):
        """Return the folder of the run's model.pt."""
        return Path(runs, self.features, self.name, "weights", self.schedule)

    def result(self, runs):
        """Return the folder of the run's summary.json, which is written last."""
        return Path(runs, self.features, self.name, "result", self.schedule)

    def command(self, features, runs):
        """Return the words of the run's command line; an interrupted run is resumed."""
        weights, result = self.weights(runs), self.result(runs)
        folder = ["--features", Path(features, self.features)]
        line = ["python", "-m", "experiments.baseline", *folder, "--output", result]
        if self.step != "svm":
            script = f"lstm_genre_classifier_pytorch_{self.schedule}.py"
            line = [*ENVIRONMENT.get(self.step, []), "python", script, *folder]
            line += ["--weights", weights.parent, "--result", result.parent, "--device", "cpu"]
            line += ["--seed", self.seed, *recipe_options(STEPS[self.step])]
            line += ["--resume"] * (weights / "checkpoint.pt").exists()
        return [str(word) for word in line]


RUNS = [
    Run(*run, str(seed) if run[2] else "")
    for features, steps, schedules, n_seeds in PLAN
    for seed in range(n_seeds)
    for run in itertools.product(features, steps, schedules)
]
