"""The command line of the training scripts. Imports no torch, so that --help answers at once."""

import argparse
import dataclasses
from pathlib import Path

from common.cli import HelpFormatter, add_format, number_in
from genre_lstm.recipes import INPUT_NORMS, POOLINGS, RECIPES


def parse_options(description):
    """Read the options of a training script.

    Parameters
    ----------
    description : str
        The script's docstring.

    Returns
    -------
    argparse.Namespace
        With ``recipe`` a `Recipe` that the other options have changed, and ``features``,
        ``weights`` and ``result`` the folders of the data, the weights and the plots.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=HelpFormatter)
    add, folder = parser.add_argument, {"metavar": "DIR", "type": Path}
    add("--features", **folder, help="folder of the .npy splits (default: gtzan)")
    add("--recipe", choices=list(RECIPES), default="published", help="the settings to start from")
    add_settings(parser.add_argument_group("settings instead of the recipe's"))
    add("--seed", metavar="N", type=number_in(0), default=0, help="of all random numbers")
    add(
        "--device",
        choices=["auto", "cpu", "cuda", "mps"],
        default="auto",
        help="auto takes the first available of cuda, mps, cpu",
    )
    places = "(default: {0}, or {0}/improved for that recipe)"
    add("--weights", **folder, help="folder for <Schedule>/model.pt " + places.format("weights"))
    add("--result", **folder, help="folder for <Schedule>/graph_*.png " + places.format("result"))
    add_format(parser)
    add(
        "--resume",
        action="store_true",
        help="continue an interrupted run; on the CPU it ends as if never interrupted",
    )
    add("--demo", action="store_true", help="use gtzan/demo, weights/demo and result/demo")
    options = parser.parse_args()

    demo = "demo" if options.demo else ""
    place = Path(demo, options.recipe.removeprefix("published"))
    options.features = options.features or Path("gtzan", demo)
    options.weights = options.weights or Path("weights", place)
    options.result = options.result or Path("result", place)
    options.recipe = choose_recipe(options)
    return options


def add_settings(group):
    """Add the options that change single settings of the recipe."""
    add, count = group.add_argument, {"metavar": "N", "type": number_in(1)}
    seconds = {"metavar": "S", "type": number_in(0.0)}
    add("--epochs", **count, help=f"passes over the training clips {defaults('epochs')}")
    add("--batch-size", **count, help=f"clips per step {defaults('batch_size')}")
    add(
        "--learning-rate",
        metavar="X",
        type=number_in(1e-12),
        help=f"at the start of the schedule {defaults('learning_rate')}",
    )
    add(
        "--shuffle",
        action=argparse.BooleanOptionalAction,
        help=f"draw batches at random instead of in file order {defaults('shuffle')}",
    )
    add(
        "--input-norm",
        choices=INPUT_NORMS,
        help="nothing; the training clips' mean and deviation; the same after each track's own "
        f"mean is removed; batch normalisation {defaults('input_norm')}",
    )
    add(
        "--difference-lags",
        **seconds,
        nargs="*",
        help=f"append differences to the features S seconds earlier {defaults('difference_lags')}",
    )
    add(
        "--crop-seconds",
        **seconds,
        help=f"seconds per training example, 0 for all {defaults('crop_seconds')}",
    )
    add(
        "--pooling",
        choices=POOLINGS,
        help=f"how the frames of a clip are combined {defaults('pooling')}",
    )


def defaults(setting):
    """Return each recipe's value of a setting, as a remark for --help."""
    return "(" + ", ".join(f"{name}: {getattr(r, setting)}" for name, r in RECIPES.items()) + ")"


def choose_recipe(options):
    """Return the recipe, with the settings that were given on the command line."""
    recipe = RECIPES[options.recipe]
    given = {
        field.name: tuple(value) if isinstance(value, list) else value
        for field in dataclasses.fields(recipe)
        if (value := getattr(options, field.name, None)) is not None
    }
    return dataclasses.replace(recipe, **given)
