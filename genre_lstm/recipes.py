"""The recipes: every setting of a training, with its reason. Imports no torch."""

import dataclasses

# Names of the ways to train, and of their folders in weights/ and result/. The first is preferred.
SCHEDULES = ("PiecewiseDecay", "ReduceLROnPlateau", "Constant")
INPUT_NORMS = ("none", "standardise", "mean-normalised", "batch")
POOLINGS = ("last", "mean", "attention", "statistics")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The settings of a training run; the defaults are the published ones. Lengths in seconds."""

    name: str = "published"
    epochs: int = 1000
    batch_size: int = 35  # as in the original, which validated on three batches
    learning_rate: float = 3e-5  # the first that the original's report calls stable
    validate_every: int = 10  # epochs
    hidden_size: int = 128  # of each LSTM layer
    n_layers: int = 2  # as in the original
    shuffle: bool = False  # in file order 35 clips in a row are of one genre
    class_weighted: bool = False  # the loss weighs each clip by how rare its genre is
    input_norm: str = "none"
    difference_lags: tuple[float, ...] = ()  # differences to the features this much earlier, s
    crop_seconds: float = 0.0  # length of a training example, s; 0 for the whole clip
    roll_chroma: bool = False  # rotate the chroma at random: a genre has no key
    pooling: str = "last"
    dropout: float = 0.0  # between the LSTM layers
    weight_decay: float = 0.0
    max_grad_norm: float = 0.0  # of the gradient; 0 for no limit
    mask_prob: float = 0.0  # share of the inputs that each training example does without
    mixup_alpha: float = 0.0  # alpha of the Beta distribution by which examples are mixed; 0: not

    def validates_after(self, epoch):
        """Whether the validation subset is scored after an epoch; it always is after the last."""
        return epoch % self.validate_every == 0 or epoch == self.epochs


RECIPES = {
    "published": Recipe(),
    "improved": Recipe(
        name="improved",
        epochs=240,  # mixed examples take longer to learn
        batch_size=32,  # close to the published one
        learning_rate=3e-3,  # a hundred times the published: the inputs are standardised
        validate_every=2,  # so that the patience of ReduceLROnPlateau fits in
        shuffle=True,  # every batch shows all genres
        class_weighted=True,  # data sets of one's own have uneven counts; GTZAN's are nearly even
        input_norm="mean-normalised",  # what a recording chain adds is constant over a track
        difference_lags=(0.08, 0.31, 1.24),  # what changes within a note, a beat and a bar
        crop_seconds=8.0,  # some bars of music, cut anew in every epoch
        roll_chroma=True,  # twelve keys of each example
        pooling="statistics",  # how the frames vary tells as much as how they are
        dropout=0.3,  # between the layers, against learning 419 clips by heart
        weight_decay=0.01,  # the default of PyTorch's AdamW
        max_grad_norm=1.0,  # unclipped, single batches throw training back
        mask_prob=0.1,  # no single feature is to be relied on
        mixup_alpha=0.3,  # new examples between those of 419 clips
    ),
}


def changed_settings(recipe, base):
    """Return the settings of a recipe that differ from another's, as a dict."""
    return {
        name: value
        for name, value in dataclasses.asdict(recipe).items()
        if value != getattr(base, name)
    }


def recipe_title(recipe):
    """Name a recipe and the settings that were changed in it, as in "published, 60 epochs"."""
    changed = changed_settings(recipe, RECIPES[recipe.name]).items()
    if not changed:
        return f"{recipe.name} recipe"
    return ", ".join([recipe.name, *(describe(name, value) for name, value in changed)])


def describe(name, value):
    """Say in a few words what a setting is, as in "60 epochs" or "batch size 5"."""
    return f"{value} epochs" if name == "epochs" else f"{name.replace('_', ' ')} {value}"
