"""What a user may rely on when torchrun trains in several processes."""

import os
import re
import shutil
import subprocess
import sys
import weakref
from unittest import mock

import pytest
import torch
from helpers import (
    ROOT,
    TRAINED,
    assert_one_line,
    make_features,
    make_model,
    read_history,
    read_summary,
    run,
    training_line,
    undrawn,
)
from torch import distributed, multiprocessing
from torch.nn.functional import nll_loss

from common.errors import InputError
from common.files import lock_folders
from genre_lstm.batches import EpochStats
from genre_lstm.processes import (
    Shard,
    is_rank_zero,
    leave_process_group,
    on_rank_zero,
    set_local_device,
    world_size,
)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="torchrun is another matter on Windows")

BATCH_SIZES = (6, 5, 1)  # shared evenly, unevenly, and so that one process has no clip


def take_steps():
    """Return the gradients of some batches, their mean loss and accuracy, and random numbers."""
    model, shard, stats = make_model().train(), Shard(), EpochStats()
    parallel_model = shard.wrap(model)
    torch.manual_seed(0)
    gradients, shared, private = [], [], []
    for n_clips in BATCH_SIZES:
        features, targets = make_features(n_clips), torch.arange(n_clips) % 3
        inputs, targets = shard.take(features, targets)
        private.append(float(torch.rand(())))
        log_probs = parallel_model(inputs)
        loss = nll_loss(log_probs, targets)
        model.zero_grad()
        loss.backward()
        gradients.append([tensor.grad.clone() for tensor in model.parameters()])
        stats.add(loss, log_probs, targets, shard.n_clips(targets))
        shard.restore()
        shared.append(float(torch.rand(())))
    return {"gradients": gradients, "means": stats.means(), "shared": shared, "private": private}


def run_two(function, *arguments):
    """Call a function with 0 or 1 and the arguments in two processes, and wait for them."""
    multiprocessing.start_processes(function, arguments, nprocs=2, start_method="forkserver")


def work(rank, size, folder):
    """Be one of several processes; write down what its steps come to."""
    rendezvous = f"file://{folder / 'rendezvous'}"
    distributed.init_process_group("gloo", rendezvous, rank=rank, world_size=size)
    steps = take_steps()
    steps["called"] = on_rank_zero(distributed.get_rank)
    try:
        Shard().wrap(make_model(input_norm="batch"))
    except InputError as error:
        steps["batch normalisation"] = str(error)
    model = weakref.ref(Shard().wrap(make_model()))
    destroy = mock.Mock(side_effect=lambda: steps.update({"model is gone": model() is None}))
    with mock.patch.object(distributed, "destroy_process_group", destroy):
        leave_process_group()
    torch.save(steps, folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """The steps of two processes that train together."""
    folder = tmp_path_factory.mktemp("processes")
    run_two(work, 2, folder)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


def train_in_process(rank, line, environment, folder):
    """Run a training script as one of torchrun's processes; write down what it prints."""
    os.environ |= environment | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
    with undrawn():
        stdout, _ = run(*line)
    (folder / f"{rank}.txt").write_text(stdout)
    leave_process_group()  # as the process's exit does


def test_without_torchrun_one_process_does_everything():
    model = make_model()
    assert world_size() == 1
    assert is_rank_zero()
    assert on_rank_zero(divmod, 7, 2) == (3, 1)
    assert Shard().wrap(model) is model
    set_local_device("cpu")


def test_gradients_and_scores_equal_those_of_one_process(processes):
    expected = take_steps()
    for steps in processes:
        torch.testing.assert_close(steps["gradients"], expected["gradients"], rtol=0, atol=1e-5)
        assert steps["means"] == pytest.approx(expected["means"], rel=1e-5)


def test_processes_share_all_random_numbers_except_those_of_dropout(processes):
    one, other = processes
    assert one["shared"] == other["shared"]
    assert all(a != b for a, b in zip(one["private"], other["private"], strict=True))


def test_rank_zero_alone_writes_and_batch_normalisation_is_refused(processes):
    for steps in processes:
        assert steps["called"] == 0
        assert_one_line(steps["batch normalisation"], "--input-norm batch", "torchrun")


def test_processes_leave_their_group_after_the_model_is_gone_or_they_might_never_end(processes):
    assert all(steps["model is gone"] for steps in processes)


def test_run_stopped_in_one_process_is_resumed_in_two(trained, stopped, features, tmp_path):
    folder = shutil.copytree(stopped, tmp_path / "stopped")
    store = distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    environment = {"MASTER_ADDR": store.host, "MASTER_PORT": str(store.port), "WORLD_SIZE": "2"}
    environment |= {"TORCHELASTIC_RUN_ID": "none", "TORCHELASTIC_USE_AGENT_STORE": "True"}
    line = training_line(features, folder, *TRAINED, "--resume")
    run_two(train_in_process, line, environment, tmp_path)
    assert re.match(r"PiecewiseDecay: 13 .* \(processes: 2, .*\n", (tmp_path / "0.txt").read_text())
    assert not (tmp_path / "1.txt").read_text()
    assert read_summary(folder)["processes"] == 2
    whole, resumed = (read_history(place) for place in (trained, folder))
    for key in ("train_loss", "learning_rate"):
        expected = [float(row[key]) for row in whole]
        assert [float(row[key]) for row in resumed] == pytest.approx(expected, rel=1e-4)
    assert float(resumed[-1]["val_loss"]) == pytest.approx(float(whole[-1]["val_loss"]), rel=1e-4)


def test_failure_ends_all_that_torchrun_started_and_prints_one_line_error(features, tmp_path):
    line = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    line += training_line(features, tmp_path)
    with lock_folders(tmp_path / "weights" / "PiecewiseDecay"):
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    # torchrun adds a report of its own.
    name = "lstm_genre_classifier_pytorch_PiecewiseDecay.py: "
    (line,) = (line for line in done.stderr.splitlines() if line.startswith(name))
    assert f"process {os.getpid()}" in line
    assert "genre_lstm" not in done.stderr  # as it would be in a traceback
