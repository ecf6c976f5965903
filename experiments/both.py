"""Put two versions of the training clips, such as unfiltered and low-passed, into one cache.

    python -m experiments.both --first DIR --second DIR --output DIR

A model trained on both sees the same music with and without the highest band. Validation and test
clips are those of the second version.
"""

import dataclasses

import numpy as np

from common.cli import run_script
from common.errors import InputError
from common.files import write_json
from experiments.options import make_parser
from genre_features.cache import GenreFeatureData


def interleave(first, second, output):
    """Write the training clips of two caches to a third: first, second, first, …; see above.

    InputError if they don't hold the same tracks.
    """
    if (first.tracks, first.genres) != (second.tracks, second.genres):
        raise InputError(f"{first.folder} and {second.folder} don't hold the same tracks")
    output.mkdir(parents=True, exist_ok=True)
    tracks = second.tracks | {"train": np.repeat(second.tracks["train"], 2).tolist()}
    pair = np.stack([first.inputs["train"], second.inputs["train"]], axis=1)
    inputs = second.inputs | {"train": pair.reshape(-1, *pair.shape[2:])}
    targets = second.targets | {"train": second.targets["train"].repeat(2)}
    for subset in inputs:
        np.save(output / f"data_{subset}_input.npy", inputs[subset])
        one_hot = np.eye(len(second.genres), dtype=np.float32)[targets[subset]]
        np.save(output / f"data_{subset}_target.npy", one_hot)
    content = {"genres": second.genres, "split": second.split, "tracks": tracks}
    write_json(output / "features.json", content | dataclasses.asdict(second.settings))


def main():
    options = make_parser("experiments.both", __doc__, "first", "second").parse_args()
    data = [GenreFeatureData(path).load() for path in (options.first, options.second)]
    interleave(*data, options.output)


if __name__ == "__main__":
    run_script(main)
