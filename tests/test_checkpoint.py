"""What a user may rely on when a training goes on from its checkpoint."""

import shutil

import numpy as np
import pytest
import torch
from helpers import (
    TRAINED,
    assert_one_line,
    read_manifest,
    read_summary,
    start_run,
    train,
    write_manifest,
)

from genre_lstm import checkpoint
from genre_lstm.recipes import Recipe
from genre_lstm.training import train_epoch

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.mark.filterwarnings("ignore:.*no-op")
def test_step_counts_stay_on_the_cpu_whatever_device_the_weights_are_on(features, tmp_path):
    recipe = Recipe(epochs=2, batch_size=6)
    run, model, optimizer, _ = start_run(features, tmp_path, recipe)
    for epoch in run.epochs():
        run.record(epoch, train_epoch(model, optimizer, run.data), run.validate(epoch))
    # A device that every machine has, besides its CPU.
    model.to("meta")
    run.device, run.optimizer = "meta", torch.optim.AdamW(model.parameters())
    checkpoint.restore(run)
    for state in run.optimizer.state.values():
        devices = {name: tensor.device.type for name, tensor in state.items()}
        assert devices == {"step": "cpu", "exp_avg": "meta", "exp_avg_sq": "meta"}


def rewrite(folder, change):
    """Change what the checkpoint of PiecewiseDecay holds."""
    path = folder / "weights" / "PiecewiseDecay" / "checkpoint.pt"
    torch.save(change(torch.load(path)), path)


def in_the_earlier_format(state):
    """Return a checkpoint as earlier versions wrote it."""
    identity = dict(state["identity"])
    settings = {"features": identity.pop("settings"), **identity}
    return {"settings": settings, **{k: v for k, v in state.items() if k != "identity"}}


@pytest.mark.parametrize("form", [dict, in_the_earlier_format])
def test_checkpoints_are_gone_on_from_in_the_earlier_format_too(
    trained, stopped, features, tmp_path, form
):
    folder = shutil.copytree(stopped, tmp_path / "stopped")
    rewrite(folder, form)
    stdout, _ = train("PiecewiseDecay", features, folder, *TRAINED, "--resume")
    assert stdout.startswith("PiecewiseDecay: 13 epochs of 12 clips")
    histories = [
        (place / "result" / "PiecewiseDecay" / "history.csv").read_bytes()
        for place in (trained, folder)
    ]
    assert histories[0] == histories[1]
    summaries = [read_summary(place, "PiecewiseDecay") for place in (trained, folder)]
    for subset in ("validation", "test"):
        assert summaries[0][subset] == summaries[1][subset]


def test_checkpoint_of_another_run_in_the_earlier_format_is_refused(stopped, features, tmp_path):
    folder = shutil.copytree(stopped, tmp_path / "stopped")
    rewrite(folder, in_the_earlier_format)
    options = (*TRAINED, "--seed", 1, "--resume")
    _, stderr = train("PiecewiseDecay", features, folder, *options, status=2)
    assert_one_line(stderr, "checkpoint.pt doesn't fit this run: its seed is 0, here 1")


def test_resume_without_a_checkpoint_is_refused(features, tmp_path):
    _, stderr = train("PiecewiseDecay", features, tmp_path, "--resume", status=2)
    assert_one_line(stderr, "nothing to resume", "checkpoint.pt")


def test_start_without_resume_does_not_overwrite_a_run_that_was_stopped(
    stopped, features, tmp_path
):
    folder = shutil.copytree(stopped, tmp_path / "stopped")
    checkpoint = folder / "weights" / "PiecewiseDecay" / "checkpoint.pt"
    before = checkpoint.read_bytes()
    _, stderr = train("PiecewiseDecay", features, folder, *TRAINED, status=2)
    assert_one_line(stderr, checkpoint, "stopped after epoch 12", "--resume")
    assert checkpoint.read_bytes() == before
    train("PiecewiseDecay", features, folder, *TRAINED, "--epochs", 1)  # another run
    train("PiecewiseDecay", features, folder, *TRAINED, "--epochs", 1)  # it is complete
    (folder / "result" / "PiecewiseDecay" / "summary.json").unlink()
    _, stderr = train("PiecewiseDecay", features, folder, *TRAINED, "--epochs", 1, status=2)
    assert_one_line(stderr, checkpoint, "stopped after epoch 1", "--resume")


def test_file_that_is_no_checkpoint_is_refused(trained, features, tmp_path):
    folder = shutil.copytree(trained, tmp_path / "trained") / "weights" / "PiecewiseDecay"
    (folder / "model.pt").replace(folder / "checkpoint.pt")
    _, stderr = train("PiecewiseDecay", features, tmp_path / "trained", "--resume", status=2)
    assert_one_line(stderr, "checkpoint.pt", "--resume")


def replace(*keys, by):
    """Return a change of a checkpoint: what is found by some keys in turn becomes another value."""

    def change(state):
        container = state
        for key in keys[:-1]:
            container = container[key]
        value = container[keys[-1]]
        container[keys[-1]] = by(value) if callable(by) else by
        return state

    change.__name__ = "-".join(map(str, keys))
    return change


