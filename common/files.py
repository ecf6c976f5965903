"""Files that are never half-written, and folders that one process writes to at a time."""

import contextlib
import csv
import errno
import functools
import json
import os
import platform
import secrets
import sys
from pathlib import Path

import filelock

from common.errors import InputError

DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NOT_SUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}
PARTIAL = ".part-"  # begins the names of files that aren't finished


@contextlib.contextmanager
def atomic_write(path, flushed=True):
    """Yield a temporary path beside `path`; move it there when the block succeeds.

    Readers of `path` find the old file or the new one, even after a kill, and if it is `flushed`
    even after a power cut. A link is followed to the file that it names.

    Raises
    ------
    InputError
        The disk is full, or there is a folder, FIFO or device.
    """
    check_file(path)
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{PARTIAL}{secrets.token_hex(4)}-{path.name}")
    try:
        with report_full_disk(path):
            temporary.touch(exist_ok=False)
            yield temporary
            if flushed:
                flush(temporary)
            temporary.replace(path)
            if flushed and os.name == "posix":  # the folder's new entry, too
                flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def report_full_disk(path):
    """Turn the error of a full disk in the block, which writes to `path`, into an InputError."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise InputError(
                f"{path} can't be written ({error.strerror}): make room on its disk, and run the "
                "same command again"
            ) from None
        raise


def flush(path):
    """Have the system write a file, or a folder's list of files, to the disk now, if it can."""
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NOT_SUPPORTED:
            raise
    finally:
        os.close(descriptor)


@functools.cache
def warn_once(message):
    """Print a warning to stderr, unless it was printed before."""
    print(message, file=sys.stderr)


def check_file(path):
    """Raise InputError if a path is a folder, or a FIFO or device, which may never end."""
    path = Path(path)
    if path.exists() and not path.is_file():
        kind = "folder" if path.is_dir() else "FIFO or device"
        raise InputError(f"{path} is a {kind}: give a file")


@contextlib.contextmanager
def lock_folders(*folders):
    """Lock folders against other processes while the block runs, and remove unfinished files there.

    The system releases the locks when the process ends, however it ends. Some network disks have no
    locks: a warning says so.

    Raises
    ------
    InputError
        Another process holds a lock.
    """
    with contextlib.ExitStack() as stack:
        # A folder may go by two names.
        for folder in {os.path.realpath(folder): folder for folder in folders}.values():
            folder.mkdir(parents=True, exist_ok=True)
            lock(folder / ".lock", folder, stack)
            for path in folder.glob(f"{PARTIAL}*"):
                if path.is_file() or path.is_symlink():
                    path.unlink()
        yield


def lock(path, place, stack):
    """Lock a file until the stack is closed, so that one process writes to a place."""
    try:
        stack.enter_context(filelock.FileLock(path, blocking=False, on_acquired=sign))
    except filelock.Timeout:
        try:
            holder = path.read_text(encoding="utf-8")
        except OSError:  # on Windows a locked file can't be read
            holder = "another process"
        raise InputError(
            f"{holder} is writing to {place}: wait until it ends, or write elsewhere"
        ) from None
    except (NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in NOT_SUPPORTED:
            raise
        warn_once("This disk has no locks: let no second script write to the same place.")


def sign(descriptor):
    """Write to an open file which process it is that writes."""
    os.truncate(descriptor, 0)
    os.write(descriptor, f"process {os.getpid()} on {platform.node()}".encode())


def write_json(path, content):
    """Write `content` to `path` as indented JSON."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        # Piece by piece: those of a large data set's manifest take many times its size.
        json.dump(content, file, indent=1, allow_nan=False)
        file.write("\n")


def write_table(path, columns, rows):
    """Write rows, dicts with any of the `columns` as keys, to a CSV file."""
    # File names needn't be valid text.
    options = {"newline": "", "encoding": "utf-8", "errors": "backslashreplace"}
    with atomic_write(path) as temporary, temporary.open("w", **options) as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_table(path):
    """Return the rows of a CSV file as dicts of strings; none if the file doesn't exist."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
