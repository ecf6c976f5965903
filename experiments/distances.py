"""Why hiphop sounds like metal: distances between tracks with and without their mean MFCC."""

import numpy as np

from experiments import report
from genre_features.frame import COLUMNS
from plumbing.files import write_table


def write_distances(data, output):
    """Write distances.csv: how far each hiphop validation clip is from hiphop and from metal.

    A track is taken as the mean and the standard deviation over time of its 13 MFCC, each in
    units of that coefficient's deviation over the training frames. The distance of two tracks is
    the Fréchet distance of the normal distributions with those, independent for each coefficient
    (Dowson and Landau, 1982); a clip's distance from a genre is the mean over the training clips
    of that genre. Once each track's mean is removed, only the deviations differ.
    """
    mfcc = {part: np.asarray(data.inputs[part])[:, :, COLUMNS["mfcc"]] for part in data.inputs}
    unit = mfcc["train"].std(axis=(0, 1))
    means = {part: frames.mean(axis=1) / unit for part, frames in mfcc.items()}
    deviations = {part: frames.std(axis=1) / unit for part, frames in mfcc.items()}

    def distances(clip, genre):
        """Return the distances from a genre with the tracks' means and without them."""
        others = data.targets["train"] == data.genres.index(genre)
        of_means = np.square(means["train"][others] - means["validation"][clip]).sum(axis=1)
        of_rest = np.square(deviations["train"][others] - deviations["validation"][clip]).sum(
            axis=1
        )
        return np.sqrt(of_means + of_rest).mean(), np.sqrt(of_rest).mean()

    rows = []
    for clip in np.flatnonzero(data.targets["validation"] == data.genres.index("hiphop")):
        (hiphop, hiphop_removed), (metal, metal_removed) = (
            distances(clip, genre) for genre in ("hiphop", "metal")
        )
        rows.append((int(clip), hiphop, metal, hiphop_removed, metal_removed))
    write_table(
        output / report.DISTANCES,
        report.DISTANCE_COLUMNS,
        [dict(zip(report.DISTANCE_COLUMNS, row, strict=True)) for row in rows],
    )
