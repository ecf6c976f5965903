"""What all figures share: their style and colours, names as text, and how they are saved."""

import logging
import unicodedata
import warnings
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import colormaps, font_manager, rcParams
from matplotlib.figure import Figure

from common.files import atomic_write, warn_once
from genre_features.genres import SIX_GENRES, TEN_GENRES

# Figures have the size in which a paper prints them, so that their fonts have theirs.
PAGE_WIDTH, COLUMN_WIDTH = 7.2, 4.5  # inches; scaled to 3.5, the text of a column has 7 points
DPI = 200
STYLE = {
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
    "savefig.dpi": DPI,
    "pdf.fonttype": 42,  # journals don't take the Type 3 fonts that are the default
}
# Fonts for names in Chinese, Japanese or Korean, as Linux, Windows and macOS have them. DejaVu
# Sans, which matplotlib brings, has the letters of most other scripts.
CJK_FONTS = [
    *("Noto Sans CJK JP", "Noto Sans CJK SC", "Source Han Sans", "WenQuanYi Zen Hei"),
    *("WenQuanYi Micro Hei", "Droid Sans Fallback", "NanumGothic", "IPAexGothic"),
    *("Microsoft YaHei", "SimHei", "Yu Gothic", "MS Gothic", "Malgun Gothic"),
    *("Hiragino Sans GB", "Hiragino Sans", "Apple SD Gothic Neo", "Arial Unicode MS"),
]

# The colour-blind tell these apart: four of Okabe and Ito's colours (Color Universal Design, 2008),
ORANGE, GREEN, BLUE, RED = "#e69f00", "#009e73", "#0072b2", "#d55e00"
# and the ten of Petroff (arXiv:2107.02270), with black for the darker of their two greys.
TEN_COLORS = [
    *("#3f90da", "#ffa90e", "#bd1f01", "#000000", "#832db6"),
    *("#a96b59", "#e76300", "#b9ac70", "#94a4a2", "#92dadd"),
]
GRAY = "0.4"
SUBSET_COLORS = {"train": BLUE, "validation": RED, "test": GREEN}
# Shapes tell subsets and genres apart in grey.
SUBSET_MARKERS = {"train": {"marker": "o"}, "test": {"marker": "^"}}
SUBSET_MARKERS["validation"] = {"marker": "o", "markerfacecolor": "none"}
GENRE_MARKERS = "os^Dv*PXp<"
GENRE_COLORS = dict(zip(dict.fromkeys([*SIX_GENRES, *TEN_GENRES]), TEN_COLORS, strict=True))

# Of the spectral contrast, Hz: librosa's octave bands
BANDS = ["0-200", "200-400", "400-800", "800-1600", "1600-3200", "3200-6400", "6400-11025"]
PITCHES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"]


def new_figure(in_window=False, **options):
    """Return an empty `matplotlib.figure.Figure` with some options, in the project's style.

    With `in_window`, ``pyplot.show()`` shows it. The style is set here and not on import, since
    IPython's %run resets it.
    """
    installed = {font.name for font in font_manager.fontManager.ttflist}
    fonts = ["DejaVu Sans", *(name for name in CJK_FONTS if name in installed)]
    rcParams.update({**STYLE, "font.family": fonts})
    # Not every font has all weights.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    if in_window:
        from matplotlib import pyplot

        return pyplot.figure(**options)
    return Figure(**options)


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
    right_to_left = any(unicodedata.bidirectional(character) in ("R", "AL") for character in name)
    if right_to_left and matplotlib.__version_info__ < (3, 11):
        warn_once("Arabic and Hebrew names are drawn backwards: install matplotlib 3.11 or newer.")
    drawable = "".join(character if character.isprintable() else "\ufffd" for character in name)
    return drawable.replace("$", r"\$")


def save(figure, path):
    """Write a figure in the format of the path's suffix, such as .png, .pdf or .svg."""
    with warnings.catch_warnings(record=True) as caught, atomic_write(path) as temporary:
        warnings.simplefilter("always")
        figure.savefig(temporary, format=Path(path).suffix[1:])
    for warning in caught:
        if str(warning.message).startswith("Glyph"):
            warn_once(
                "Some characters of the figures are in no installed font: install one, such as "
                f"Noto Sans CJK, and delete {matplotlib.get_cachedir()}."
            )
