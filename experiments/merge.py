"""Put two versions of the same clips into one cache: each clip once as it is, once low-passed.

    python -m experiments.merge gtzan gtzan/lowpass gtzan/both

A model that is trained on both sees the same music with and without the highest band.
"""

import argparse
import zlib
from pathlib import Path

import numpy as np

from common.cli import HelpFormatter, run_script
from common.errors import InputError
from common.files import atomic_write, write_json
from genre_features import manifest
from genre_features.cache import GenreFeatureData
from genre_features.clips import SUBSETS


def merge(first, second, output):
    """Write the clips of two caches, in the same order, into a third: first, second, first, …

    Parameters
    ----------
    first, second : GenreFeatureData
        Their tracks must be the same. The third has the frame settings of the first.
    output : pathlib.Path

    Raises
    ------
    InputError
        The tracks or genres differ.
    """
    if (first.tracks, first.genres) != (second.tracks, second.genres):
        raise InputError(f"{first.folder} and {second.folder} don't hold the same tracks")
    output.mkdir(parents=True, exist_ok=True)
    checksums = {"input": {}, "target": {}}
    for subset in SUBSETS:
        inputs = np.stack([first.inputs[subset], second.inputs[subset]], axis=1)
        targets = np.eye(len(first.genres), dtype=np.float32)[first.targets[subset]]
        arrays = {
            "input": inputs.reshape(-1, *inputs.shape[2:]),
            "target": targets.repeat(2, axis=0),
        }
        for kind, array in arrays.items():
            path = output / f"data_{subset}_{kind}.npy"
            with atomic_write(path) as temporary, temporary.open("wb") as file:
                np.save(file, array)
            checksums[kind][subset] = zlib.crc32(array)
    content = manifest.read(first.folder)
    tracks = {
        subset: [name for name in first.tracks[subset] for _ in range(2)] for subset in SUBSETS
    }
    write_json(output / manifest.NAME, content | {"tracks": tracks, "checksums": checksums})


def main():
    parser = argparse.ArgumentParser(
        prog="python -m experiments.merge", description=__doc__, formatter_class=HelpFormatter
    )
    add, folder = parser.add_argument, {"metavar": "DIR", "type": Path}
    add("first", **folder, help="features of the clips as they are")
    add("second", **folder, help="features of the same clips, low-passed")
    add("output", **folder, help="where the new cache goes")
    options = parser.parse_args()
    merge(
        *(GenreFeatureData(path).load() for path in (options.first, options.second)), options.output
    )


if __name__ == "__main__":
    run_script(main)
