"""How far the parts of the index split share artists, and those of the filtered split."""

from experiments import report
from gtzan.check import shared_artists
from gtzan.tracks import Track, split_tracks
from script_helpers import write_table

CLIPS_PER_GENRE = 100


def write_artists(genres, output):
    """Write artists.csv: for some of GTZAN's genres, what `shared_artists` finds in each split."""
    tracks = [
        Track(genre, f"{genre}/{genre}.{number:05}.au")
        for genre in genres
        for number in range(CLIPS_PER_GENRE)
    ]
    rows = [
        {"split": split, "part": part, **found}
        for split in ("index", "filtered")
        for part, found in shared_artists(split_tracks(tracks, split)[0]).items()
    ]
    write_table(output / report.ARTISTS, rows[0], rows)
