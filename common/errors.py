"""Messages to the user, input that they can correct, and checks of values read from files."""

import re
import sys

MAX_NUMBER = 10**9  # limit of any number given as an option or read from a file


class InputError(Exception):
    """An error the user can correct; its message says what is wrong and what to do."""


def try_call(function, *arguments):
    """Return (result, None) of a call, or (None, message) if its input can't be used."""
    try:
        return function(*arguments), None
    except (InputError, OSError) as error:
        return None, describe(error)
    except MemoryError:
        return None, escape_controls(f"{arguments[0]} needs more memory than there is")


def describe(error):
    """Return an error as a line of text: that of the system without its number."""
    if isinstance(error, OSError) and error.filename:
        # A file that can't be moved has two names: the second is the one that the user knows.
        error = f"{error.filename2 or error.filename}: {error.strerror}"
    return escape_controls(error)


def escape_controls(message):
    """Return a message as text in which line breaks and other controls are escaped.

    A file's name may hold them, and would break the line or send escape codes to the terminal.
    """
    return re.sub(r"[\0-\x1f\x7f-\x9f\u2028\u2029]", lambda c: repr(c[0])[1:-1], str(message))


def print_note(message):
    """Print a line on stderr; names of files in it may hold control characters."""
    print(escape_controls(message), file=sys.stderr)


def list_names(names, n_shown=5):
    """Return the first of some names as text, with the number of the others."""
    rest = f" and {len(names) - n_shown} others" if len(names) > n_shown else ""
    return ", ".join(names[:n_shown]) + rest


def are_names(values):
    """Whether a value read from a file is a list of distinct strings."""
    named = isinstance(values, list) and all(isinstance(value, str) for value in values)
    return named and len(set(values)) == len(values)
