"""What every script here shares: exit status, help, and files that are never half-written."""

import argparse
import contextlib
import csv
import importlib.metadata
import io
import json
import os
import platform
import sys
from pathlib import Path

import filelock

MOST = 10**9  # what any number may be that is asked for or read from a file


class InputError(Exception):
    """Something the user can mend; the message says what it is and what to do."""


def run_script(main, *arguments):
    """Run a script's main function and turn what it raises into an exit status.

    0: done; 2: the user can mend it, said in one line on stderr; 130: stopped with Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file's name may hold what a terminal can't show.
            stream.reconfigure(errors="backslashreplace")
    try:
        main(*arguments)
    except (InputError, OSError) as error:
        script = Path(sys.argv[0])
        name = script.parent.name if script.name == "__main__.py" else script.name
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


@contextlib.contextmanager
def replacing(path):
    """Yield a temporary path beside `path`, and move it there once the block ends well.

    Whoever reads `path`, and whenever the process dies, there is the old file or the new one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno and not error.filename:  # a full disk doesn't say what it had no room for
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def alone(*folders):
    """Keep other processes out of folders while the block runs; InputError if one is in them.

    The system frees them when a process ends, in whatever way.
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
                except OSError:  # on Windows nobody else may read it
                    holder = "another process"
                raise InputError(
                    f"{holder} is at work in {folder}: wait until it has ended, or take another "
                    "folder"
                ) from None
        yield


def write_json(path, content):
    """Write `content` to `path` as indented JSON, whole or not at all."""
    with replacing(path) as temporary:
        text = json.dumps(content, indent=1, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def write_table(path, columns, rows):
    """Write rows, dicts of any of the `columns`, to a CSV file, whole or not at all."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_table(path):
    """Return the rows of a CSV file as dicts of text, or none if there is no such file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def are_names(values):
    """Whether something read from a file is a list of names, each there once."""
    named = isinstance(values, list) and all(isinstance(value, str) for value in values)
    return named and len(set(values)) == len(values)


def are_lengths(values):
    """Whether things read from a file are whole numbers from 1 to what `at_least` allows."""
    return all(type(value) is int and 1 <= value <= MOST for value in values)


def library_versions(*names):
    """Return the installed version of each named distribution, as a dict."""
    return {name: importlib.metadata.version(name) for name in names}


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Help that shows the script's docstring as it stands, and every default there is."""

    def _get_help_string(self, action):
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)


def at_least(least):
    """Return a function that reads a number of the type of `least` from the command line."""

    def read(text):
        if not least <= (number := type(least)(text)) <= MOST:
            raise ValueError
        return number

    read.__name__ = f"number, at least {least}"  # how argparse calls it
    return read
