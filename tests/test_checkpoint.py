"""What a user may rely on when a training is resumed from its checkpoint."""

import shutil

import numpy as np
import pytest
import torch
from helpers import TRAINED, assert_one_line, contents, read_manifest, train, write_manifest

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture
def folder(stopped, tmp_path):
    """A copy of a folder in which a training was stopped after epoch 12 of 25."""
    return shutil.copytree(stopped, tmp_path / "stopped")


def checkpoint_of(folder):
    return folder / "weights" / "PiecewiseDecay" / "checkpoint.pt"


def resume(features, folder, *options):
    """Try in vain to resume the training in a folder; return what it prints on stderr."""
    return train(features, folder, *TRAINED, *options, "--resume", status=2)[1]


def test_run_that_was_never_begun_is_not_resumed(features, tmp_path):
    assert_one_line(resume(features, tmp_path), "nothing to resume", "checkpoint.pt")


@pytest.mark.parametrize("options", [(), ("--epochs", 1), ("--seed", 5)])
def test_start_over_an_unfinished_run_is_refused_and_says_how_to_continue(
    features, folder, options
):
    before = checkpoint_of(folder).read_bytes()
    _, stderr = train(features, folder, *TRAINED, *options, status=2)
    assert_one_line(stderr, checkpoint_of(folder), "--resume", "--epochs 25", "--seed 0", "delete")
    assert checkpoint_of(folder).read_bytes() == before
    checkpoint_of(folder).write_bytes(b"damaged")
    _, stderr = train(features, folder, *TRAINED, status=2)
    assert_one_line(stderr, checkpoint_of(folder), "--resume", "delete")


@pytest.mark.parametrize("options", [("--seed", 1), ("--epochs", 30, "--no-shuffle")])
def test_checkpoint_of_another_run_is_refused_with_the_options_of_its_own(
    features, folder, options
):
    assert_one_line(resume(features, folder, *options), "--resume", "--epochs 25", "--seed 0")


@pytest.mark.parametrize("kind", ["input", "target"])
def test_checkpoint_of_other_features_or_genres_is_refused(features, folder, tmp_path, kind):
    features = shutil.copytree(features, tmp_path / "features")
    path = features / f"data_train_{kind}.npy"
    np.save(path, np.load(path)[::-1])
    write_manifest(features, **read_manifest(features) | {"checksums": None})
    assert_one_line(resume(features, folder), "doesn't fit this run", "checksums")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("config", {}),
        ("model", {"linear.bias": torch.zeros(3)}),
        ("optimizer", {"state": {}, "param_groups": []}),
        ("random", torch.zeros(9, dtype=torch.uint8)),
        ("seconds", "long"),
    ],
)
def test_unusable_checkpoint_is_refused(features, folder, key, value):
    state = torch.load(checkpoint_of(folder))
    torch.save(state | {key: value}, checkpoint_of(folder))
    before = contents(folder / "weights" / "PiecewiseDecay")
    assert_one_line(resume(features, folder), "checkpoint.pt doesn't fit the model or the schedule")
    assert contents(folder / "weights" / "PiecewiseDecay") == before
