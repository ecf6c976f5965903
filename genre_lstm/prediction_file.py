"""The file of predictions that `predict.py --output` writes: a line for each audio file.

A line is written as soon as its file is classified. A run that is killed leaves whole lines, except
perhaps the last one. The next run removes that one and continues there.
"""

import argparse
import contextlib
import csv
import io
import itertools
import json
from pathlib import Path

from common.errors import InputError, escape_controls
from common.files import check_file, lock, report_full_disk
from genre_lstm.weights import checksum

SUFFIXES = (".csv", ".json", ".jsonl")


def predictions_path(text):
    """Return the path of a file of predictions, as an argparse type: its suffix is its format."""
    path = Path(text)
    if path.suffix.lower() not in SUFFIXES:
        raise argparse.ArgumentTypeError(f"{path} must end in {', '.join(SUFFIXES)}")
    return path


class JsonLines:
    """Lines as `predict.py --json` prints them."""

    header = b""
    start = b'{"file": '  # of every file

    def name(self, path):
        """Return the name of an audio file in its line."""
        return str(path)

    def format(self, prediction):
        """Return the line of a prediction."""
        return json.dumps(prediction).encode() + b"\n"

    def parse(self, line):
        """Return the content of a line as a dict."""
        return json.loads(line)


class CsvLines:
    """The rows of a table, each on one line, with a column for the probability of each genre."""

    def __init__(self, genres):
        self.columns = ["file", "genre", "seconds", "unlike_training", "notes"]
        self.columns += [*(f"p_{genre}" for genre in genres), "weights", "weights_crc32"]
        self.header = self.start = self.join(self.columns)

    def name(self, path):
        """Return the name of an audio file in its row."""
        return escape(path)

    def format(self, prediction):
        """Return the row of a prediction."""
        values = {f"p_{genre}": p for genre, p in prediction["probabilities"].items()}
        values |= prediction | {"notes": "; ".join(prediction["notes"])}
        return self.join(values[column] for column in self.columns)

    def parse(self, line):
        """Return the content of a row as a dict of strings."""
        return dict(zip(self.columns, next(csv.reader([line.decode()])), strict=True))

    def join(self, cells):
        """Return the row of some cells; those that are None are empty."""
        row = io.StringIO()
        texts = ("" if cell is None else escape(cell) for cell in cells)
        csv.writer(row, lineterminator="\n").writerow(texts)
        return row.getvalue().encode()


def escape(value):
    """Return a value as text on one line; names of files may hold line breaks or any bytes."""
    return escape_controls(value).encode(errors="backslashreplace").decode()


@contextlib.contextmanager
def open_predictions(path, models, audio):
    """Open a file of predictions, to begin it or to continue it.

    Parameters
    ----------
    path : Path
        CSV by its suffix, or JSON lines.
    models : list of (GenreLSTM, dict)
        See `weights.load_models`. A file that other models predicted is not continued.
    audio : list of Path

    Yields
    ------
    missing : list of Path
        The audio files that have no line yet.
    write : callable
        Appends the line of a prediction, the dict that `predict.py --json` prints.

    Raises
    ------
    InputError
        The file holds predictions with other weights, or anything else; another process writes to
        it; or the disk is full.
    """
    check_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    is_csv = path.suffix.lower() == ".csv"
    lines = CsvLines(models[0][1]["genres"]) if is_csv else JsonLines()
    with contextlib.ExitStack() as stack:
        lock(path.with_name(f".{path.name}.lock"), path, stack)
        stack.enter_context(report_full_disk(path))
        names, n_bytes = set(), 0
        if path.exists():
            names, n_bytes = read_lines(path, lines, checksum(models))
        output = stack.enter_context(path.open("ab"))
        output.truncate(n_bytes)
        if not n_bytes:
            append(output, lines.header)
        missing = [file for file in audio if lines.name(file) not in names]
        yield missing, lambda prediction: append(output, lines.format(prediction))


def append(file, line):
    """Write a line so that it outlives the process."""
    file.write(line)
    file.flush()


def read_lines(path, lines, weights_crc32):
    """Return the names of the audio files in the whole lines of a file, and where these lines end.

    InputError if the file holds something else.
    """
    names, n_bytes = set(), 0
    try:
        with path.open("rb") as file:
            start = file.read(len(lines.start))
            if not lines.start.startswith(start):
                raise ValueError
            if start == lines.start:
                n_bytes = file.seek(len(lines.header))
                for line in itertools.takewhile(lambda line: line.endswith(b"\n"), file):
                    values = lines.parse(line)
                    if values["weights_crc32"] != weights_crc32:
                        raise ValueError
                    names.add(values["file"])
                    n_bytes += len(line)
    except (ValueError, LookupError, TypeError, csv.Error):
        raise InputError(
            f"{path} holds something else than predictions with these weights: name another "
            "--output, or delete it"
        ) from None
    return names, n_bytes
