"""Draw the architecture of a trained model, unrolled over time.

python -m experiments.architecture    # weights/reference/published/PiecewiseDecay -> model.png
"""

import argparse
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from genre_features.figures import genre_colors, save
from genre_features.frame import N_FEATURES
from genre_lstm.weights import find_weights, load_model
from plumbing.scripts import HelpFormatter, run_script

COLUMN_X = (0, 1.5, 4.5)  # frames 1, 2 and the last; dots stand for those in between
BOX = (1.1, 0.55)  # width and height


def draw_box(axes, x, y, text, color):
    """Draw a box with its centre at (x, y)."""
    width, height = BOX
    corner = (x - width / 2, y - height / 2)
    style = "round,pad=0,rounding_size=0.1"
    axes.add_patch(FancyBboxPatch(corner, width, height, style, facecolor=color, edgecolor="0.3"))
    axes.text(x, y, text, ha="center", va="center", fontsize=9)


def draw_arrow(axes, start, end):
    """Draw an arrow between two points."""
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "0.3"})


def count_parameters(module, suffix=""):
    """Count the parameters of a module whose names end in `suffix`."""
    return sum(p.numel() for name, p in module.named_parameters() if name.endswith(suffix))


def draw_layers(axes, model):
    """Draw the inputs and the LSTM layers for three frames, and how the frames are connected."""
    lstm, half = model.lstm, BOX[1] / 2
    n_deltas = lstm.input_size - N_FEATURES
    names = [f"{N_FEATURES} features" + f"\n{n_deltas} deltas" * bool(n_deltas)]
    names += [f"LSTM {layer + 1}\n{lstm.hidden_size} units" for layer in range(lstm.num_layers)]
    for y, name in enumerate(names):
        color = "#dbe9f6" if y else "#f0f0f0"
        for x in COLUMN_X:
            draw_box(axes, x, y, name, color)
            if y:
                draw_arrow(axes, (x, y - 1 + half), (x, y - half))
        axes.text(3, y, "…", ha="center", va="center", fontsize=16)
        if y:
            for start, end in ((0.55, 0.95), (2.05, 2.75), (3.25, 3.95)):
                draw_arrow(axes, (start, y), (end, y))


def label_layers(axes, model, settings):
    """Write the number of frames and of parameters beside the layers."""
    lstm, small = model.lstm, {"va": "center", "fontsize": 9, "color": "0.3"}
    labels = [
        f"{model.window} frames,\none every {1000 * settings.seconds_per_frame:.1f} ms",
        *(
            f"{count_parameters(lstm, f'_l{layer}'):,} parameters"
            for layer in range(lstm.num_layers)
        ),
    ]
    for y, label in enumerate(labels):
        axes.text(-0.8, y, label, ha="right", **small)
    for x, frame in zip(COLUMN_X, (1, 2, model.window), strict=True):
        axes.text(x, -0.5, f"frame {frame}", ha="center", **small)


def draw_output(axes, model, genres):
    """Draw the pooling over the frames, the linear layer and the genres."""
    linear, half, small = model.linear, BOX[1] / 2, {"va": "center", "fontsize": 9, "color": "0.3"}
    top, last = model.lstm.num_layers + 1, COLUMN_X[-1]
    pooling = model.recipe.pooling
    for x in COLUMN_X if pooling != "last" else [last]:
        draw_arrow(axes, (x, top - 1 + half), (last - (last - x) / 10, top - half))
    draw_box(axes, last, top, f"linear\n{linear.in_features} → {linear.out_features}", "#fde5cd")
    pooled = "last frame only" if pooling == "last" else f"{pooling} over the frames"
    label = f"{pooled}, {count_parameters(linear):,} parameters"
    axes.text(last - 0.8, top, label, ha="right", **small)
    draw_arrow(axes, (last + BOX[0] / 2, top), (last + 1.2, top))
    axes.text(last + 1.3, top + 0.45, "log-softmax", **small)
    for i, (genre, color) in enumerate(zip(genres, genre_colors(genres), strict=True)):
        axes.text(last + 1.3, top - 0.3 * i, genre, va="center", color=color, fontweight="bold")


def draw_model(model, settings, genres):
    """Draw a model's layers for the first, the second and the last frame.

    Parameters
    ----------
    model : GenreLSTM
    settings : FrameSettings
    genres : list of str

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    top = model.lstm.num_layers + 1.7
    axes = figure.add_subplot(xlim=(-3.1, 7.9), ylim=(-0.6, top), aspect="equal")
    axes.set_axis_off()
    draw_layers(axes, model)
    label_layers(axes, model, settings)
    draw_output(axes, model, genres)
    axes.set_title(f"{type(model).__name__}: {count_parameters(model):,} parameters")
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
        default="weights/reference/published",
        help="the trained model: a model.pt, its folder or the one above",
    )
    add("--output", metavar="PNG", type=Path, default="model.png", help="the picture to write")
    return parser.parse_args()


def main():
    options = parse_arguments()
    model, saved = load_model(find_weights(options.weights))
    save(draw_model(model, saved["settings"], saved["genres"]), options.output)
    print(f"The picture is {options.output}.")


if __name__ == "__main__":
    run_script(main)
