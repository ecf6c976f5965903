"""The command line of the training scripts."""

import argparse
import dataclasses
from pathlib import Path

from common.cli import HelpFormatter, add_format, number_in
from genre_lstm.recipes import RECIPES, Recipe


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
    text = "of features without features.json, as forks of the original have them"
    add("--genres", metavar="G", nargs="+", help=f"genres {text}")
    add("--hop-length", metavar="N", type=number_in(1), help=f"hop length {text}")
    add("--recipe", choices=list(RECIPES), default="published", help="the settings to start from")
    text = "of all random numbers; give each its own --weights and --result"
    add("--seed", metavar="N", type=number_in(0), default=0, help=text)
    devices = {"choices": ["auto", "cpu", "cuda", "mps"], "default": "auto"}
    add("--device", **devices, help="auto takes cuda if there is one, else cpu")
    default = "(default: {0}, or {0}/improved for that recipe)"
    add("--weights", **folder, help=f"folder for <Schedule>/model.pt {default.format('weights')}")
    add("--result", **folder, help=f"folder for <Schedule>/graph_*.png {default.format('result')}")
    add_format(parser)
    text = "continue an interrupted run; on the CPU it ends as if never interrupted"
    add("--resume", action="store_true", help=text)
    add("--demo", action="store_true", help="use gtzan/demo, weights/demo and result/demo")
    group = parser.add_argument_group("settings of the recipe")
    for field in dataclasses.fields(Recipe)[1:]:
        add_setting(group, field)
    options = parser.parse_args()
    choose_folders(options)
    options.recipe = choose_recipe(options)
    return options


def add_setting(group, field):
    """Add the option of a recipe's setting, with its help text and bounds from `Recipe`."""
    values = ", ".join(f"{name}: {getattr(r, field.name)}" for name, r in RECIPES.items())
    bounds, choices = field.metadata["bounds"], field.metadata["choices"]
    if field.type is bool:
        kind = {"action": argparse.BooleanOptionalAction}
    elif choices:
        kind = {"choices": choices}
    else:
        kind = {"metavar": "N" if field.type is int else "X", "type": number_in(*bounds)}
        if field.type is tuple:
            kind |= {"metavar": "S", "nargs": "*"}
    option = f"--{field.name.replace('_', '-')}"
    group.add_argument(option, **kind, help=f"{field.metadata['help']} ({values})")


def choose_folders(options):
    """Set the folders that weren't given on the command line."""
    demo = "demo" if options.demo else ""
    folder = Path(demo, options.recipe.removeprefix("published"))
    options.features = options.features or Path("gtzan", demo)
    options.weights = options.weights or Path("weights", folder)
    options.result = options.result or Path("result", folder)


def choose_recipe(options):
    """Return the recipe, with the settings that were given on the command line."""
    recipe = RECIPES[options.recipe]
    given = {
        field.name: tuple(value) if isinstance(value, list) else value
        for field in dataclasses.fields(recipe)[1:]
        if (value := getattr(options, field.name)) is not None
    }
    return dataclasses.replace(recipe, **given)
