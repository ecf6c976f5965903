"""The layouts of data sets: the subset, the genre and the song that paths and names tell."""

import os
import re
import unicodedata

from common.errors import InputError
from genre_features.listing import AUDIO_SUFFIXES, OTHER_SUFFIXES

SUBSET_WORDS = {
    "train": {"train", "training"},
    "validation": {"val", "valid", "validate", "validation", "dev", "devel", "development"},
    "test": {"test", "testing", "eval", "evaluation", "heldout"},
}
SUFFIXES = AUDIO_SUFFIXES | OTHER_SUFFIXES
FORMAT_FOLDERS = {"converted", "aiff", "au", "flac", "m4a", "mp3", "ogg", "opus", "wav"}
# <genre>.<five digits>, GTZAN's names; more may follow, as for pieces of such tracks
TRACK = re.compile(r"(.+?)\.(\d{5})(?:[\W_].*)?")
# <genre>.<number>, <genre> <number>
FLAT_NAME = re.compile(r"([^.]+?)[. ]\d[\d.]*([_ -].*)?")
# <song>_part3, <song>-chunk 3 of 8, part3, <song>.00012
PIECE = re.compile(
    r"(?:(.+?)[\W_]+)?(?:(?:part|seg|segment|chunk|piece|clip|slice|cut|split|section)"
    r"[\W_]*\d+([\W_]*of[\W_]*\d+)?|(?<=.\.)\d+)",
    re.IGNORECASE,
)


def genre_key(name):
    """Return the letters and digits of a genre's name, by which spellings of it are compared."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    # In Indic scripts vowels are marks.
    key = "".join(c for c in folded if unicodedata.category(c)[0] in "LMN")
    return key if any(map(str.isalnum, key)) else folded


def subset_name(text):
    """Return the subset that a folder's or a cell's text means, such as ``_Val``; None if none."""
    word = re.sub(r"[\W\d_]|data|set|split|audio|clips|files|songs", "", text.casefold())
    return next((subset for subset, words in SUBSET_WORDS.items() if word in words), None)


def split_path(file):
    """Return the folders of a file's path, except those named for a format, and its bare name.

    The bare name has no suffix of an audio format: ``jazz.00054`` of ``jazz.00054.au.wav``.
    """
    *folders, name = unicodedata.normalize("NFC", file).split("/")
    while (parts := os.path.splitext(name))[1].lower() in SUFFIXES:  # noqa: PTH122
        name = parts[0]
    return [folder for folder in folders if folder.lower() not in FORMAT_FOLDERS], name


def track_number(genre, name):
    """Return the number in a bare name of GTZAN's, or of a piece of such a track; else None."""
    match = TRACK.fullmatch(name)
    return int(match[2]) if match and genre_key(match[1]) == genre_key(genre) else None


def song_key(folders, name, genre):
    """Return what the names of a song's pieces have in common; None if it names no piece."""
    if not (match := PIECE.fullmatch(name)):
        return None
    folders = [folder for folder in folders if not subset_name(folder)]  # it may be in two
    song = [*folders, match[1]] if match[1] else folders  # jazz/<song>/part3.wav
    is_named = song and genre_key(song[-1]) not in ("", genre_key(genre))
    return "/".join(song) if is_named else None


def read_layout(files, genres=None):
    """Tell the subset and the genre of each file of a data set from its path.

    The path that all files share is left out. A level of folders that are all named for subsets,
    at any depth, gives the subsets. The next folder is the genre. Where there is none, the name
    of the file tells the genre.

    Parameters
    ----------
    files : list of str
        Paths below the data set's folder, with forward slashes.
    genres : list of str, optional
        The genre of each file, if it is known.

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
    genres = genres or read_genres(levels, names, files, all(subsets))
    return list(zip(subsets, genres, strict=True))


def read_genres(levels, names, files, in_subsets):
    """Return the genre of each file from its folders below those of subsets, or from its name."""
    genres = [folders[-1] if folders else "" for folders in levels]
    if None not in map(track_number, genres, names):
        return genres  # GTZAN's, even in several folders
    levels = strip_common(levels)
    # In the original's layout, folders of subsets. Elsewhere, numbers belong to songs.
    pattern = FLAT_NAME if in_subsets and not any(levels) else TRACK
    genres = [
        folders[0] if folders else flat_genre(pattern, name, file)
        for folders, name, file in zip(levels, names, files, strict=True)
    ]
    named = {subset_name(genre): genre for genre in genres}
    if genre := len(named) > 1 and named.pop(None, None):
        raise InputError(
            f"the folder {min(named.values())} is named for a subset, but {genre} beside it isn't: "
            "rename one of them, move it away, or use a table with --labels"
        )
    return genres


def strip_common(levels):
    """Leave out the folders that all paths begin with."""
    while all(levels) and len({folders[0] for folders in levels}) == 1:
        levels = [folders[1:] for folders in levels]
    return levels


def split_off_subsets(levels):
    """Return each path's subset, or None, and its folders without the level of the subsets."""
    for depth in range(min(map(len, levels), default=0)):
        subsets = [subset_name(folders[depth]) for folders in levels]
        if None not in subsets and len(set(subsets)) > 1:
            levels = [folders[:depth] + folders[depth + 1 :] for folders in levels]
            return subsets, split_off_subsets(levels)[1]  # as in train/train_data/
    return [None] * len(levels), levels


def flat_genre(pattern, name, file):
    """Return the genre that the name of a file in no genre's folder tells."""
    match = pattern.fullmatch(name)
    if not match or match[1].isdecimal():
        raise InputError(
            f"{file} is in no folder of a genre: sort the audio into one folder per genre, name "
            "files <genre>.<five digits>, or name the genres in a table with --labels"
        )
    return match[1]
