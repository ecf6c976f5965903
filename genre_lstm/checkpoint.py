"""checkpoint.pt: the state of a training run after an epoch, from which it is resumed.

On the CPU, a resumed run ends as one that was never interrupted. On a GPU it doesn't: dropout draws
its numbers from the GPU's generator, whose state isn't saved.
"""

import reprlib
import shlex

import torch

from common.errors import InputError
from genre_lstm.recipes import Recipe, recipe_options
from genre_lstm.weights import LOAD_ERRORS, read_tensors, write_tensors

NAME = "checkpoint.pt"


def save(run, history):
    """Write a run's checkpoint, with the history up to its epoch, into its folder of weights."""
    state = {
        "config": run.config,
        "model": run.model.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "scheduler": run.scheduler.state_dict(),
        "random": torch.get_rng_state(),
        "history": history,
        "seconds": run.seconds,
    }
    write_tensors(run.weights / NAME, state)


def restore(run):
    """Set a run, its model, optimizer and scheduler to their states in the checkpoint.

    Raises
    ------
    InputError
        There is no checkpoint, it belongs to another run, or it is damaged.
    """
    path = run.weights / NAME
    if not path.exists():
        raise InputError(f"nothing to resume: there is no {path}; leave out --resume")
    # Read to the CPU: the optimizer moves its averages to the weights' device, but not its step
    # counters, which a GPU would have to hand back at every step.
    state = read_tensors(path)
    try:
        check_config(path, state["config"], run.config)
        run.model.load_state_dict(state["model"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.scheduler.load_state_dict(state["scheduler"])
        torch.set_rng_state(state["random"])
        run.history, run.seconds = list(state["history"]), float(state["seconds"])
    except LOAD_ERRORS:
        raise InputError(
            f"{path} doesn't fit the model or the schedule: undo changes of the code, or delete it "
            "to start anew"
        ) from None


def check_no_unfinished_run(run):
    """Raise InputError if a run that starts anew would overwrite one that was interrupted."""
    path = run.weights / NAME
    if run.resume or not path.exists():
        return
    try:
        config = read_tensors(path)["config"]
    except (InputError, LookupError):
        config = None
    refuse(path, config)


def refuse(path, config):
    """Raise InputError that names the options of a run, if its config can be read."""
    try:
        recipe = Recipe.from_dict(config["recipe"])
        options = shlex.join([*recipe_options(recipe), "--seed", str(config["seed"])])
    except LOAD_ERRORS:
        options = "the options that it was started with"
    raise InputError(
        f"{path} holds an unfinished run: continue it with --resume and {options}, choose other "
        "--weights, or delete that file"
    )


def check_config(path, saved, config):
    """Raise InputError unless a checkpoint belongs to the run with this config."""
    if any(saved[key] != config[key] for key in ("recipe", "seed")):
        refuse(path, saved)
    for key, value in config.items():
        if saved[key] != value:
            raise InputError(
                f"{path} doesn't fit this run: its {describe_difference(key, saved[key], value)}; "
                "give the same options and features, or choose other --weights"
            )


def describe_difference(key, saved, value):
    """Return how a saved value differs from that of this run, in words."""
    if isinstance(saved, dict) and isinstance(value, dict):
        changed = [name for name in value if saved.get(name) != value[name]]
        parts = [describe_difference(name, saved.get(name), value[name]) for name in changed]
        return f"{key}: {'; '.join(parts)}"
    saved, value = (" ".join(reprlib.repr(one).split()) for one in (saved, value))
    return f"{key} is {saved}, here {value}"
