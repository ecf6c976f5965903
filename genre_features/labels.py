"""Tables of labels (--labels): the genre, the group and the subset of files."""

import codecs
import collections
import csv
import io
import unicodedata
from pathlib import Path
from typing import NamedTuple

from common.errors import MAX_NUMBER, InputError, print_note
from common.files import check_file
from genre_features.layouts import subset_name

COLUMNS = ("genre", "group", "subset")


class Label(NamedTuple):
    """A row of a table; a column that the table lacks is None."""

    line: int
    file: str
    genre: str | None = None
    group: str | None = None
    subset: str | None = None


def label_files(files, path):
    """Return the labels of files from a table.

    The table has the column ``file`` and any of ``genre``, ``group`` and ``subset``, separated by
    commas, semicolons or tabs. A row may name a file by its path below the data set, with folders
    above it, or without some of its folders if that names one file only. If there is a column of
    genres, files without one are left out and counted on stderr.

    Parameters
    ----------
    files : list of str
        Paths below the data set's folder, with forward slashes.
    path : path-like
        The table.

    Returns
    -------
    dict of str to Label

    Raises
    ------
    InputError
        A file has no group or no subset, or the table can't be read or matched.
    """
    labels = match_labels(read_labels(path), files, path)
    first = next(iter(labels.values()))
    for column in (column for column in COLUMNS if getattr(first, column) is not None):
        missing = [file for file in files if not getattr(labels.get(file), column, None)]
        if missing and (column != "genre" or len(missing) == len(files)):
            raise InputError(f"{path} has no {column} for {missing[0]}: fill it in")
        if missing:
            print_note(f"Left out: {len(missing)} files without a genre, such as {missing[0]}.")
            files = sorted(set(files) - set(missing))
    return {file: labels[file] for file in files if file in labels}


def match_labels(labels, files, path):
    """Return the label of each file that a row names; count rows that name none on stderr."""
    by_name = collections.defaultdict(dict)
    for file in files:
        normal = unicodedata.normalize("NFC", file)
        by_name[normal.rpartition("/")[2]][normal] = file
    matched, unmatched = {}, []
    for label in labels:
        file = find_file(label, by_name[label.file.rpartition("/")[2]], path)
        if file is None:
            unmatched.append(label)
        elif (other := matched.setdefault(file, label))[2:] != label[2:]:
            raise InputError(
                f"{path}: lines {other.line} and {label.line} differ on {file}: delete one of them"
            )
    example = f"line {unmatched[0].line}, {unmatched[0].file}" if unmatched else "no row"
    if not matched:
        raise InputError(
            f"{path} names none of the audio files, such as {files[0]}, but {example}: write paths "
            "below the data set"
        )
    if unmatched:
        print_note(f"{path}: {len(unmatched)} rows name no audio file, such as {example}.")
    return matched


def find_file(label, files, path):
    """Return the file that a row means, of those by path that have its name, or None."""
    name, same = label.file, [label.file] if label.file in files else []
    same = same or [p for p in files if p.endswith(f"/{name}") or name.endswith(f"/{p}")]
    if len(same) > 1:
        raise InputError(
            f"{path}, line {label.line}: {name} may be {same[0]} or {same[1]}: add its folder"
        )
    return files[same[0]] if same else None


def read_labels(path):
    """Return the labels of a table; InputError names the line and the cell that can't be used."""
    text = read_text(path)
    separator = max(",;\t", key=text.partition("\n")[0].count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    names = [name.strip().casefold() for name in next(rows, [])]
    if names.count("file") != 1 or max(map(names.count, COLUMNS)) != 1:
        raise InputError(
            f"{path} has the columns {', '.join(names) or '(none)'}: it needs file, and genre, "
            "group (as the artist) or subset, each once"
        )
    csv.field_size_limit(MAX_NUMBER)  # an unclosed quote is reported by the number of cells
    return [
        read_row(row, names, rows.line_num, f"{path}, line {rows.line_num}")
        for row in rows
        if any(map(str.strip, row))
    ]


def read_text(path):
    """Return a table's text, in the encodings that spreadsheets write."""
    if not Path(path).exists():
        raise InputError(f"there is no table {path}: correct --labels")
    check_file(path)
    content = Path(path).read_bytes()
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def read_row(row, names, line, where):
    """Return the Label of a row's cells; `where` begins its error messages."""
    if len(row) < len(names) or any(map(str.strip, row[len(names) :])):
        raise InputError(
            f"{where} has {len(row)} cells, the header {len(names)}: give each column a cell, "
            "in quotes if it contains the separator"
        )
    texts = (unicodedata.normalize("NFC", cell.strip()) for cell in row)
    cells = dict(zip(names, texts, strict=False))
    file = cells["file"].replace("\\", "/").removeprefix("./").strip("/")
    if not file:
        raise InputError(f"{where} names no file: fill in its cell, or delete the line")
    subset = cells.get("subset")
    if subset and not subset_name(subset):
        raise InputError(f"{where}: '{subset}' is no subset: write train, validation or test")
    subset = subset and subset_name(subset)
    return Label(line, file, cells.get("genre"), cells.get("group"), subset)
