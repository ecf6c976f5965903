"""Put two versions of the same clips, such as unfiltered and low-passed, into one cache.

    python -m experiments.both --first DIR --second DIR --output DIR

A model trained on both sees the same music with and without the highest band.
"""

import dataclasses

import numpy as np

from common.cli import run_script
from common.errors import InputError
from common.files import write_json
from experiments.options import make_parser
from genre_features.cache import GenreFeatureData


def interleave(first, second, output):
    """Write the clips of two caches to a third: first, second, first, …; refuse other tracks."""
    if (first.tracks, first.genres) != (second.tracks, second.genres):
        raise InputError(f"{first.folder} and {second.folder} don't hold the same tracks")
    output.mkdir(parents=True, exist_ok=True)
    tracks = {subset: np.repeat(names, 2).tolist() for subset, names in first.tracks.items()}
    for subset, targets in first.targets.items():
        inputs = np.stack([first.inputs[subset], second.inputs[subset]], axis=1)
        np.save(output / f"data_{subset}_input.npy", inputs.reshape(-1, *inputs.shape[2:]))
        one_hot = np.eye(len(first.genres), dtype=np.float32)[targets.repeat(2)]
        np.save(output / f"data_{subset}_target.npy", one_hot)
    content = {"genres": first.genres, "split": first.split, "tracks": tracks}
    write_json(output / "features.json", content | dataclasses.asdict(first.settings))


def main():
    options = make_parser("experiments.both", __doc__, "first", "second").parse_args()
    data = [GenreFeatureData(path).load() for path in (options.first, options.second)]
    interleave(*data, options.output)


if __name__ == "__main__":
    run_script(main)
