"""Draw the figures of trainings anew, from the files that the trainings left.

    python -m experiments.redraw                                      # those in result/reference
    python -m experiments.redraw result/PiecewiseDecay --format pdf   # those of your own

Reads history.csv and summary.json of each folder, and writes the figures beside them.
"""

import argparse
import json
from pathlib import Path

from common.cli import HelpFormatter, add_format, run_script
from common.errors import InputError
from common.files import read_table
from genre_lstm.plots import plot_confusion, plot_history, plot_reliability
from genre_lstm.recipes import Recipe, recipe_title

REFERENCE = Path(__file__).parent.parent / "result" / "reference"


def redraw(folder, format):
    """Draw the figures of the training that left its results in a folder."""
    if not (folder / "summary.json").exists():
        raise InputError(f"no summary.json in {folder}: name the result folder of a schedule")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    lists = {name: tuple(v) for name, v in summary["recipe"].items() if isinstance(v, list)}
    title = f"{summary['schedule']}, {recipe_title(Recipe(**summary['recipe'] | lists))}"
    history = [
        {column: float(value) if value else None for column, value in row.items()}
        for row in read_table(folder / "history.csv")
    ]
    if len(history) != summary["scored_epoch"]:
        raise InputError(f"history.csv and summary.json in {folder} are of two trainings")
    plot_history(history, folder, title, format)
    scores = {subset: summary[subset] for subset in ("validation", "test")}
    plot_confusion(scores, summary["genres"], folder / f"confusion_mat.{format}", title)
    calibration = summary["calibration"]
    if "low" in calibration["validation"]["before"]["bins"][0]:  # earlier versions had no intervals
        plot_reliability(calibration, folder / f"reliability.{format}", title)


def main():
    parser = argparse.ArgumentParser(
        prog="python -m experiments.redraw", description=__doc__, formatter_class=HelpFormatter
    )
    folders = sorted(path.parent for path in REFERENCE.glob("*/*/summary.json"))
    text = "with the results of a training (default: each in result/reference)"
    parser.add_argument("folders", metavar="DIR", type=Path, nargs="*", help=text)
    add_format(parser)
    options = parser.parse_args()
    for folder in options.folders or folders:
        redraw(folder, options.format)
        print(f"The figures of {folder} are drawn.")


if __name__ == "__main__":
    run_script(main)
