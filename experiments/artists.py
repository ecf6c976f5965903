"""How far the subsets of GTZAN's two splits share artists, and how far the splits share clips."""

from common.files import write_table
from genre_features.check import shared_artists
from genre_features.clips import Clip
from genre_features.splits import split_clips

CLIPS_PER_GENRE = 100


def write_artists(genres, output):
    """Write artists.csv: for some of GTZAN's genres, what `shared_artists` finds in each split.

    And how many clips of a subset are in the ``other_validation`` subset: that of the other split.
    """
    tracks = [
        Clip(genre, f"{genre}/{genre}.{number:05}.au")
        for genre in genres
        for number in range(CLIPS_PER_GENRE)
    ]
    by_subset = {split: split_clips(tracks, split)[0] for split in ("index", "filtered")}
    rows = []
    for split, other in (("index", "filtered"), ("filtered", "index")):
        validation = {track.file for track in by_subset[other]["validation"]}
        for subset, counts in shared_artists(by_subset[split]).items():
            known = sum(track.file in validation for track in by_subset[split][subset])
            rows.append({"split": split, "subset": subset, **counts, "other_validation": known})
    write_table(output / "artists.csv", rows[0], rows)
