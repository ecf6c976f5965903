"""The layouts of data sets: the subset, the genre, and the song that paths and names tell."""

import re
import unicodedata

from common.errors import InputError
from genre_features.listing import AUDIO_SUFFIXES, OTHER_SUFFIXES, split_suffix

SUBSET_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validate", "validation", "dev", "devel"), "validation"),
    **dict.fromkeys(("development",), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation", "heldout"), "test"),
}
SUFFIXES = AUDIO_SUFFIXES | OTHER_SUFFIXES
FORMAT_FOLDERS = {"converted", "aiff", "au", "flac", "m4a", "mp3", "ogg", "opus", "wav"}
PIECE = r"(?:part|seg|segment|chunk|piece|clip|slice|cut|split|section)"
# <genre>.<five digits>, GTZAN's names, and pieces of such tracks
TRACK = re.compile(rf"(.+)\.(\d{{5}})(?:[._ -]+{PIECE}?[._ -]*\d+)?", re.IGNORECASE)
# <song>_part3, <song>-chunk 3 of 8; <song>.00012
NAMED_PIECE = re.compile(rf"(?:(.+?)[\W_]+)?{PIECE}[\W_]*\d+([\W_]*of[\W_]*\d+)?", re.IGNORECASE)
NUMBERED_PIECE = re.compile(r"(.+)\.\d+")
FLAT_NAME = re.compile(r"([^.]+?)[. ]\d[\d.]*([_ -].*)?")


def genre_key(name):
    """Return the letters and digits of a genre's name, by which spellings of it are compared."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(filter(str.isalnum, folded)) or folded


def subset_name(text):
    """Return the subset that a folder's or a cell's text means, such as ``_Val``; None if none."""
    noise = r"[\W\d_]|data|set|split|audio|clips|files|songs"
    return SUBSET_WORDS.get(re.sub(noise, "", text.casefold()))


def split_path(file):
    """Return the folders of a file's path, except those named for a format, and its bare name.

    The bare name has no suffix of an audio format: ``jazz.00054`` of ``jazz.00054.au.wav``.
    """
    *folders, name = unicodedata.normalize("NFC", file).split("/")
    while (parts := split_suffix(name))[1] in SUFFIXES:
        name = parts[0]
    return [folder for folder in folders if folder.lower() not in FORMAT_FOLDERS], name


def track_number(genre, name):
    """Return the number in a bare name of GTZAN's, or of a piece of such a track; else None."""
    match = TRACK.fullmatch(name)
    return int(match[2]) if match and genre_key(match[1]) == genre_key(genre) else None


def read_layout(files):
    """Tell the subset and the genre of each file of a data set from its path.

    The path that all files share is left out. A level of folders that are all named for subsets,
    at any depth, gives the subsets. The first folder that is left is the genre; where none is left,
    the genre is in the file's name.

    Parameters
    ----------
    files : list of str
        Paths below the data set's folder, with forward slashes.

    Returns
    -------
    list of tuple of (str or None, str)

    Raises
    ------
    InputError
        The genre of a file can't be told.
    """
    levels, names = zip(*map(split_path, files), strict=True)
    subsets, levels = split_off_subsets(levels)
    genres = [folders[-1] if folders else "" for folders in levels]
    if None not in map(track_number, genres, names):
        return list(zip(subsets, genres, strict=True))  # GTZAN's, even in several folders
    levels = strip_common(levels)
    if any(levels):
        check_levels(levels, files)
        genres = [folders[0] for folders in levels]
    else:
        strict = not all(subsets)
        genres = [flat_genre(file, name, strict) for file, name in zip(files, names, strict=True)]
    return list(zip(subsets, genres, strict=True))


def strip_common(levels):
    """Leave out the folders that all paths begin with."""
    n_common = 0
    for names in zip(*levels, strict=False):
        if len(set(names)) > 1:
            break
        n_common += 1
    return [folders[n_common:] for folders in levels]


def split_off_subsets(levels):
    """Return each path's subset, or None, and its folders without the level of the subsets."""
    for depth in range(min(map(len, levels), default=0)):
        found = {name: subset_name(name) for name in {folders[depth] for folders in levels}}
        if None not in found.values() and len(set(found.values())) > 1:
            subsets = [found[folders[depth]] for folders in levels]
            levels = [folders[:depth] + folders[depth + 1 :] for folders in levels]
            return subsets, split_off_subsets(levels)[1]  # as in train/train_data/
    return [None] * len(levels), levels


def flat_genre(file, name, strict):
    """Return the genre that the name of a file in no genre's folder tells.

    In folders of subsets, the original's layout, any ``<genre>.<number>`` and ``<genre> <number>``
    is taken. Otherwise (`strict`) only GTZAN's five digits are: other songs are numbered, too.
    """
    match = TRACK.fullmatch(name) if strict else FLAT_NAME.fullmatch(name)
    if match and not match[1].isdecimal():
        return match[1]
    if strict:
        raise InputError(
            f"the audio lies in a single folder (such as {file}): sort it into one folder per "
            "genre, or name the genres in a table with --labels"
        )
    raise InputError(
        f"{file} doesn't name its genre: call it <genre>.<number>, or move it to <genre>/"
    )


def check_levels(levels, files):
    """Raise InputError if a file lies beside the genres' folders, or subsets beside genres."""
    for folders, file in zip(levels, files, strict=True):
        if not folders:
            raise InputError(f"{file} lies outside a genre's folder: move it to <genre>/")
    names = sorted({folders[0] for folders in levels})
    if subsets := [name for name in names if subset_name(name)]:
        genres = [name for name in names if not subset_name(name)]
        if genres:
            raise InputError(
                f"the folder {subsets[0]} is named for a subset, but {genres[0]} beside it isn't: "
                "rename one of them, move it away, or use a table with --labels"
            )
