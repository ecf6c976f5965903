"""Write table.md and the figures from the .csv files in a folder.

    python -m experiments.report --output experiments
    python -m experiments.report --training result/PiecewiseDecay --format pdf

With --training, redraw the figures of a training from its history.csv and summary.json instead.
"""

import json
from pathlib import Path

from common.cli import add_format, run_script
from common.errors import InputError
from common.files import atomic_write, read_table
from experiments import chains, everyday, figures
from experiments.collect import RESULTS
from experiments.options import make_parser
from experiments.tables import all_tables
from genre_features.figures import save
from genre_lstm.plots import plot_confusion, plot_history, plot_reliability
from genre_lstm.recipes import Recipe, recipe_title


def write_report(folder, format="png"):
    """Write table.md and the figures beside the .csv files in a folder."""
    by_title = all_tables(folder)
    text = "\n".join(f"## {title}\n\n{lines}" for title, lines in by_title.items())
    with atomic_write(folder / "table.md") as temporary:
        temporary.write_text(f"# Tables\n\n{text}", encoding="utf-8")
    results = read_table(folder / RESULTS)
    figures.plot_confusions(results, folder / f"confusions.{format}")
    save(figures.draw_ladder(results), folder / f"ladder.{format}")
    for name, draw in (
        (chains.NAME, figures.draw_chains),
        (chains.COUNTERFACTUAL, figures.draw_counterfactual),
        (everyday.NAME, figures.draw_everyday),
    ):
        if rows := read_table(folder / name):
            save(draw(rows), (folder / name).with_suffix(f".{format}"))


def redraw(folder, format="png"):
    """Redraw the figures of the training that left its results in a folder."""
    if not (folder / "summary.json").exists():
        raise InputError(f"no summary.json in {folder}: name the result folder of a schedule")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    title = f"{summary['schedule']}, {recipe_title(Recipe.from_dict(summary['recipe']))}"
    history = [
        {column: float(value) if value else None for column, value in row.items()}
        for row in read_table(folder / "history.csv")
    ]
    plot_history(history, folder, title, format)
    scores = {subset: summary[subset] for subset in ("validation", "test")}
    plot_confusion(scores, summary["genres"], folder / f"confusion_mat.{format}", title)
    plot_reliability(summary["calibration"], folder / f"reliability.{format}", title)


def main():
    parser = make_parser("experiments.report", __doc__)
    parser.add_argument("--training", metavar="DIR", type=Path, help="folder with summary.json")
    add_format(parser)
    options = parser.parse_args()
    if options.training:
        redraw(options.training, options.format)
    else:
        write_report(options.output, options.format)


if __name__ == "__main__":
    run_script(main)
