"""Write table.md and the figures from the .csv files in a folder.

python -m experiments.report --output experiments
"""

from common.cli import add_format, run_script
from common.files import atomic_write, read_table
from experiments import chains, counterfactual, figures
from experiments.collect import CURVES, RESULTS
from experiments.options import make_parser
from experiments.tables import all_tables
from genre_features.figures import save


def write_report(folder, format="png"):
    """Write table.md and the figures beside the .csv files in a folder."""
    by_title = all_tables(folder)
    text = "\n".join(f"## {title}\n\n{lines}" for title, lines in by_title.items())
    with atomic_write(folder / "table.md") as temporary:
        temporary.write_text(f"# Tables\n\n{text}", encoding="utf-8")
    results = read_table(folder / RESULTS)
    figures.plot_confusions(results, folder / f"confusions.{format}")
    save(figures.draw_ladder(results), folder / f"ladder.{format}")
    save(figures.draw_schedules(read_table(folder / CURVES)), folder / f"schedules.{format}")
    if rows := read_table(folder / chains.NAME):
        save(figures.draw_chains(rows), folder / f"chains.{format}")
    if rows := read_table(folder / counterfactual.NAME):
        save(figures.draw_counterfactual(rows), folder / f"counterfactual.{format}")


def main():
    parser = make_parser("experiments.report", __doc__)
    add_format(parser)
    options = parser.parse_args()
    write_report(options.output, options.format)


if __name__ == "__main__":
    run_script(main)
