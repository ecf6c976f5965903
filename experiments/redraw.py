"""Redraw the figures of trainings from their history.csv and summary.json.

python -m experiments.redraw                                      # those in result/reference
python -m experiments.redraw result/PiecewiseDecay --format pdf
"""

import argparse
import json
from pathlib import Path

from common.cli import HelpFormatter, add_format, run_script
from common.errors import InputError
from common.files import read_table
from experiments.options import ROOT
from genre_lstm.plots import plot_confusion, plot_history, plot_reliability
from genre_lstm.recipes import Recipe, recipe_title


def redraw(folder, format):
    """Draw the figures of the training that left its results in a folder."""
    if not (folder / "summary.json").exists():
        raise InputError(f"no summary.json in {folder}: name the result folder of a schedule")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    settings = summary["recipe"]
    settings["difference_lags"] = tuple(settings["difference_lags"])
    title = f"{summary['schedule']}, {recipe_title(Recipe(**settings))}"
    history = [
        {column: float(value) if value else None for column, value in row.items()}
        for row in read_table(folder / "history.csv")
    ]
    plot_history(history, folder, title, format)
    scores = {subset: summary[subset] for subset in ("validation", "test")}
    plot_confusion(scores, summary["genres"], folder / f"confusion_mat.{format}", title)
    plot_reliability(summary["calibration"], folder / f"reliability.{format}", title)


def main():
    parser = argparse.ArgumentParser(
        prog="python -m experiments.redraw", description=__doc__, formatter_class=HelpFormatter
    )
    parser.add_argument("folders", metavar="DIR", type=Path, nargs="*", help="with summary.json")
    add_format(parser)
    options = parser.parse_args()
    shipped = (path.parent for path in (ROOT / "result" / "reference").glob("*/*/summary.json"))
    for folder in options.folders or sorted(shipped):
        redraw(folder, options.format)


if __name__ == "__main__":
    run_script(main)
