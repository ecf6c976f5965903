"""checkpoint.pt: a training run as it is after an epoch, to be resumed.

On the CPU, a resumed run ends as one that was never interrupted. On a GPU it doesn't: dropout draws
its numbers from the GPU's own generator, whose state isn't saved.
"""

import dataclasses

import torch

from genre_features.frame import FrameSettings
from genre_lstm.results import HISTORY
from genre_lstm.tensors import check_tensors, read_tensors, write_tensors
from plumbing.inputs import LARGEST, InputError

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
        check_history(state)
        run.model.load_state_dict(state["model"])
        run.optimizer.load_state_dict(state["optimizer"])
        if run.scheduler:
            run.scheduler.load_state_dict(state["scheduler"])
        torch.set_rng_state(state["random"])
        run.history, run.seconds = state["history"], float(state["seconds"])
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError, RuntimeError):
        raise InputError(f"{path} holds no checkpoint; leave out --resume") from None


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
            found = " ".join(str(found).split())  # on one line, whatever it is
            raise InputError(
                f"{path} doesn't fit this run: its {key} is {found}, here {value}; give "
                "the same options and features, or leave out --resume"
            )


def check_history(state):
    """Raise ValueError unless a checkpoint has a row per epoch and a possible time."""
    for epoch, row in enumerate(state["history"], 1):
        if tuple(row) != HISTORY or row["epoch"] != epoch:
            raise ValueError
    if not 0 <= state["seconds"] <= LARGEST:
        raise ValueError
