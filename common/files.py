"""Files that are never half-written, and folders that one process writes to at a time."""

import contextlib
import csv
import errno
import json
import os
import platform
from pathlib import Path

import filelock

from common.errors import InputError


@contextlib.contextmanager
def atomic_write(path):
    """Yield a temporary path beside `path`; move it there when the block succeeds.

    Readers of `path` find the old file or the new one, even after a kill or a power cut. A link
    is followed to the file that it names; a device is written to in place.
    """
    if is_special(path):
        yield Path(path)
        return
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{path.name}")
    try:
        temporary.unlink(missing_ok=True)  # of a run that was killed
        temporary.touch(exist_ok=False)  # a link of this name isn't written through
        yield temporary
        flush(temporary)
        temporary.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        if error.errno and not error.filename:  # the error of a full disk names no file
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def flush(path):
    """Have the system write a file to the disk now."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder):
    """Have the system write to the disk which files a folder holds, where systems can be told."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno != errno.EINVAL:  # some network shares can't
                raise
        finally:
            os.close(descriptor)


def is_special(path):
    """Whether something is there that is neither a file nor a folder, such as a FIFO."""
    path = Path(path)
    return path.exists() and not path.is_file() and not path.is_dir()


def check_file(path):
    """Raise InputError if a path is a folder, or a FIFO or device, which may never end."""
    if Path(path).is_dir() or is_special(path):
        kind = "folder" if Path(path).is_dir() else "FIFO or device"
        raise InputError(f"{path} is a {kind}: give a file")


@contextlib.contextmanager
def lock_folders(*folders):
    """Lock folders against other processes while the block runs.

    The system releases the locks when the process ends, however it ends.

    Raises
    ------
    InputError
        Another process holds a lock, or the folder's disk has no locks.
    """
    me = f"process {os.getpid()} on {platform.node()}".encode()

    def sign(descriptor):
        os.truncate(descriptor, 0)
        os.write(descriptor, me)

    with contextlib.ExitStack() as stack:
        # A folder may go by two names.
        for folder in {os.path.realpath(folder): folder for folder in folders}.values():
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / ".lock"
            try:
                stack.enter_context(filelock.FileLock(path, blocking=False, on_acquired=sign))
            except filelock.Timeout:
                try:
                    holder = path.read_text(encoding="utf-8")
                except OSError:  # on Windows a locked file can't be read
                    holder = "another process"
                raise InputError(
                    f"{holder} is writing to {folder}: wait until it ends, or choose another folder"
                ) from None
            except NotImplementedError:
                raise InputError(
                    f"{folder} can't be locked against other processes: choose another disk"
                ) from None
        yield


def write_json(path, content):
    """Write `content` to `path` as indented JSON."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        # Piece by piece: those of a large data set's manifest take many times its size.
        json.dump(content, file, indent=1, allow_nan=False)
        file.write("\n")


def write_table(path, columns, rows):
    """Write rows, dicts with any of the `columns` as keys, to a CSV file."""
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_table(path):
    """Return the rows of a CSV file as dicts of strings; none if the file doesn't exist."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
