"""Tables of labels (--labels): the genre, the group and the subset of files."""

import codecs
import csv
import io
import unicodedata
from pathlib import Path
from typing import NamedTuple

from common.errors import InputError
from common.files import check_file
from genre_features.layouts import subset_name
from genre_features.listing import print_note

COLUMNS = ("genre", "group", "subset")


class Label(NamedTuple):
    """A row of a table; a column that the table lacks is None."""

    line: int
    file: str
    genre: str | None = None
    group: str | None = None
    subset: str | None = None


def read_labels(path):
    """Read a table with the column ``file`` and any of ``genre``, ``group`` and ``subset``.

    Separators are commas, semicolons or tabs. Upper case, spaces around cells, other columns and
    the marks that spreadsheets write at the start don't matter.

    Returns
    -------
    list of Label

    Raises
    ------
    InputError
        It isn't such a table; the message names the line and the cell.
    """
    lines = list(io.StringIO(read_text(path), newline=""))
    n_skipped = int(bool(lines) and lines[0].lower().startswith("sep="))  # Excel's hint
    header = lines[n_skipped] if len(lines) > n_skipped else ""
    separator = max(",;\t", key=header.count)
    rows = csv.reader(lines[n_skipped:], delimiter=separator, skipinitialspace=True)
    names = [name.strip().casefold() for name in next(rows, [])]
    if "file" not in names or not set(COLUMNS) & set(names):
        raise InputError(
            f"{path} has the columns {', '.join(names) or 'of no name'}: it needs file, and genre, "
            "group or subset"
        )
    labels = []
    try:
        for row in rows:
            if any(map(str.strip, row)):
                line = rows.line_num + n_skipped
                labels.append(read_row(row, names, line, f"{path}, line {line}"))
    except csv.Error as error:
        raise InputError(f"{path}, line {rows.line_num + n_skipped}: {error}") from None
    if not labels:
        raise InputError(f"{path} has no rows below its header: add one for each file")
    check_groups(labels, path)
    return labels


def read_text(path):
    """Return a table's text, in the encodings that spreadsheets write."""
    if not Path(path).exists():
        raise InputError(f"there is no table {path}: correct --labels")
    check_file(path)
    content = Path(path).read_bytes()
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if is_utf16 else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(f"{path} isn't a table in UTF-8: save it as CSV UTF-8")


def read_row(row, names, line, where):
    """Return the Label of a row's cells; `where` begins its error messages."""
    if len(row) < len(names) or any(map(str.strip, row[len(names) :])):
        raise InputError(
            f"{where} has {len(row)} cells, the header {len(names)}: put names that hold the "
            "separator in quotes"
        )
    texts = (unicodedata.normalize("NFC", cell.strip()) for cell in row)
    cells = dict(zip(names, texts, strict=False))
    file = cells["file"].replace("\\", "/").removeprefix("./").strip("/")
    if not file:
        raise InputError(f"{where} names no file: fill in its cell, or delete the line")
    for column in ("group", "subset"):
        if cells.get(column) == "":
            raise InputError(f"{where}: {file} has no {column}: fill in its cell")
    subset = cells.get("subset")
    if subset and not subset_name(subset):
        raise InputError(f"{where}: '{subset}' is no subset: write train, validation or test")
    subset = subset and subset_name(subset)
    return Label(line, file, cells.get("genre"), cells.get("group"), subset)


def check_groups(labels, path):
    """Raise InputError if a table puts a group into two subsets."""
    first = {}
    for label in labels if labels[0].group and labels[0].subset else []:
        other = first.setdefault(label.group, label)
        if other.subset != label.subset:
            raise InputError(
                f"{path}: the group '{label.group}' is in {other.subset} (line {other.line}) and "
                f"in {label.subset} (line {label.line}): keep it in one subset"
            )


def match_labels(files, path):
    """Find each file's row in a table.

    A row may name a file by its path below the data set, with folders above it, or without some
    of the folders, as long as this is the path of one file.

    Parameters
    ----------
    files : list of str
        Paths below the data set's folder, with forward slashes.
    path : path-like
        See `read_labels`.

    Returns
    -------
    dict of str to Label
        Of the files that have a row.

    Raises
    ------
    InputError
        A row names several files, two rows of a file differ, or no row names a file.
    """
    by_name = {}
    for file in files:
        normal = unicodedata.normalize("NFC", file)
        by_name.setdefault(normal.rpartition("/")[2], []).append((normal, file))
    matched, unmatched = {}, []
    for label in read_labels(path):
        file = match_file(label, by_name.get(label.file.rpartition("/")[2], []), path)
        if file is None:
            unmatched.append(label)
            continue
        other = matched.setdefault(file, label)
        if other[2:] != label[2:]:
            column = next(c for c in COLUMNS if getattr(other, c) != getattr(label, c))
            raise InputError(
                f"{path} has two {column}s for {file}: '{getattr(other, column)}' in line "
                f"{other.line}, '{getattr(label, column)}' in line {label.line}: delete one"
            )
    if not matched:
        raise InputError(
            f"{path} names none of the audio files, such as {files[0]}: its line "
            f"{unmatched[0].line} says {unmatched[0].file}; write paths below the data set"
        )
    if unmatched:
        line, file, *_ = unmatched[0]
        print_note(
            f"{path}: {len(unmatched)} rows name no file there, such as line {line}, {file}."
        )
    return matched


def match_file(label, candidates, path):
    """Return the file that a row means, of those of its name; None if there is none."""
    name = label.file
    exact = [file for normal, file in candidates if normal == name]
    found = exact or [
        file
        for normal, file in candidates
        if normal.endswith(f"/{name}") or name.endswith(f"/{normal}")
    ]
    if len(found) > 1:
        raise InputError(
            f"{path}, line {label.line}: {name} may be {found[0]} or {found[1]}: write its folder"
        )
    return found[0] if found else None
