"""Show full-band clips to the published models, as they are and low-passed.

    python -m experiments.counterfactual --clips gtzan/genres

The test by intervention: nothing but what lies above the cutoff is changed in a clip. It writes
counterfactual.csv and counterfactual.png.
"""

import argparse
import dataclasses
from pathlib import Path

from tqdm import tqdm

from common.cli import HelpFormatter, add_format, run_script
from common.files import read_table, write_table
from experiments.plan import PIECEWISE, PLATEAU
from experiments.tables import markdown, select
from genre_features.audio import load_signal
from genre_features.bandwidth import FULL, effective_bandwidth
from genre_features.clips import find_clips
from genre_features.dataset_plots import add_legend
from genre_features.features import extract_features
from genre_features.figures import PAGE_WIDTH, genre_colors, new_figure, save
from genre_lstm.prediction import classify
from genre_lstm.weights import load_model

NAME = "counterfactual"
CUTOFF_RANGE = (9500, 9000, 7500)  # Hz; the band-limited clips of GTZAN are cut at about 9600
WEIGHTS = Path(__file__).parent.parent / "weights" / "reference" / "published"


def answer_variants(signal, model, saved):
    """Yield (cutoff, answer) of a signal as it is, where the cutoff is 0, and low-passed."""
    n_frames = saved["settings"].frames
    for cutoff in (0, *CUTOFF_RANGE):
        settings = dataclasses.replace(saved["settings"], lowpass=cutoff or None)
        yield cutoff, classify(model, saved, extract_features(signal, settings)[:n_frames])


def write_answers(dataset, output):
    """Write counterfactual.csv: the models' answers to every variant of every clip of a data set.

    Parameters
    ----------
    dataset : pathlib.Path
        See `tracks.find_clips`; clips of genres that the models don't know are left out.
    output : pathlib.Path
    """
    models = {
        schedule: load_model(WEIGHTS / schedule / "model.pt") for schedule in (PIECEWISE, PLATEAU)
    }
    known = models[PIECEWISE][1]["genres"]
    tracks = [track for track in find_clips(dataset)[0] if track.genre in known]
    rows = []
    for track in tqdm(tracks, "Filtering", unit="clip"):
        signal = load_signal(dataset / track.file, 31)
        about = {"track": track.name, "genre": track.genre}
        about["bandwidth"] = round(effective_bandwidth(signal))
        for schedule, (model, saved) in models.items():
            for cutoff, answer in answer_variants(signal, model, saved):
                result = {"predicted": next(iter(answer)), "p_metal": f"{answer['metal']:.3f}"}
                rows.append(about | {"schedule": schedule, "cutoff": cutoff} | result)
    write_table(output / f"{NAME}.csv", rows[0], rows)


def make_tables(rows):
    """Return a Markdown table, by its title, of the answers to low-passed clips."""
    lines = [["", "clips"], ["---", "---:"]]
    cutoffs = list(dict.fromkeys(row["cutoff"] for row in rows))
    for cutoff in cutoffs:
        lines[0].append(f"{int(cutoff) / 1000:g} kHz" if cutoff != "0" else "as they are")
        lines[1].append("---:")
    full = [row for row in rows if float(row["bandwidth"]) >= int(FULL)]
    for genre in sorted({row["genre"] for row in full}):
        for schedule in (PIECEWISE, PLATEAU):
            own = select(full, genre=genre, schedule=schedule)
            n_metal = [
                sum(row["predicted"] == "metal" for row in select(own, cutoff=cutoff))
                for cutoff in cutoffs
            ]
            n_clips = len({row["track"] for row in own})
            lines.append([f"{genre}, {schedule}", n_clips, *n_metal])
    return {"Full-band clips called metal when low-passed": markdown(lines)}


def plot_answers(rows, path):
    """Draw the probability of metal of each full-band clip, as it is and low-passed."""
    rows = [row for row in rows if float(row["bandwidth"]) >= int(FULL)]
    figure = new_figure(figsize=(PAGE_WIDTH, 3.2))
    for axes, schedule in zip(
        figure.subplots(1, 2, sharey=True), (PIECEWISE, PLATEAU), strict=True
    ):
        labels = [
            f"{cutoff / 1000:g} kHz" if cutoff else "as it is" for cutoff in (0, *CUTOFF_RANGE)
        ]
        own = [row for row in rows if row["schedule"] == schedule]
        genres = sorted({row["genre"] for row in own})
        for genre, color in zip(genres, genre_colors(genres), strict=True):
            names = sorted({row["track"] for row in own if row["genre"] == genre})
            for name in names:
                p = [float(row["p_metal"]) for row in own if row["track"] == name]
                label = f"{genre}: {len(names)} clips" if name == names[0] else None
                axes.plot(labels, p, "o-", color=color, markersize=4, label=label)
        axes.set(title=f"published, {schedule}", xlabel="low-passed at", ylim=(0, 1))
        axes.grid()
    add_legend(figure, figure.axes)
    figure.axes[0].set_ylabel("probability of metal")
    figure.suptitle("Full-band clips, classified by the published models")
    save(figure, path)


def main():
    parser = argparse.ArgumentParser(
        prog="python -m experiments.counterfactual",
        description=__doc__,
        formatter_class=HelpFormatter,
    )
    add, folder = parser.add_argument, {"metavar": "DIR", "type": Path}
    add("--clips", **folder, help="GTZAN's audio (default: draw the table that is there)")
    add("--output", **folder, default="experiments", help="where table and figure go")
    add_format(parser)
    options = parser.parse_args()
    if options.clips:
        write_answers(options.clips, options.output)
    rows = read_table(options.output / f"{NAME}.csv")
    plot_answers(rows, options.output / f"{NAME}.{options.format}")


if __name__ == "__main__":
    run_script(main)
