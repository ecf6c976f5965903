"""Put two versions of the training clips, such as unfiltered and low-passed, into one cache.

    python -m experiments.both --first DIR --second DIR --output DIR

A model trained on both sees the same music with and without the highest band. Validation and test
clips are those of the second version.
"""

import numpy as np

from common.cli import run_script
from experiments.caches import check_same_tracks, save_cache
from experiments.options import make_parser
from genre_features.cache import GenreFeatureData


def interleave(first, second, output):
    """Write the training clips of two caches to a third: first, second, first, …; see above.

    InputError if they don't hold the same tracks.
    """
    check_same_tracks(first, second)
    tracks = second.tracks | {"train": np.repeat(second.tracks["train"], 2).tolist()}
    pair = np.stack([first.inputs["train"], second.inputs["train"]], axis=1)
    inputs = second.inputs | {"train": pair.reshape(-1, *pair.shape[2:])}
    targets = second.targets | {"train": second.targets["train"].repeat(2)}
    save_cache(output, second, inputs, targets, tracks=tracks)


def main():
    options = make_parser("experiments.both", __doc__, "first", "second").parse_args()
    data = [GenreFeatureData(path).load() for path in (options.first, options.second)]
    interleave(*data, options.output)


if __name__ == "__main__":
    run_script(main)
