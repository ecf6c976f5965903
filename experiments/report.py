"""Write table.md and the figures from the .csv files in a folder.

python -m experiments.report --output experiments
"""

from functools import partial

from common.cli import add_format, run_script
from common.files import atomic_write, read_table
from experiments import chain_figures, chain_tables, compare, figures, songs, tables
from experiments.chain_tables import copy_table
from experiments.collect import RESULTS
from experiments.options import make_parser
from experiments.plan import FEATURES
from genre_features.figures import save

TABLES = {  # file: what makes its tables
    RESULTS: tables.run_tables,
    "together.csv": compare.together_tables,
    "pairs.csv": compare.pair_tables,
    "chains.csv": chain_tables.chain_tables,
    "chain_auc.csv": partial(copy_table, "AUC of the recording chain on held-out artists"),
    "counterfactual.csv": chain_tables.counterfactual_tables,
    "unlike.csv": partial(copy_table, "Recordings marked as unlike the training music"),
    "listening.csv": chain_tables.listening_tables,
    "estimates.csv": partial(copy_table, "Real audio and estimated features"),
    "robustness.csv": tables.robustness_tables,
    "transfer.csv": tables.transfer_tables,
    "songs.csv": songs.songs_tables,
    "everyday.csv": tables.everyday_tables,
}
FIGURES = {  # name: its file, and what draws it
    "filter": (RESULTS, figures.draw_filter),
    "ladder": (RESULTS, figures.draw_ladder),
    "chains": ("chains.csv", chain_figures.draw_chains),
    "metal": ("chains.csv", chain_figures.draw_metal),
    "counterfactual": ("counterfactual.csv", chain_figures.draw_counterfactual),
    "robustness": ("robustness.csv", figures.draw_robustness),
    "songs": ("songs.csv", songs.draw_songs),
    "everyday": ("everyday.csv", figures.draw_everyday),
}


def write_report(folder, format="png"):
    """Write table.md and the figures beside the .csv files in a folder."""
    by_title = {"Features": tables.markdown([["name", "clips"], *FEATURES.items()], n_texts=2)}
    for name, make_tables in TABLES.items():
        if rows := read_table(folder / name):
            by_title |= make_tables(rows)
    text = "\n".join(f"## {title}\n\n{lines}" for title, lines in by_title.items())
    with atomic_write(folder / "table.md") as temporary:
        temporary.write_text(f"# Tables\n\n{text}", encoding="utf-8")
    for name, (source, draw) in FIGURES.items():
        if rows := read_table(folder / source):
            save(draw(rows), folder / f"{name}.{format}")
    figures.plot_confusions(read_table(folder / RESULTS), folder / f"confusions.{format}")


def main():
    parser = make_parser("experiments.report", __doc__)
    add_format(parser)
    options = parser.parse_args()
    write_report(options.output, options.format)


if __name__ == "__main__":
    run_script(main)
