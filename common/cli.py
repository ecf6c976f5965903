"""Command lines: help texts, types of options, exit statuses."""

import argparse
import contextlib
import errno
import importlib.metadata
import io
import os
import sys
from pathlib import Path

from common.errors import MAX_NUMBER, InputError, describe

FORMATS = ("png", "pdf", "svg")  # of figures
UNREAD = {errno.EPIPE, errno.EIO, errno.EINVAL}  # errors of a pipe, a terminal, a pipe on Windows


def run_script(main, *arguments):
    """Run a script's main function and turn its exceptions into an exit status.

    0: done; 2: the user can correct it, explained in one line on stderr; 130: Ctrl-C. Output that
    nobody reads any more is dropped, and stops nothing.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        setattr(sys, name, open_stream(getattr(sys, name), mode))
    try:
        main(*arguments)
        sys.stdout.flush()
    except (InputError, OSError, MemoryError) as error:
        script = Path(sys.argv[0])
        name = script.parent.name if script.name == "__main__.py" else script.name
        print(f"{name}: {describe(error) or 'not enough memory'}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


class Output(io.FileIO):
    """A standard stream whose reader, a terminal or a program such as head, may go away."""

    def write(self, text):
        """Write bytes, or drop them if nobody reads them."""
        try:
            return super().write(text)
        except OSError as error:
            if error.errno not in UNREAD:
                raise
            return len(text)


def open_stream(stream, mode):
    """Return what a script uses in the place of a standard stream.

    The null device for one that is closed: the next file would take its number, and messages would
    go into that file. Output shows characters that the terminal doesn't have as escapes.
    """
    if stream is None:
        return Path(os.devnull).open(mode, encoding="utf-8")
    if mode == "w" and isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
        if type(getattr(stream.buffer, "raw", stream.buffer)) is io.FileIO:  # not a test's
            stream.flush()
            buffer = io.BufferedWriter(Output(stream.fileno(), "w", closefd=False))
            by_line = stream.line_buffering or stream.write_through
            return io.TextIOWrapper(buffer, stream.encoding, stream.errors, line_buffering=by_line)
    return stream


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows the script's docstring as it is written, and the default of every option."""

    def _get_help_string(self, action):
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)


def number_in(least, most=MAX_NUMBER):
    """Return an argparse type: a number of the type of `least`, from there to `most`."""

    def read(text):
        with contextlib.suppress(ValueError):
            if least <= (number := type(least)(text)) <= most:
                return number
        raise argparse.ArgumentTypeError(f"{text!r} isn't a number from {least} to {most}")

    return read


def add_format(parser):
    """Add the option --format, of the figures that a script writes."""
    parser.add_argument("--format", choices=FORMATS, default="png", help="of the figures")


def figure_path(text):
    """Return the path of a figure to write, as an argparse type: its suffix is its format."""
    path = Path(text)
    if path.suffix[1:].lower() not in FORMATS:
        raise argparse.ArgumentTypeError(f"{path} must end in .{', .'.join(FORMATS)}")
    return path


def library_versions(*names):
    """Return the installed version of each named distribution, as a dict."""
    return {name: importlib.metadata.version(name) for name in names}
