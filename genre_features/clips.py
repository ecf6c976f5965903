"""The clips of a data set: which files they are, of which genres and of which songs."""

import collections
import unicodedata
from pathlib import Path
from typing import NamedTuple

from common.errors import InputError
from genre_features.labels import match_labels
from genre_features.layouts import (
    NAMED_PIECE,
    NUMBERED_PIECE,
    genre_key,
    read_layout,
    split_off_subsets,
    split_path,
    subset_name,
    track_number,
)
from genre_features.listing import AUDIO_SUFFIXES, list_audio, print_note

SUBSETS = ("train", "validation", "test")
LOSSLESS_SUFFIXES = AUDIO_SUFFIXES - {".mp1", ".mp2", ".mp3", ".oga", ".ogg", ".opus"}


class Clip(NamedTuple):
    """One clip of a data set."""

    genre: str
    file: str  # relative to the data set's folder, with forward slashes
    subset: str | None = None  # that a folder or a table gives
    group: str | None = None  # that a table gives: an artist, an album or a song
    song: str | None = None  # that this and other clips are pieces of, by their names

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

    A file in two formats is one clip. Clips whose names say that they are pieces of one song have
    the same `song`.

    Parameters
    ----------
    dataset : path-like
        A folder with audio at any depth; see `layouts.read_layout`.
    genres : list of str, optional
        The genres to take, in this order; by default all there are, sorted. Case, accents' codes
        and punctuation don't matter.
    labels : path-like, optional
        A table that overrules what the paths say; see `labels.read_labels`.

    Returns
    -------
    clips : list of Clip
    genres : list of str

    Raises
    ------
    InputError
        There is no audio, a file's genre can't be told, a genre asked for isn't there, or fewer
        than two genres are left.
    """
    files = list_data_set(Path(dataset))
    clips = label_clips(files, labels) if labels else None
    if clips is None or clips[0].genre is None:
        layout = zip(files, read_layout(files), strict=True)
        given = {clip.file: clip for clip in clips or []}
        clips = [
            given.get(file, Clip(genre, file, subset))._replace(genre=genre)
            for file, (subset, genre) in layout
        ]
    clips, genres = select_genres(unify_genres(clips), genres, dataset)
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
        raise InputError(f"{dataset} isn't a folder: name the folder that the audio lies in")
    files = list_audio(dataset)
    if not files:
        raise InputError(
            f"no audio in {dataset}: put GTZAN there (see gtzan/README.md), name a folder of "
            "<genre>/<audio files> with --dataset, or try --demo"
        )
    return files


def label_clips(files, table):
    """Return the clips of files that a table labels; their genre is None if it has no genres.

    Files without a genre in a table of genres are counted on stderr.

    Raises
    ------
    InputError
        A file has no row in a table of groups or subsets, or see `labels.match_labels`.
    """
    labels = match_labels(files, table)
    one = next(iter(labels.values()))
    usable = [file for file in files if file in labels and labels[file].genre != ""]
    missing = sorted(set(files) - set(usable))
    if missing and one.genre is None:
        column = "subset" if one.group is None else "group"
        raise InputError(f"{missing[0]} has no {column}: add a line for it to {table}")
    if not usable:
        raise InputError(f"{table} has no genre for any file: fill in that column")
    if missing:
        print_note(
            f"Left out: {len(missing)} files without a genre in {table}, such as {missing[0]}."
        )
    subsets = split_off_subsets([split_path(file)[0] for file in usable])[0]
    return [
        Clip(
            labels[file].genre,
            file,
            labels[file].subset or (None if one.group else subset),
            None if one.subset else labels[file].group,
        )
        for file, subset in zip(usable, subsets, strict=True)
    ]


def unify_genres(clips):
    """Give each genre one spelling, the first, where folders differ in case or punctuation."""
    spellings = {}
    for name in sorted({unicodedata.normalize("NFC", clip.genre) for clip in clips}):
        spellings.setdefault(genre_key(name), name)
    return [clip._replace(genre=spellings[genre_key(clip.genre)]) for clip in clips]


def select_genres(clips, names, dataset):
    """Return the clips of some genres, or of all, and the genres.

    Raises
    ------
    InputError
        One of the names is that of no genre; or the genres are fewer than two, or numbers.
    """
    known = {genre_key(genre): genre for genre in sorted({clip.genre for clip in clips})}
    for name in names or []:
        if genre_key(name) not in known:
            raise InputError(f"no genre '{name}' in {dataset}: it has {', '.join(known.values())}")
    genres = list(dict.fromkeys(known[genre_key(name)] for name in names or known))
    remedy = "sort the files into one folder per genre, or name genres in a table with --labels"
    if len(genres) < 2:
        raise InputError(f"all audio of {dataset} has one genre, {genres[0]}: {remedy}")
    if all(genre.isdecimal() for genre in genres):
        raise InputError(
            f"the folders of {dataset} have numbers ({', '.join(genres[:3])}), not genres: "
            f"{remedy} (of FMA, see gtzan/README.md)"
        )
    return [clip for clip in clips if clip.genre in genres], genres


def drop_second_formats(clips):
    """Leave one clip of those whose paths differ in their format alone; say how many are left out.

    Of GTZAN's tracks the number counts, whatever folder they are in.
    """
    versions = collections.defaultdict(list)
    for clip in clips:
        folders, name = split_path(clip.file)
        is_track = track_number(clip.genre, name) is not None
        versions[clip.subset, clip.genre, *([] if is_track else folders), name].append(clip)
    repeated = [same for same in versions.values() if len(same) > 1]
    for same in repeated:
        same.sort(key=preference)
    chosen = [same[0] for same in versions.values()]
    if repeated:
        first, second = repeated[0][:2]
        print_note(
            f"Left out: {len(clips) - len(chosen)} files that are another's in a second format,"
            f" such as {second.file} beside {first.file}."
        )
    return chosen


def preference(clip):
    """Return the sorting key of files that differ in format: lossless ones and originals first."""
    path = Path(clip.file)
    return (
        path.suffix.lower() not in LOSSLESS_SUFFIXES,
        len(path.suffixes),
        len(path.parts),
        clip.file,
    )


def mark_pieces(clips):
    """Set the song of clips that are pieces of one by their names; say how many there are."""
    keys = [piece_key(clip) for clip in clips]
    n_pieces = collections.Counter(filter(None, keys))
    n_clips = collections.Counter(clip.genre for clip in clips)
    # Names such as track.00001 to track.00099, all that a genre has, number songs.
    songs = [
        "/".join(key[1:]) if key and 1 < n_pieces[key] < n_clips[clip.genre] + key[0] else None
        for key, clip in zip(keys, clips, strict=True)
    ]
    marked = [clip._replace(song=song) for clip, song in zip(clips, songs, strict=True)]
    if example := next((clip for clip in marked if clip.song), None):
        print_note(
            f"{sum(map(bool, songs))} files are pieces of {len(set(filter(None, songs)))} "
            f"songs by their names, such as {example.file}."
        )
    return marked


def piece_key(clip):
    """Return what the pieces of a song have in common, after whether they are GTZAN's; or None."""
    folders, name = split_path(clip.file)
    if clip.subset:  # the same song may be in two
        folders = [folder for folder in folders if not subset_name(folder)]
    if (number := track_number(clip.genre, name)) is not None:
        return True, clip.genre, f"{number:05d}"
    match = NAMED_PIECE.fullmatch(name) or NUMBERED_PIECE.fullmatch(name)
    song = [*folders, match[1]] if match and match[1] else folders  # jazz/<song>/part3.wav
    if not match or genre_key(song[-1] if song else "") in ("", genre_key(clip.genre)):
        return None
    return False, *song
