"""Files that are never half-written, and folders that one process writes to at a time."""

import contextlib
import csv
import json
import os
import platform
from pathlib import Path

import filelock

from plumbing.inputs import InputError


@contextlib.contextmanager
def replacing(path):
    """Yield a temporary path beside `path`; move it there when the block succeeds.

    Readers of `path` find the old file or the new one, even if the process is killed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno and not error.filename:  # the error of a full disk names no file
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def alone(*folders):
    """Lock folders against other processes while the block runs.

    The system releases the locks when the process ends, however it ends.

    Raises
    ------
    InputError
        Another process holds a lock.
    """
    me = f"process {os.getpid()} on {platform.node()}".encode()

    def sign(descriptor):
        os.truncate(descriptor, 0)
        os.write(descriptor, me)

    with contextlib.ExitStack() as stack:
        for folder in dict.fromkeys(folders):
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
        yield


def write_json(path, content):
    """Write `content` to `path` as indented JSON."""
    with replacing(path) as temporary:
        text = json.dumps(content, indent=1, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def write_table(path, columns, rows):
    """Write rows, dicts with any of the `columns` as keys, to a CSV file."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_table(path):
    """Return the rows of a CSV file as dicts of strings; none if the file doesn't exist."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
