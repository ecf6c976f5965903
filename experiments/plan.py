"""What is run: the steps of the ladder, the original's suggestions, the schedules, the seeds."""

import dataclasses
import hashlib
import json

from genre_lstm.recipes import RECIPES, SCHEDULES, Recipe, changed_settings

PIECEWISE, PLATEAU, CONSTANT = SCHEDULES

# The features that runs are trained on, each named on the command line.
SPLITS = {
    "index": "features split by track number",
    "control": "features of the clips as they are, otherwise made like those low-passed",
    "lowpass": "features split by track number, made with --lowpass 9000",
    "filtered-control": "the clips of --control, split with --split filtered",
    "filtered-lowpass": "the clips of --lowpass, split with --split filtered",
    "both": "the clips of --control and of --lowpass, put together by experiments.merge",
    "emotify": "features of another data set: excerpts of Emotify, artists kept apart",
}
# Pairs of the same clips, as they are and low-passed.
INDEX_SPLITS, FILTERED_SPLITS = ("control", "lowpass"), ("filtered-control", "filtered-lowpass")
MODEL_SPLITS = (*INDEX_SPLITS, "both")  # whose models are shown other audio
IMPROVED = RECIPES["improved"]

# From the published recipe to the improved one, all on low-passed features: each step keeps the
# changes of those before.
LADDER = {
    "published": {},
    "shuffle": {"shuffle": True},
    # Raw features or not, every step from here on has the time to learn what it can.
    "short": {"epochs": 120, "learning_rate": 1e-3},
    "standardise": {"input_norm": "standardise"},
    "mean-normalised": {"input_norm": "mean-normalised"},
    "deltas": {"difference_lags": IMPROVED.difference_lags},
    "crop": {"crop_seconds": IMPROVED.crop_seconds},
    "pooling": {"pooling": IMPROVED.pooling},
    # The rest: transposed, masked and mixed examples, a balanced loss, dropout, weight decay,
    # clipped gradients, and for all that three times the rate and twice the epochs.
    "improved": {field.name: getattr(IMPROVED, field.name) for field in dataclasses.fields(Recipe)},
}

# The original's suggestions, each alone: where its features are raw, and in the improved recipe.
SUGGESTIONS = {
    "short": {"batch-norm": {"input_norm": "batch"}, "attention": {"pooling": "attention"}},
    "improved": {
        "improved, batch-norm": {"input_norm": "batch"},
        "improved, attention": {"pooling": "attention"},
    },
}

# The improved recipe without one of its subsets.
WITHOUT = {
    "improved, unshuffled": {"shuffle": False},
    "improved, standardised only": {"input_norm": "standardise"},
    "improved, no deltas": {"difference_lags": ()},
    "improved, mean pooling": {"pooling": "mean"},
    "improved, last frame": {"pooling": "last"},
}

# On each clip in two versions, an epoch takes twice as many steps.
HALVED = "improved, 120 epochs"

# Of these steps the three schedules are compared, without shuffling and with it.
COMPARED = {
    "published": ("published", "shuffle"),
    "improved": ("improved, unshuffled", "improved"),
}

# The steps whose settings are not up for choice: of them alone test scores are kept.
FINAL = ("published", "improved", "svm")


@dataclasses.dataclass(frozen=True)
class Run:
    """One training: a step's recipe on the features of a split, with a schedule and a seed."""

    step: str
    split: str
    schedule: str
    seed: int

    @property
    def recipe(self):
        return STEPS[self.step]

    def fingerprint(self, checksums):
        """Return what identifies the run's settings and data, given the data's checksums.

        Settings at their published values don't count: one that is added later, and leaves the
        published recipe as it was, leaves what was run before as it was too.
        """
        settings = [changed_settings(self.recipe, Recipe()), self.schedule, self.seed, checksums]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]

    def arguments(self):
        """Return Python's arguments for this run: the script and its options."""
        script = [f"lstm_genre_classifier_pytorch_{self.schedule}.py"]
        if self.schedule == CONSTANT:
            script = ["-m", "experiments.constant_rate"]
        base = RECIPES[self.recipe.name]
        options = ["--recipe", base.name, "--seed", str(self.seed)]
        for name, value in changed_settings(self.recipe, base).items():
            option = name.replace("_", "-")
            if isinstance(value, bool):
                options.append(f"--{option}" if value else f"--no-{option}")
            else:
                values = value if isinstance(value, tuple) else (value,)
                options += [f"--{option}", *map(str, values)]
        return [*script, *options]


def build_steps():
    """Return the recipe of every step, by its name."""
    steps, recipe = {}, Recipe()
    for step, changes in LADDER.items():
        steps[step] = recipe = dataclasses.replace(recipe, **changes)
    for base, suggestions in SUGGESTIONS.items():
        for step, changes in suggestions.items():
            steps[step] = dataclasses.replace(steps[base], **changes)
    for step, changes in WITHOUT.items():
        steps[step] = dataclasses.replace(IMPROVED, **changes)
    steps[HALVED] = dataclasses.replace(IMPROVED, epochs=IMPROVED.epochs // 2)
    return steps


STEPS = build_steps()


def build_runs():
    """Return every run: each once, then again with the next seed, those of half an hour last."""
    runs = []
    for seed in range(5):
        for split in ("index", *INDEX_SPLITS, *FILTERED_SPLITS):
            runs += [Run("improved", split, schedule, seed) for schedule in (PIECEWISE, PLATEAU)]
    lasting = ("published", "shuffle")
    rungs = [step for step in LADDER if step not in ("improved", *lasting)]
    changed = [*SUGGESTIONS["short"], *SUGGESTIONS["improved"], *WITHOUT]
    changed.remove("improved, unshuffled")  # with every schedule, below
    for seed in range(3):
        runs += [Run(step, "lowpass", PIECEWISE, seed) for step in rungs]
        runs += [Run("short", split, PIECEWISE, seed) for split in ("control", "index")]
        runs += [Run(step, "index", PIECEWISE, seed) for step in changed]
        runs += [Run("improved, unshuffled", "index", schedule, seed) for schedule in SCHEDULES]
        runs += [Run("improved", "index", CONSTANT, seed)]
        runs += [Run(HALVED, "both", PIECEWISE, seed), Run("improved", "emotify", PIECEWISE, seed)]
    for seed in range(2):
        for step in lasting:
            runs += [Run(step, "index", schedule, seed) for schedule in SCHEDULES]
    for seed in range(3):
        for split in INDEX_SPLITS:
            runs += [Run("published", split, schedule, seed) for schedule in (PIECEWISE, PLATEAU)]
        runs += [Run("shuffle", "lowpass", PIECEWISE, seed)]
        runs += [Run("published", "emotify", PIECEWISE, seed)]
    return runs


RUNS = build_runs()
