"""What a user may rely on when torchrun trains in several processes."""

import dataclasses
import functools
import os
import re
import shutil
import subprocess
import sys

import pytest
import torch
from helpers import (
    RESULT_FILES,
    ROOT,
    TRAINED,
    assert_one_line,
    contents,
    make_model,
    read_history,
    read_summary,
    start_run,
    train,
    training_line,
    undrawn,
)
from torch import distributed, multiprocessing
from torch.optim.lr_scheduler import ReduceLROnPlateau

from common.errors import InputError
from genre_lstm.processes import is_rank_zero, on_rank_zero, set_local_device, share, world_size
from genre_lstm.recipes import RECIPES, Recipe
from genre_lstm.tensors import read_tensors
from genre_lstm.training import batches, train_epoch, train_step

pytestmark = pytest.mark.skipif(os.name != "posix", reason="torchrun is another matter on Windows")

# 12 clips in batches of 11: uneven shares, and a last batch that leaves the second process none.
IMPROVED = dataclasses.replace(
    RECIPES["improved"], epochs=3, validate_every=1, batch_size=11, crop_seconds=0.5
)
WITHOUT_DROPOUT = {
    "published": Recipe(batch_size=11),
    "improved": dataclasses.replace(IMPROVED, dropout=0.0),
}


def make_scheduler(optimizer, epochs):
    return ReduceLROnPlateau(optimizer, patience=0, threshold=0.5)


def take_steps(features, folder, recipe):
    """Return the loss, the correct answers and the gradients of each step of an epoch."""
    run, model, _, _ = start_run(features, folder, recipe)
    model.train()
    # Adam makes much of rounding where a gradient is next to nothing.
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    genre_weights = torch.tensor([0.3, 0.5, 1.0]) if recipe.class_weighted else None
    steps = []
    for batch in batches(run.data, "train", 11, "cpu", recipe.shuffle):
        found = train_step(model, optimizer, *batch, genre_weights)
        gradients = [tensor.grad.clone() for tensor in model.parameters()]
        steps.append([*found, *gradients])
    return steps


def take_subset(rank, size, features, folder):
    """Be one of several processes; write down what it comes to."""
    rendezvous = f"file://{folder / 'rendezvous'}"
    distributed.init_process_group("gloo", rendezvous, rank=rank, world_size=size)
    found = {name: take_steps(features, folder, recipe) for name, recipe in WITHOUT_DROPOUT.items()}
    run, model, optimizer, scheduler = start_run(features, folder, IMPROVED, make_scheduler)
    for epoch in run.epochs():
        trained = train_epoch(model, optimizer, run.data)
        validated = run.validate(epoch)
        scheduler.step(validated["loss"])
        run.record(epoch, trained, validated)
    found["run"] = [run.history, model.state_dict(), torch.get_rng_state()]
    found["dropout"] = model.train().classify(torch.ones(2, 40, model.lstm.input_size))
    try:
        start_run(features, folder, Recipe(input_norm="batch"))
    except InputError as error:
        found["batch normalisation"] = str(error)
    torch.save(found, folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def processes(features, tmp_path_factory):
    """What two processes came to that trained together."""
    folder = tmp_path_factory.mktemp("processes")
    # A fork has all modules; other systems than Linux fork badly.
    method = "fork" if sys.platform == "linux" else "spawn"
    multiprocessing.start_processes(
        take_subset, (2, features, folder), nprocs=2, start_method=method
    )
    return [read_tensors(folder / f"{rank}.pt") for rank in range(2)]


def torchrun(features, folder, *arguments, before=None):
    """Train in two processes; `before` is called in torchrun's own, which starts them."""
    line = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    line += training_line("PiecewiseDecay", features, folder, *arguments)
    return subprocess.run(
        [sys.executable, *line], cwd=ROOT, preexec_fn=before, capture_output=True, text=True
    )


def test_without_torchrun_one_process_does_everything():
    model = make_model()
    assert world_size() == 1
    assert is_rank_zero()
    assert on_rank_zero(divmod, 7, 2) == (3, 1)
    assert share(model) is model
    assert "classify" not in vars(model)  # its own, unchanged
    set_local_device("cpu")


@pytest.mark.parametrize("name", WITHOUT_DROPOUT)
def test_gradients_are_those_of_one_process_whatever_a_batch_leaves_for_each(
    processes, features, tmp_path, name
):
    expected = take_steps(features, tmp_path, WITHOUT_DROPOUT[name])
    assert len(expected) == 2
    for found in processes:
        torch.testing.assert_close(found[name], expected, rtol=0, atol=1e-5)


def test_processes_agree_to_the_bit_on_weights_losses_and_rates(processes):
    (history, weights, random), other = (found["run"] for found in processes)
    rates = [row["learning_rate"] for row in history]
    assert rates[0] > rates[-1]  # lowered by the validation loss, which one process has found
    assert other[0] == history
    assert all(torch.equal(other[1][name], weights[name]) for name in weights)
    assert torch.equal(other[2], random)


def test_dropout_differs_from_process_to_process(processes):
    # Of two examples that are the same, each has answered one.
    first, second = processes[0]["dropout"]
    assert not torch.equal(first, second)
    assert torch.equal(processes[0]["dropout"], processes[1]["dropout"])


def test_batch_normalisation_is_refused(processes):
    for found in processes:
        assert_one_line(found["batch normalisation"], "--input-norm batch", "torchrun")


def test_run_stopped_in_one_process_goes_on_in_two_and_in_one_again(
    trained, stopped, features, tmp_path
):
    folder = shutil.copytree(stopped, tmp_path / "stopped")
    done = torchrun(features, folder, *TRAINED, "--resume")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(
        r"PiecewiseDecay: 13 epochs of 12 clips on cpu .* in each of 2 processes, about .*\n"
        r"validation: .*\ntest: .*\nCurves and scores are in .*\nWeights are in .*\n",
        done.stdout,
    )
    result = folder / "result" / "PiecewiseDecay"
    assert set(contents(result)) == RESULT_FILES
    assert read_summary(folder, "PiecewiseDecay")["processes"] == 2
    whole, stopped = (read_history(place, "PiecewiseDecay") for place in (trained, folder))
    for key in ("train_loss", "learning_rate"):
        expected = [float(row[key]) for row in whole]
        assert [float(row[key]) for row in stopped] == pytest.approx(expected, rel=1e-4)
    assert float(stopped[-1]["val_loss"]) == pytest.approx(float(whole[-1]["val_loss"]), rel=1e-4)
    with undrawn():
        train("PiecewiseDecay", features, folder, *TRAINED, "--resume")
    assert read_summary(folder, "PiecewiseDecay")["processes"] == 1


def test_failure_of_one_process_ends_all_and_is_said_in_one_line(features, tmp_path):
    resource = pytest.importorskip("resource")
    limit = (100_000, 100_000)  # bytes, less than the checkpoint has that the first one writes
    setrlimit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, limit)
    done = torchrun(features, tmp_path, "--batch-size", 5, before=setrlimit)
    assert done.returncode != 0
    # torchrun adds a report of its own.
    name = "lstm_genre_classifier_pytorch_PiecewiseDecay.py: "
    (line,) = (line for line in done.stderr.splitlines() if line.startswith(name))
    assert "checkpoint.pt" in line
    assert "genre_lstm" not in done.stderr  # as it would be in a traceback
