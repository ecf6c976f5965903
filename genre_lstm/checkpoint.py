"""checkpoint.pt: a training run as it is after an epoch, to be resumed.

On the CPU, a resumed run ends as one that was never interrupted. On a GPU it doesn't: dropout draws
its numbers from the GPU's own generator, whose state isn't saved.
"""

import copy
import dataclasses
import reprlib

import torch

from common.errors import InputError
from genre_features.frame import FrameSettings
from genre_lstm.results import HISTORY
from genre_lstm.tensors import check_alike, check_tensors, read_tensors, write_tensors

NAME = "checkpoint.pt"


def save(run):
    """Write a run's checkpoint into its folder of weights."""
    state = {
        "identity": run.identity,
        "model": run.model.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "scheduler": run.scheduler.state_dict() if run.scheduler else None,
        "random": torch.get_rng_state(),
        "history": run.history,
        "seconds": run.seconds,
    }
    write_tensors(run.weights / NAME, state)


def restore(run):
    """Put a run back to its checkpoint.

    Raises
    ------
    InputError
        There is no checkpoint, it belongs to another run, or it is damaged.
    """
    path = run.weights / NAME
    if not path.exists():
        raise InputError(f"nothing to resume: {path} is missing; leave out --resume")
    # Everything comes to the CPU first. The optimizer moves its averages to where the weights are,
    # and leaves its counts of steps: on a GPU, each step would wait for every one of them.
    state = read_tensors(path)
    try:
        check_identity(path, identity_in(state), run.identity)
        check_tensors(state["model"], run.model.state_dict())
        check_history(state["history"], run.recipe)
        check_alike(state["seconds"], 0.0)
        run.model.load_state_dict(state["model"])
        run.optimizer.load_state_dict(optimizer_state(state["optimizer"], run.optimizer))
        if run.scheduler:
            check_alike(state["scheduler"], run.scheduler.state_dict())
            run.scheduler.load_state_dict(state["scheduler"])
        torch.set_rng_state(state["random"])
        run.history, run.seconds = state["history"], state["seconds"]
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RuntimeError):
        raise InputError(f"{path} holds no checkpoint; leave out --resume") from None


def refuse_to_lose(run):
    """Raise InputError if a run that starts anew was stopped on its way, and can be resumed."""
    path = run.weights / NAME
    if not path.exists():
        return
    try:
        state = read_tensors(path)
        check_identity(path, identity_in(state), run.identity)
        n_done = len(state["history"])
    except (InputError, LookupError, TypeError, AttributeError, ValueError, RuntimeError):
        return  # of another run, or damaged
    if n_done < run.recipe.epochs or not (run.result / "summary.json").exists():
        raise InputError(
            f"{path} holds this run, stopped after epoch {n_done}: continue with --resume, or "
            "delete the file"
        )


def identity_in(state):
    """Return the identity of the run that a checkpoint belongs to."""
    # Earlier versions called it "settings", and the frame settings in it "features".
    identity = dict(state["identity"] if "identity" in state else state["settings"])
    settings = identity.pop("features", None) or identity["settings"]
    return identity | {"settings": dataclasses.asdict(FrameSettings.read(settings))}


def check_identity(path, saved, wanted):
    """Raise InputError unless a checkpoint belongs to the run that is wanted."""
    for key, value in wanted.items():
        if (found := saved.get(key)) != value:
            raise InputError(
                f"{path} doesn't fit this run: its {difference(key, found, value)}; give "
                "the same options and features, or leave out --resume"
            )


def difference(key, found, wanted):
    """Say how a value read from a file differs from the one that is wanted."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        changed = (
            difference(name, found.get(name), value)
            for name, value in wanted.items()
            if name not in found or found[name] != value
        )
        return f"{key}: {'; '.join(changed) or 'there are settings that are unknown here'}"
    text = reprlib.Repr()
    text.maxlevel = 2  # nested lists can have any length as text
    found, wanted = (" ".join(text.repr(value).split()) for value in (found, wanted))
    return f"{key} is {found}, here {wanted}"


def check_history(history, recipe):
    """Raise ValueError unless a checkpoint has a possible row for each epoch."""
    if len(history) > recipe.epochs:
        raise ValueError
    for epoch, row in enumerate(history, 1):
        possible = dict.fromkeys(HISTORY, 0.0) | {"epoch": epoch}
        if not recipe.validates_after(epoch):
            possible |= {"val_loss": None, "val_accuracy": None}
        check_alike(row, possible)
        if row["epoch"] != epoch:
            raise ValueError


def optimizer_state(saved, optimizer):
    """Return the state that an optimizer had; ValueError unless it is a possible one."""
    stepped = copy.deepcopy(optimizer)
    for group in stepped.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    stepped.step()
    own = stepped.state_dict()
    check_alike(saved["state"], own["state"])
    groups = []
    for found, group in zip(saved["param_groups"], own["param_groups"], strict=True):
        check_alike(found["lr"], group["lr"])
        groups.append(group | {"lr": found["lr"]})  # the rest follows from the recipe
    return {"state": saved["state"], "param_groups": groups}
