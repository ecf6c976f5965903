"""Files of tensors and plain values. Loading one executes nothing and takes no more memory."""

import io
import pickletools
import re
import zipfile
from pathlib import Path

import torch

from plumbing.files import replacing
from plumbing.inputs import LARGEST, InputError

# What `write_tensors` lets a file call. PyTorch allows more, such as bytearray(3_000_000_000),
# which takes 3 GB and a few bytes of the file.
CALLS = re.compile(r"torch \w+Storage|torch\._utils _rebuild_tensor_v2|collections OrderedDict")


def write_tensors(path, content):
    """Write a dict of tensors and plain values to a file."""
    # Through memory, since torch.save turns the error of a full disk into a RuntimeError.
    memory = io.BytesIO()
    torch.save(content, memory)
    with replacing(path) as temporary:
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


def check_tensors(found, wanted):
    """Raise ValueError unless tensors have the wanted shapes and types, and usable values."""
    for name, tensor in found.items():
        if (tensor.shape, tensor.dtype) != (wanted[name].shape, wanted[name].dtype):
            raise ValueError
        # A tensor that isn't contiguous may have more elements than fit in memory.
        if not tensor.is_contiguous() or not (tensor.abs() < LARGEST).all():
            raise ValueError
        least = {"input_deviation": 1e-7, "batch_norm.running_var": 0}.get(name, -LARGEST)
        if not (tensor >= least).all():
            raise ValueError
