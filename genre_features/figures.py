"""What all figures share: their style and colours, names as text, and how they are saved."""

from pathlib import Path

import numpy as np
from matplotlib import color_sequences, colormaps, rcParams

from common.files import atomic_write
from genre_features.genres import SIX_GENRES, TEN_GENRES

# Figures have the size in which a paper prints them, so that their fonts have theirs.
PAGE_WIDTH, COLUMN_WIDTH = 7.2, 4.5  # inches; scaled to 3.5, the text of a column has 7 points
rcParams.update(
    {
        "font.size": 9,
        "axes.titlesize": 9,
        "figure.titlesize": 10,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "legend.fontsize": 8,
        "legend.frameon": False,
        "lines.linewidth": 1.2,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "grid.alpha": 0.25,
        "figure.constrained_layout.use": True,
        "savefig.dpi": 200,
        "pdf.fonttype": 42,  # journals don't take the Type 3 fonts that are the default
    }
)

# The colour-blind tell these apart: the palettes of Okabe and Ito, and of Petroff.
ORANGE, GREEN, BLUE, RED = (color_sequences["okabe_ito"][i] for i in (1, 3, 5, 6))
GRAY = "0.4"
SUBSET_COLORS = {"train": BLUE, "validation": RED, "test": GREEN}
GENRE_COLORS = dict(
    zip(dict.fromkeys([*SIX_GENRES, *TEN_GENRES]), color_sequences["petroff10"], strict=True)
)

# Of the spectral contrast, Hz: librosa's octave bands
BANDS = ["0-200", "200-400", "400-800", "800-1600", "1600-3200", "3200-6400", "6400-11025"]


def genre_colors(genres):
    """Return a colour for each genre; GTZAN's ten have the same in every plot."""
    others = map(tuple, colormaps["viridis"](np.linspace(0, 0.9, len(genres))))
    return [GENRE_COLORS.get(genre, other) for genre, other in zip(genres, others, strict=True)]


def plot_label(name, length=24):
    """Return the name of a genre or a file as text of a figure.

    Characters that can't be drawn are replaced, and a longer name loses its middle. Dollar signs
    are escaped: what is between two of them would be taken as a formula.
    """
    if len(name) > length:
        name = f"{name[: length // 2]}…{name[1 - (length + 1) // 2 :]}"
    drawable = "".join(character if character.isprintable() else "\ufffd" for character in name)
    return drawable.replace("$", r"\$")


def save(figure, path):
    """Write a figure in the format of the path's suffix, such as .png, .pdf or .svg."""
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format=Path(path).suffix[1:])
