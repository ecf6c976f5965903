"""Draw the architecture of trained models, unrolled over time.

    python -m experiments.architecture    # weights/reference/{published,improved} -> model.png

All numbers are read from the models.
"""

import argparse
from pathlib import Path

from matplotlib.patches import FancyBboxPatch

from common.cli import HelpFormatter, figure_path, run_script
from genre_features.figures import GRAY, PAGE_WIDTH, new_figure, save
from genre_features.frame import N_FEATURES
from genre_lstm.weights import find_weights, load_model

# Inches, all of them
COLUMN_X = (2.6, 3.7, 5.6)  # frames 1, 2 and the last; dots stand for those in between
BOX = (0.86, 0.36)  # width and height
ROW = 0.62  # from the centre of a box to that of the box above
MARGIN = 0.4  # below and above the boxes

INPUTS = {  # input_norm of a recipe: what is done to the inputs
    "none": "not standardised",
    "standardise": "standardised",
    "mean-normalised": "less the track's mean,\nstandardised",
    "batch": "batch normalisation",
}
POOLED = {  # pooling of a recipe: what the linear layer sees of the frames
    "mean": "mean",
    "statistics": "mean and standard deviation",
    "attention": "attention",
}


def draw_box(axes, x, y, text, color, width=BOX[0]):
    """Draw a box with its centre at (x, y)."""
    height = BOX[1]
    corner = (x - width / 2, y - height / 2)
    style = "round,pad=0,rounding_size=0.06"
    axes.add_patch(FancyBboxPatch(corner, width, height, style, facecolor=color, edgecolor=GRAY))
    axes.text(x, y, text, ha="center", va="center", fontsize=7.5)


def draw_arrow(axes, start, end):
    """Draw an arrow between two points."""
    arrow = {"arrowstyle": "-|>", "color": GRAY, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 7}
    axes.annotate("", end, start, arrowprops=arrow)


def write_note(axes, x, y, text, side="right"):
    """Write a remark beside a box."""
    axes.text(x, y, text, ha=side, va="center", fontsize=8, color=GRAY)


def count_parameters(module, suffix=""):
    """Count the parameters of a module whose names end in `suffix`."""
    return sum(p.numel() for name, p in module.named_parameters() if name.endswith(suffix))


def draw_layers(axes, y, model, settings):
    """Draw inputs and LSTM layers for three frames, and how the frames are connected.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    y : float
        The height of the inputs.
    model : GenreLSTM
    settings : FrameSettings

    Returns
    -------
    float
        The height of the last layer.
    """
    lstm, (width, height) = model.lstm, BOX
    n_deltas = lstm.input_size - N_FEATURES
    inputs = f"{N_FEATURES} features" + f"\n{n_deltas} differences" * bool(n_deltas)
    for x, frame in zip(COLUMN_X, (1, 2, model.window), strict=True):
        draw_box(axes, x, y, inputs, "0.95")
        axes.text(x, y - 0.3, f"frame {frame}", ha="center", va="center", fontsize=8, color=GRAY)
    about = f"a frame every {1000 * settings.seconds_per_frame:.1f} ms,\n"
    if settings.lowpass:
        about = f"audio up to {settings.lowpass / 1000:g} kHz,\n{about}"
    left, gap = COLUMN_X[0] - width / 2 - 0.15, (COLUMN_X[1] + COLUMN_X[2]) / 2
    write_note(axes, left, y, about + INPUTS[model.recipe.input_norm])
    axes.text(gap, y, "…", ha="center", va="center")
    for layer in range(lstm.num_layers):
        y += ROW
        write_note(axes, left, y, f"{count_parameters(lstm, f'_l{layer}'):,} parameters")
        if layer and model.recipe.dropout:
            write_note(axes, left, y - ROW / 2, f"dropout {model.recipe.dropout:g}")
        for x in COLUMN_X:
            draw_box(axes, x, y, f"LSTM {layer + 1}\n{lstm.hidden_size} units", "#dbe9f6")
            draw_arrow(axes, (x, y - ROW + height / 2), (x, y - height / 2))
        axes.text(gap, y, "…", ha="center", va="center")
        edges = [x + side * width / 2 for x in COLUMN_X for side in (-1, 1)]
        for start, end in ((edges[1], edges[2]), (edges[3], gap - 0.15), (gap + 0.15, edges[4])):
            draw_arrow(axes, (start, y), (end, y))
    return y


def draw_output(axes, y, model):
    """Draw what follows the last layer at height `y`: the pooling, if any, and the linear layer."""
    linear, last, (width, height) = model.linear, COLUMN_X[-1], BOX
    pooling = model.recipe.pooling
    left = last - width / 2 - 0.15
    if pooling == "last":
        write_note(axes, left, y + ROW / 2, "the last frame alone")
    else:
        for x in COLUMN_X:
            draw_arrow(axes, (x, y + height / 2), (x, y + ROW - height / 2))
        y += ROW
        middle, length = (COLUMN_X[0] + last) / 2, last - COLUMN_X[0] + width
        text = f"{POOLED[pooling]} over {model.window} frames: {linear.in_features} values"
        draw_box(axes, middle, y, text, "#fde5cd", length)
    draw_arrow(axes, (last, y + height / 2), (last, y + ROW - height / 2))
    y += ROW
    draw_box(axes, last, y, f"linear\n{linear.in_features} → {linear.out_features}", "#fde5cd")
    write_note(axes, left, y, f"{count_parameters(linear):,} parameters")
    right = last + width / 2
    draw_arrow(axes, (right, y), (right + 0.2, y))
    write_note(axes, right + 0.25, y, f"log-softmax,\n{linear.out_features} genres", side="left")


def draw_models(models):
    """Draw models above each other, each for the first, the second and the last frame.

    Parameters
    ----------
    models : list of tuple
        (model, settings): a GenreLSTM and the FrameSettings of its features.

    Returns
    -------
    matplotlib.figure.Figure
    """
    n_rows = [m.lstm.num_layers + 2 + (m.recipe.pooling != "last") for m, _ in models]
    heights = [2 * MARGIN + ROW * (n - 1) + 0.4 for n in n_rows]
    figure = new_figure(figsize=(PAGE_WIDTH, sum(heights)), layout="none")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, PAGE_WIDTH), ylim=(0, sum(heights)))
    axes.set_axis_off()
    top = sum(heights)
    for (model, settings), height in zip(models, heights, strict=True):
        title = f"{model.recipe.name} recipe: {count_parameters(model):,} parameters"
        axes.text(0.15, top - 0.25, title, va="center", fontsize=10)
        top -= height
        draw_output(axes, draw_layers(axes, top + MARGIN + 0.1, model, settings), model)
    return figure


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="python -m experiments.architecture",
        description=__doc__,
        formatter_class=HelpFormatter,
    )
    add = parser.add_argument
    add(
        "--weights",
        metavar="PATH",
        type=Path,
        nargs="+",
        default=[Path("weights/reference", recipe) for recipe in ("published", "improved")],
        help="the trained models: each a model.pt, its folder or the one above",
    )
    add(
        "--output",
        metavar="FILE",
        type=figure_path,
        default="model.png",
        help="the figure to write, as .png, .pdf or .svg",
    )
    return parser.parse_args()


def main():
    options = parse_arguments()
    loaded = [load_model(find_weights(path)) for path in options.weights]
    save(draw_models([(model, saved["settings"]) for model, saved in loaded]), options.output)
    print(f"The figure is {options.output}.")


if __name__ == "__main__":
    run_script(main)
