"""Write table.md and the figures from the .csv files in a folder.

python -m experiments.report --output experiments
"""

from functools import partial

from common.cli import add_format, run_script
from common.files import atomic_write, read_table
from experiments import chain_tables, compare, figures, songs, tables
from experiments.chain_tables import copy_table
from experiments.collect import RESULTS
from experiments.options import make_parser
from genre_features.figures import save

SOURCES = {  # file: what makes its tables, and its figure
    "together.csv": (compare.together_tables, None),
    "pairs.csv": (compare.pair_tables, None),
    "chains.csv": (chain_tables.chain_tables, figures.draw_chains),
    "chain_auc.csv": (partial(copy_table, "Unheard artists: AUC of the recording chain"), None),
    "counterfactual.csv": (chain_tables.counterfactual_tables, figures.draw_counterfactual),
    "unlike.csv": (partial(copy_table, "Recordings marked as unlike the training music"), None),
    "listening.csv": (chain_tables.listening_tables, None),
    "estimates.csv": (partial(copy_table, "Real audio and estimated features"), None),
    "robustness.csv": (tables.robustness_tables, figures.draw_robustness),
    "transfer.csv": (tables.transfer_tables, None),
    "songs.csv": (songs.songs_tables, songs.draw_songs),
    "everyday.csv": (tables.everyday_tables, figures.draw_everyday),
}


def write_report(folder, format="png"):
    """Write table.md and the figures beside the .csv files in a folder."""
    results = read_table(folder / RESULTS)
    by_title = tables.run_tables(results)
    figures.plot_confusions(results, folder / f"confusions.{format}")
    save(figures.draw_filter(results), folder / f"filter.{format}")
    save(figures.draw_ladder(results), folder / f"ladder.{format}")
    for name, (make_tables, draw) in SOURCES.items():
        if rows := read_table(folder / name):
            by_title |= make_tables(rows)
            if draw:
                save(draw(rows), (folder / name).with_suffix(f".{format}"))
    text = "\n".join(f"## {title}\n\n{lines}" for title, lines in by_title.items())
    with atomic_write(folder / "table.md") as temporary:
        temporary.write_text(f"# Tables\n\n{text}", encoding="utf-8")


def main():
    parser = make_parser("experiments.report", __doc__)
    add_format(parser)
    options = parser.parse_args()
    write_report(options.output, options.format)


if __name__ == "__main__":
    run_script(main)
