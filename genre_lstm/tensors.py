"""Files of tensors and plain values. Loading one executes nothing and takes no more memory."""

import io
import pickletools
import re
import zipfile
from pathlib import Path

import torch

from common.errors import MAX_NUMBER, InputError
from common.files import atomic_write

# What `write_tensors` lets a file call. PyTorch allows more, such as bytearray(3_000_000_000),
# which takes 3 GB and a few bytes of the file.
CALLS = re.compile(
    r"torch \w+Storage|torch\._utils _rebuild_tensor_v2|collections (OrderedDict|Counter)"
)

# The least values of tensors that the model or the optimizer takes roots of or divides by.
LEAST = {"input_deviation": 1e-7, "batch_norm.running_var": 0, "exp_avg_sq": 0, "step": 0}


def write_tensors(path, content):
    """Write a dict of tensors and plain values to a file."""
    # Through memory, since torch.save turns the error of a full disk into a RuntimeError.
    memory = io.BytesIO()
    torch.save(content, memory)
    with atomic_write(path) as temporary:
        temporary.write_bytes(memory.getbuffer())


def read_tensors(path):
    """Read a file of tensors and plain values to the CPU; InputError if it holds anything else."""
    if Path(path).exists() and not Path(path).is_file():
        raise InputError(f"{path} isn't a file")  # reading from a pipe would wait for ever
    with Path(path).open("rb") as file:  # if it can't be opened, it isn't damaged
        try:
            with zipfile.ZipFile(file) as archive:
                check_archive(archive, Path(path).stat().st_size)
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception:  # of any type: damaged files call functions with any arguments
            raise InputError(
                f"{path} isn't a file of weights as the training scripts write them: it is "
                "damaged, or holds more than tensors and plain values"
            ) from None


def check_archive(archive, size):
    """Raise ValueError if a ZIP file of some size (bytes) could take more memory than that."""
    # PyTorch doesn't compress: a file that unpacks to more than its size is an attack.
    if sum(member.file_size for member in archive.infolist()) > size:
        raise ValueError
    for member in archive.infolist():
        if member.filename.lower().endswith("data.pkl"):  # PyTorch ignores the case of names
            for operation, argument, _ in pickletools.genops(archive.read(member)):
                if operation.name == "GLOBAL" and not CALLS.fullmatch(argument):
                    raise ValueError


def check_tensors(found, wanted, largest=MAX_NUMBER):
    """Raise ValueError unless tensors have the wanted shapes and types, and usable values."""
    for name, tensor in found.items():
        if (tensor.shape, tensor.dtype) != (wanted[name].shape, wanted[name].dtype):
            raise ValueError
        # A tensor that isn't contiguous may have more elements than fit in memory.
        if not tensor.is_contiguous() or not (tensor.abs() < largest).all():
            raise ValueError
        if not (tensor >= LEAST.get(name, -largest)).all():
            raise ValueError


def check_alike(found, own, name=None):
    """Raise ValueError unless a value read from a file can take the place of one's own.

    That is one of the same structure and types: finite tensors, numbers from 0 to `MAX_NUMBER`, and
    the same text and constants.
    """
    if isinstance(own, torch.Tensor):
        check_tensors({name: found}, {name: own}, largest=torch.inf)
    elif type(found) is not type(own):
        raise ValueError
    elif isinstance(own, dict):
        if found.keys() != own.keys():
            raise ValueError
        for key, value in own.items():
            check_alike(found[key], value, key)
    elif isinstance(own, list | tuple):
        for one, other in zip(found, own, strict=True):
            check_alike(one, other, name)
    elif found != own and not (isinstance(own, int | float) and 0 <= found <= MAX_NUMBER):
        raise ValueError