NAN, STATE, GROUP = float("nan"), ("optimizer", "state"), ("optimizer", "param_groups", 0)


@pytest.mark.parametrize(
    "change",
    [
        replace("history", by=25),
        replace("history", by=[{"epoch": 1}]),
        replace("history", by="e" * 25),
        replace("history", by=lambda history: history * 2),
        replace("history", 3, "train_loss", by=None),
        replace("history", 3, "train_loss", by="low"),
        replace("history", 3, "learning_rate", by=NAN),
        replace("history", 3, "epoch", by=7),
        replace("history", 9, "val_loss", by=None),
        replace("history", 8, "val_accuracy", by=0.5),
        replace("seconds", by=NAN),
        replace("seconds", by=10**400),
        replace("model", by={"linear.bias": torch.full((3,), NAN)}),
        replace("model", "linear.bias", by=torch.full((3,), NAN)),
        replace(*STATE, by={}),
        replace(*STATE, 0, by={}),
        replace(*STATE, 0, "step", by=NAN),
        replace(*STATE, 0, "step", by=torch.tensor(-1.0)),
        replace(*STATE, 0, "exp_avg", by=lambda tensor: tensor[:1]),
        replace(*STATE, 0, "exp_avg", by=lambda tensor: tensor.double()),
        replace(*STATE, 0, "exp_avg_sq", by=lambda tensor: tensor * NAN),
        replace(*STATE, 0, "exp_avg_sq", by=lambda tensor: tensor - 1),
        replace("optimizer", "param_groups", by=[]),
        replace(*GROUP, "lr", by=NAN),
        replace(*GROUP, "lr", by="fast"),
        replace("scheduler", by=None),
        replace("scheduler", "last_epoch", by=-1),
        replace("scheduler", "base_lrs", by=[]),
        replace("scheduler", "base_lrs", by=[float("inf")]),
        replace("scheduler", "lr_lambdas", by=[7]),
        replace("scheduler", by=lambda scheduler: scheduler | {"step": 7}),
        replace("random", by=lambda numbers: numbers[:9]),
        replace("random", by=7),
    ],
    ids=lambda change: change.__name__,
)
def test_checkpoint_that_cannot_be_gone_on_from_is_refused(stopped, features, tmp_path, change):
    folder = shutil.copytree(stopped, tmp_path / "stopped")
    rewrite(folder, change)
    _, stderr = train("PiecewiseDecay", features, folder, *TRAINED, "--resume", status=2)
    assert_one_line(stderr, "checkpoint.pt holds no checkpoint", "--resume")


def test_settings_of_the_optimizer_follow_from_the_recipe_and_not_from_the_checkpoint(
    stopped, features, tmp_path
):
    folder = shutil.copytree(stopped, tmp_path / "stopped")
    for key in ("betas", "foreach", "weight_decay"):
        rewrite(folder, replace(*GROUP, key, by="x"))
    train("PiecewiseDecay", features, folder, *TRAINED, "--resume")


def test_only_the_settings_that_differ_are_said(stopped, features, tmp_path):
    folder = shutil.copytree(stopped, tmp_path / "stopped")
    options = (*TRAINED, "--epochs", 30, "--no-shuffle", "--resume")
    _, stderr = train("PiecewiseDecay", features, folder, *options, status=2)
    said = "fit this run: its recipe: epochs is 25, here 30; shuffle is True, here False; give"
    assert_one_line(stderr, said)
    nested = ["x"]
    for _ in range(50):
        nested = [nested, nested]  # 2**50 words, in a file of a few kB
    rewrite(folder, replace("identity", "recipe", "epochs", by=nested))
    _, stderr = train("PiecewiseDecay", features, folder, *TRAINED, "--resume", status=2)
    assert_one_line(stderr, "doesn't fit this run: its recipe: epochs is [[")
    assert len(stderr) < 500
    rewrite(
        folder, replace("identity", "recipe", by=lambda recipe: recipe | {"epochs": 25, "x": 1})
    )
    _, stderr = train("PiecewiseDecay", features, folder, *TRAINED, "--resume", status=2)
    assert_one_line(stderr, "its recipe: there are settings that are unknown here")


@pytest.mark.parametrize("misfit", ["genres", "recipe", "checksums"])
def test_weights_that_do_not_fit_are_refused_and_kept(trained, features, tmp_path, misfit):
    folder = shutil.copytree(trained, tmp_path / "trained")
    before = (folder / "weights" / "PiecewiseDecay" / "model.pt").read_bytes()
    options = list(TRAINED)
    features = shutil.copytree(features, tmp_path / "features")
    if misfit == "checksums":
        inputs = np.load(features / "data_train_input.npy")
        np.save(features / "data_train_input.npy", inputs + 1)
        write_manifest(features, **read_manifest(features) | {"checksums": None})
    elif misfit == "genres":
        write_manifest(features, **read_manifest(features) | {"genres": ["a", "b", "c"]})
    else:
        options[1] = 30
    _, stderr = train("PiecewiseDecay", features, folder, *options, "--resume", status=2)
    assert_one_line(stderr, "checkpoint.pt", misfit, "--resume")
    assert (folder / "weights" / "PiecewiseDecay" / "model.pt").read_bytes() == before
