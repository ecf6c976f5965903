"""What a user may rely on about files of tensors: checkpoints and weights."""

import os

import pytest
import torch
from helpers import Trap, full_disk

from common.errors import InputError
from genre_lstm.tensors import check_tensors, read_tensors, write_tensors

WANTED = {"a": torch.zeros(2, 3)}


def test_tensors_and_plain_values_come_back_as_they_were_written(tmp_path):
    content = {"a": torch.rand(3, 4), "b": torch.arange(5), "c": {"d": [1, 2.5, "x", None, True]}}
    write_tensors(tmp_path / "new folder" / "file.pt", content)
    found = read_tensors(tmp_path / "new folder" / "file.pt")
    assert torch.equal(found["a"], content["a"])
    assert torch.equal(found["b"], content["b"])
    assert found["c"] == content["c"]


def test_full_disk_keeps_the_old_file_and_is_said_with_its_name(tmp_path):
    write_tensors(tmp_path / "file.pt", {"a": 1})
    with full_disk(10_000), pytest.raises(OSError, match=r"file\.pt"):
        write_tensors(tmp_path / "file.pt", {"a": torch.zeros(10_000)})
    assert read_tensors(tmp_path / "file.pt") == {"a": 1}
    assert len(list(tmp_path.iterdir())) == 1


def test_file_that_holds_code_is_refused_and_the_code_not_run(tmp_path):
    torch.save({"a": Trap(tmp_path / "sprung")}, tmp_path / "file.pt")
    with pytest.raises(InputError, match=r"^.*file.pt isn't a file of weights.*$"):
        read_tensors(tmp_path / "file.pt")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "value", [bytearray(8), bytes(8), torch.float16, torch.zeros(2).to_sparse()]
)
def test_only_tensors_and_plain_values_are_built(tmp_path, value):
    # PyTorch would build these, and from a few bytes of a file a bytearray of any size.
    torch.save({"a": value}, tmp_path / "file.pt")
    assert "a" in torch.load(tmp_path / "file.pt")
    with pytest.raises(InputError, match=r"isn't a file of weights"):
        read_tensors(tmp_path / "file.pt")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "file.pt")
    with pytest.raises(InputError, match=r"file\.pt isn't a file"):
        read_tensors(tmp_path / "file.pt")


def test_missing_file_is_said_as_the_system_says_it(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_tensors(tmp_path / "missing.pt")


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(3, 2),
        torch.zeros(2, 3, dtype=torch.float64),
        torch.zeros(3, 2).T,
        torch.full((2, 3), float("nan")),
        torch.full((2, 3), float("inf")),
        torch.full((2, 3), -1e38),
    ],
    ids=["shape", "type", "not contiguous", "NaN", "infinite", "large"],
)
def test_tensor_that_does_not_fit_is_refused(tensor):
    check_tensors({"a": torch.ones(2, 3)}, WANTED)
    with pytest.raises(ValueError):
        check_tensors({"a": tensor}, WANTED)


@pytest.mark.parametrize("name", ["input_deviation", "batch_norm.running_var"])
def test_deviations_and_variances_are_never_negative(name):
    check_tensors({name: torch.ones(3)}, {name: torch.zeros(3)})
    with pytest.raises(ValueError):
        check_tensors({name: -torch.ones(3)}, {name: torch.zeros(3)})
