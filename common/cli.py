"""Command lines: help texts, types of options, exit statuses."""

import argparse
import contextlib
import importlib.metadata
import io
import os
import select
import sys
from pathlib import Path

from common.errors import MAX_NUMBER, InputError, escape_controls

FORMATS = ("png", "pdf", "svg")  # of figures


def run_script(main, *arguments):
    """Run a script's main function and turn its exceptions into an exit status.

    0: done; 2: the user can correct it, explained in one line on stderr; 130: Ctrl-C; 141: the
    program that read the output has ended.
    """
    replace_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # File names may hold characters that the terminal can't show.
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            main(*arguments)
        finally:
            sys.stdout.flush()
    except (InputError, OSError, MemoryError) as error:
        if isinstance(error, BrokenPipeError) and is_cut_off(sys.stdout):
            # Python writes what is left of the output at the end: somewhere it must go.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(141)
        script = Path(sys.argv[0])
        name = script.parent.name if script.name == "__main__.py" else script.name
        print(f"{name}: {escape_controls(error) or 'not enough memory'}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def is_cut_off(stream):
    """Whether the program that read a stream, such as head, has ended."""
    with contextlib.suppress(AttributeError, OSError):  # Windows has no poll
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return bool(poll.poll(0))
    return False


def replace_closed_streams():
    """Open the null device in the place of standard streams that are closed.

    The next file would take the number of such a stream, and messages would go into that file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            null = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 it stays open
            setattr(sys, name, null)


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
        names = ", ".join(f".{name}" for name in FORMATS)
        raise argparse.ArgumentTypeError(f"{path} is no figure: end its name in one of {names}")
    return path


def library_versions(*names):
    """Return the installed version of each named distribution, as a dict."""
    return {name: importlib.metadata.version(name) for name in names}
