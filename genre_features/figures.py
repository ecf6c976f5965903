"""What all figures share: the genres' colours, and PNG files that are never half-written."""

import numpy as np
from matplotlib import colormaps, rcParams

from genre_features.genres import TEN_GENRES
from plumbing.files import replacing

rcParams["text.parse_math"] = False  # a $ in the name of a genre or a file isn't a formula


def genre_colors(genres):
    """Return a colour for each genre; GTZAN's ten have the same in every plot."""
    fixed = {genre: colormaps["tab10"](i) for i, genre in enumerate(TEN_GENRES)}
    others = map(tuple, colormaps["turbo"](np.linspace(0.05, 0.95, len(genres))))
    return [fixed.get(genre, other) for genre, other in zip(genres, others, strict=True)]


def save(figure, path):
    """Write a figure as PNG."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
