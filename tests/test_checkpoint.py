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
    for part in ("validation", "test"):
        assert summaries[0][part] == summaries[1][part]


def test_checkpoint_of_another_run_in_the_earlier_format_is_refused(stopped, features, tmp_path):
    folder = shutil.copytree(stopped, tmp_path / "stopped")
    rewrite(folder, in_the_earlier_format)
    options = (*TRAINED, "--seed", 1, "--resume")
    _, stderr = train("PiecewiseDecay", features, folder, *options, status=2)
    assert_one_line(stderr, "checkpoint.pt doesn't fit this run: its seed is 0, here 1")


def test_resume_without_a_checkpoint_is_refused(features, tmp_path):
    _, stderr = train("PiecewiseDecay", features, tmp_path, "--resume", status=2)
    assert_one_line(stderr, "nothing to resume", "checkpoint.pt")


def test_file_that_is_no_checkpoint_is_refused(trained, features, tmp_path):
    folder = shutil.copytree(trained, tmp_path / "trained") / "weights" / "PiecewiseDecay"
    (folder / "model.pt").replace(folder / "checkpoint.pt")
    _, stderr = train("PiecewiseDecay", features, tmp_path / "trained", "--resume", status=2)
    assert_one_line(stderr, "checkpoint.pt", "--resume")


@pytest.mark.parametrize(
    "change",
    [
        {"history": 25},
        {"history": [{"epoch": 1}]},
        {"history": "e" * 25},
        {"seconds": float("nan")},
        {"seconds": 10**400},
        {"model": {"linear.bias": torch.full((3,), float("nan"))}},
    ],
    ids=" ".join,
)
def test_checkpoint_that_cannot_be_gone_on_from_is_refused(trained, features, tmp_path, change):
    folder = shutil.copytree(trained, tmp_path / "trained")
    rewrite(folder, lambda state: state | change)
    _, stderr = train("PiecewiseDecay", features, folder, *TRAINED, "--resume", status=2)
    assert_one_line(stderr, "checkpoint.pt holds no checkpoint", "--resume")


@pytest.mark.parametrize("misfit", ["genres", "recipe", "checksums"])
def test_weights_that_do_not_fit_are_refused_and_kept(trained, features, tmp_path, misfit):
    folder = shutil.copytree(trained, tmp_path / "trained")
    before = (folder / "weights" / "PiecewiseDecay" / "model.pt").read_bytes()
    options = list(TRAINED)
    features = shutil.copytree(features, tmp_path / "features")
    if misfit == "checksums":
        inputs = np.load(features / "data_train_input.npy")
        np.save(features / "data_train_input.npy", inputs + 1)
    elif misfit == "genres":
        write_manifest(features, **read_manifest(features) | {"genres": ["a", "b", "c"]})
    else:
        options[1] = 30
    _, stderr = train("PiecewiseDecay", features, folder, *options, "--resume", status=2)
    assert_one_line(stderr, "checkpoint.pt", misfit, "--resume")
    assert (folder / "weights" / "PiecewiseDecay" / "model.pt").read_bytes() == before
