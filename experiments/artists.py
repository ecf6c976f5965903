"""How far the parts of GTZAN's two splits share artists, and how far the splits share clips."""

from genre_features.check import shared_artists
from genre_features.splits import split_tracks
from genre_features.tracks import Track
from plumbing.files import write_table

CLIPS_PER_GENRE = 100


def write_artists(genres, output):
    """Write artists.csv: for some of GTZAN's genres, what `shared_artists` finds in each split.

    And how many clips of a part are in the ``other_validation`` part: that of the other split.
    """
    tracks = [
        Track(genre, f"{genre}/{genre}.{number:05}.au")
        for genre in genres
        for number in range(CLIPS_PER_GENRE)
    ]
    by_part = {split: split_tracks(tracks, split)[0] for split in ("index", "filtered")}
    rows = []
    for split, other in (("index", "filtered"), ("filtered", "index")):
        validation = {track.file for track in by_part[other]["validation"]}
        for part, counts in shared_artists(by_part[split]).items():
            known = sum(track.file in validation for track in by_part[split][part])
            rows.append({"split": split, "part": part, **counts, "other_validation": known})
    write_table(output / "artists.csv", rows[0], rows)
