"""Count the clips of GTZAN's two splits that may share an artist across subsets.

    python -m experiments.artists

Writes artists.csv: what `shared_artists` counts in each split and subset, and how many clips are in
the other split's validation subset.
"""

from common.cli import run_script
from common.files import write_table
from experiments.options import make_parser
from genre_features.check import shared_artists
from genre_features.clips import Clip
from genre_features.genres import SIX_GENRES
from genre_features.splits import split_clips


def count_shared(genres):
    """Return the rows of artists.csv for some of GTZAN's genres."""
    clips = [Clip(genre, f"{genre}/{genre}.{i:05}.au") for genre in genres for i in range(100)]
    by_subset = {split: split_clips(clips, split)[0] for split in ("index", "filtered")}
    rows = []
    for split, other in (("index", "filtered"), ("filtered", "index")):
        validation = {clip.file for clip in by_subset[other]["validation"]}
        for subset, counts in shared_artists(by_subset[split]).items():
            n = sum(clip.file in validation for clip in by_subset[split][subset])
            rows.append({"split": split, "subset": subset, **counts, "other_validation": n})
    return rows


def main():
    options = make_parser("experiments.artists", __doc__).parse_args()
    rows = count_shared(SIX_GENRES)
    write_table(options.output / "artists.csv", rows[0], rows)


if __name__ == "__main__":
    run_script(main)
