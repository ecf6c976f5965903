"""The recipes: every setting of a training, with its bounds and its reason."""

import dataclasses

from common.errors import MAX_NUMBER

INPUT_NORMS = ("none", "standardise", "mean-normalised", "batch")
POOLINGS = ("last", "mean", "attention", "statistics")


def setting(default, help, *bounds, choices=None):
    """Return a field of `Recipe`: the published value, the text for --help, and the bounds."""
    metadata = {"help": help, "bounds": bounds, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The settings of a training run. The defaults are the published ones.

    Every setting is an option of the training scripts, within the bounds given here (lowest and,
    if there is one, highest value).
    """

    name: str = "published"
    epochs: int = setting(1000, "passes over the training clips", 1)
    # The original's: its 105 validation clips are three batches.
    batch_size: int = setting(35, "clips per step", 1)
    # The original's report preferred it to larger rates, though training still oscillated.
    learning_rate: float = setting(3e-5, "at the start of the schedule", 1e-12)
    validate_every: int = setting(10, "epochs between validations", 1)
    hidden_size: int = setting(128, "units of each LSTM layer", 1, 4096)
    n_layers: int = setting(2, "LSTM layers", 1, 64)
    # Clips in file order make batches of a single genre: the original's way.
    shuffle: bool = setting(False, "draw batches at random instead of in file order")
    class_weighted: bool = setting(False, "weight each clip's loss by how rare its genre is")
    input_norm: str = setting(
        "none",
        "raw features; standardised by the training clips; each track's mean removed first, as in "
        "cepstral mean normalisation; batch normalisation",
        choices=INPUT_NORMS,
    )
    frame_step: float = setting(0.0, "seconds between the frames used, 0 for all frames", 0.0)
    difference_lags: tuple = setting((), "append differences to the frames S seconds earlier", 0.0)
    crop_seconds: float = setting(0.0, "seconds of a training example, 0 for the whole clip", 0.0)
    roll_chroma: bool = setting(False, "transpose the chroma of each example at random")
    pooling: str = setting("last", "how the LSTM's frames are combined", choices=POOLINGS)
    dropout: float = setting(0.0, "between the LSTM layers", 0.0, 0.99)
    weight_decay: float = setting(0.0, "of AdamW; at 0 it is Adam", 0.0)
    max_grad_norm: float = setting(0.0, "clip the gradient to this norm, 0 for no limit", 0.0)
    mask_prob: float = setting(0.0, "probability that an example's input is set to 0", 0.0, 0.99)
    mixup_alpha: float = setting(0.0, "of mixup's Beta distribution, 0 for no mixup", 0.0)

    @classmethod
    def from_dict(cls, saved):
        """Return the recipe saved as a dict; a setting that was added since has its default.

        ValueError or TypeError if a setting is unknown or impossible.
        """
        recipe = cls(**saved)
        settings = dataclasses.fields(cls)[1:]
        if not all(is_possible(field, getattr(recipe, field.name)) for field in settings):
            raise ValueError("a setting is impossible")
        return dataclasses.replace(recipe, difference_lags=tuple(recipe.difference_lags))


def is_possible(field, value):
    """Whether a value has the type and lies within the bounds of a setting."""
    if field.metadata["choices"]:
        return value in field.metadata["choices"]
    if field.type is bool:
        return isinstance(value, bool)
    values = value if field.type is tuple else [value]
    low, high = (*field.metadata["bounds"], MAX_NUMBER)[:2]
    numbers = (int,) if field.type is int else (int, float)
    return all(type(number) in numbers and low <= number <= high for number in values)


RECIPES = {
    "published": Recipe(),
    "improved": Recipe(
        name="improved",
        epochs=240,  # mixed examples take longer to learn; half as many score nearly the same
        batch_size=32,  # close to the published one
        learning_rate=3e-3,  # a hundred times the published: the inputs are standardised
        validate_every=2,  # so that the patience of ReduceLROnPlateau fits in
        shuffle=True,  # every batch shows all genres
        class_weighted=True,  # for data sets with uneven counts; GTZAN's are nearly even
        input_norm="mean-normalised",  # what a recording chain adds is constant over a track
        frame_step=0.0775,  # as chosen; closer frames, such as those of a hop of 512, add little
        difference_lags=(0.08, 0.31, 1.24),  # what changes within a note, a beat and a bar
        crop_seconds=8.0,  # some bars of music, cut anew in every epoch
        roll_chroma=True,  # twelve keys of each example
        pooling="statistics",  # the spread over the frames tells as much as their mean
        dropout=0.3,  # reduces overfitting to 419 clips
        weight_decay=0.01,  # the default of PyTorch's AdamW
        max_grad_norm=1.0,  # without it, single batches destabilise training
        mask_prob=0.1,  # prevents reliance on one feature
        mixup_alpha=0.3,  # new examples between those of 419 clips
    ),
}


def changed_settings(recipe):
    """Return the settings of a recipe that differ from the named one's, as a dict."""
    named = RECIPES[recipe.name]
    settings = dataclasses.asdict(recipe).items()
    return {name: value for name, value in settings if value != getattr(named, name)}


def recipe_title(recipe):
    """Name a recipe and the settings that were changed in it, as in "published, 60 epochs"."""
    changed = changed_settings(recipe)
    if not changed:
        return f"{recipe.name} recipe"
    words = [recipe.name]
    for name, value in changed.items():
        words.append(f"{value} epochs" if name == "epochs" else f"{name.replace('_', ' ')} {value}")
    return ", ".join(words)


def recipe_options(recipe):
    """Return the options of a training script that choose a recipe, as a list of words."""
    words = ["--recipe", recipe.name]
    for name, value in changed_settings(recipe).items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            words += [f"--{option}", *map(str, value if isinstance(value, tuple) else [value])]
    return words
