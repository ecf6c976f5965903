"""The clips of a data set: which files they are, of which genres and of which songs."""

import collections
import unicodedata
from pathlib import Path
from typing import NamedTuple

from common.errors import InputError, print_note
from genre_features.labels import Label, label_files
from genre_features.layouts import (
    genre_key,
    read_layout,
    song_key,
    split_path,
    track_number,
)
from genre_features.listing import AUDIO_SUFFIXES, list_audio

SUBSETS = ("train", "validation", "test")
N_TRACKS = 100  # of each of GTZAN's genres
PIECES_PER_TRACK = 10  # where GTZAN is cut into pieces of 3 s that are numbered through
LOSSLESS_SUFFIXES = AUDIO_SUFFIXES - {".mp1", ".mp2", ".mp3", ".oga", ".ogg", ".opus"}


class Clip(NamedTuple):
    """One clip of a data set."""

    genre: str
    file: str  # relative to the data set's folder, with forward slashes
    subset: str | None = None  # given by a folder or a table
    group: str | None = None  # given by a table: an artist, an album or a song
    song: str | None = None  # whose pieces this and other clips are, by their names

    @property
    def name(self):
        """``jazz.00042`` for GTZAN's tracks, else `file`: in folders, names are used again."""
        return self.file if self.number is None else split_path(self.file)[1]

    @property
    def number(self):
        """The track number of a GTZAN name (``<genre>.<five digits>``), else None."""
        return track_number(self.genre, split_path(self.file)[1])


def find_clips(dataset, genres=None, labels=None):
    """List the clips of a data set in sorted order.

    A file in two formats is one clip.

    Parameters
    ----------
    dataset : path-like
        A folder with audio at any depth; see `layouts.read_layout`.
    genres : list of str, optional
        The genres to take, in this order, in any spelling; by default all, sorted.
    labels : path-like, optional
        A table that overrules what the paths say; see `labels.label_files`.

    Returns
    -------
    clips : list of Clip
    genres : list of str

    Raises
    ------
    InputError
        There is no audio, a file's genre can't be told, a genre asked for isn't there, or there
        are fewer than two.
    """
    files = list_data_set(Path(dataset))
    rows = label_files(files, labels) if labels else {file: Label(0, file) for file in files}
    layout = read_layout(list(rows), [row.genre for row in rows.values() if row.genre])
    clips = [
        Clip(genre, file, row.subset or (None if row.group else subset), row.group)
        for (file, row), (subset, genre) in zip(rows.items(), layout, strict=True)
    ]
    clips, genres = select_genres(clips, genres, dataset)
    clips = mark_pieces(drop_second_formats(clips))
    return sorted(clips, key=lambda clip: (genres.index(clip.genre), clip.file)), genres


def list_data_set(dataset):
    """Return the audio files of a data set; InputError if it isn't a folder or has none."""
    if not dataset.exists():
        raise InputError(
            f"there is no folder {dataset} (in {Path.cwd()}): correct --dataset, put GTZAN there "
            "(see gtzan/README.md), or try --demo"
        )
    if not dataset.is_dir():
        raise InputError(f"{dataset} isn't a folder: name the folder that contains the audio")
    files = list_audio(dataset)
    if not files:
        raise InputError(
            f"no audio in {dataset}: put GTZAN there (see gtzan/README.md), name a folder of "
            "<genre>/<audio files> with --dataset, or try --demo"
        )
    return files


def select_genres(clips, names, dataset):
    """Return the clips of some genres, or of all, and the genres, each in its first spelling."""
    spellings = {}
    for name in sorted({unicodedata.normalize("NFC", clip.genre) for clip in clips}):
        spellings.setdefault(genre_key(name), name)
    for name in names or []:
        if genre_key(name) not in spellings:
            known = ", ".join(spellings.values())
            raise InputError(f"no genre '{name}' in {dataset}: it has {known}")
    genres = list(dict.fromkeys(spellings[genre_key(name)] for name in names or spellings))
    remedy = "sort the files into one folder per genre, or name genres in a table with --labels"
    if len(genres) == 1 < len(spellings):
        raise InputError(f"--genres names one genre, {genres[0]}: name two or more")
    if len(genres) < 2:
        raise InputError(f"all audio of {dataset} has one genre, {genres[0]}: {remedy}")
    if all(genre.isdecimal() for genre in genres):
        raise InputError(
            f"the genres of {dataset} are numbers ({', '.join(genres[:3])}): {remedy} (for FMA, "
            "see gtzan/README.md)"
        )
    clips = [clip._replace(genre=spellings[genre_key(clip.genre)]) for clip in clips]
    return [clip for clip in clips if clip.genre in genres], genres


def drop_second_formats(clips):
    """Keep one clip of those whose paths differ only in their format; count the others on stderr.

    Lossless and original files are preferred. GTZAN's tracks are the same in any folder.
    """
    versions = collections.defaultdict(list)
    for clip in clips:
        folders, name = split_path(clip.file)
        folders = folders if clip.number is None else []
        versions[clip.subset, clip.genre, *folders, name].append(clip)
    for same in versions.values():
        same.sort(key=lambda c: (Path(c.file).suffix.lower() not in LOSSLESS_SUFFIXES, len(c.file)))
    if n_others := len(clips) - len(versions):
        first, second, *_ = max(versions.values(), key=len)
        print_note(
            f"Left out: {n_others} files in a second format, such as {second.file} beside "
            f"{first.file}."
        )
    return [same[0] for same in versions.values()]


def track_numbers(clips):
    """Return the GTZAN track of each clip, or None. Numbers above 99 show that they are pieces."""
    numbers = [clip.number for clip in clips]
    if max((number or 0 for number in numbers), default=0) < N_TRACKS:
        return numbers
    return [None if number is None else number // PIECES_PER_TRACK for number in numbers]


def mark_pieces(clips):
    """Set the song of clips that are pieces of one by their names; count them on stderr."""
    songs = [
        song_key(*split_path(c.file), c.genre) if track is None else f"{c.genre}/{track:05}"
        for c, track in zip(clips, track_numbers(clips), strict=True)
    ]
    n_pieces = collections.Counter(songs)
    n_clips = collections.Counter(clip.genre for clip in clips)
    marked = [
        # Names such as track.00001 to track.00099, all that a genre has, number songs.
        clip._replace(song=song) if song and 1 < n_pieces[song] < n_clips[clip.genre] else clip
        for clip, song in zip(clips, songs, strict=True)
    ]
    pieces = [clip for clip in marked if clip.song]
    if pieces:
        print_note(
            f"{len(pieces)} files are pieces of {len({clip.song for clip in pieces})} songs by "
            f"their names, such as {pieces[0].file}."
        )
    return marked
