"""Make table.md and the figures of the experiments from their .csv files.

python -m experiments.report
"""

import statistics
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from experiments.plan import COMPARED, FINAL, PIECEWISE, PLATEAU, SCHEDULES, WITHOUT
from genre_features.figures import save
from plumbing.files import read_table, replacing
from plumbing.scripts import run_script

RESULTS, CURVES = "results.csv", "curves.csv"
DISTANCES, ARTISTS = "distances.csv", "artists.csv"

KEY = ("fingerprint", "step", "split", "schedule", "seed")
SCORES = ("n", "correct", "hiphop_n", "hiphop_correct", "hiphop_as_metal")
RESULT_COLUMNS = (
    *KEY,
    *("epochs", "learning_rate", "seconds", "final_val_loss", "lowest_val_loss", "oscillation"),
    *(f"{part}_{score}" for part in ("validation", "test") for score in SCORES),
)
CURVE_COLUMNS = (*KEY, "epoch", "val_loss", "val_accuracy")
# Distances of a hiphop clip, with the tracks' mean MFCC and with it removed.
DISTANCE_COLUMNS = ("clip", "hiphop", "metal", "hiphop_removed", "metal_removed")

LADDER_LABELS = {
    "published": "published",
    "shuffle": "+ shuffled batches",
    "short": "+ 120 epochs from a rate of 0.001",
    "standardise": "+ standardised features",
    "track-mean": "+ each track's own mean removed",
    "deltas": "+ differences over time",
    "crop": "+ random crops of 8 s",
    "pooling": "+ mean and deviation over the frames",
    "improved": "+ all the rest: improved",
    "svm": "support vector machine",
}
SUGGESTION_LABELS = {
    "short": "raw features, 120 epochs, shuffled",
    "batch-norm": "raw features, batch normalisation",
    "attention": "raw features, attention",
    "improved": "improved",
    "improved, batch-norm": "improved, batch normalisation",
    "improved, attention": "improved, attention",
}
COLORS = dict(zip(SCHEDULES, ("tab:blue", "tab:orange", "tab:gray"), strict=True))


# Tables


def select(rows, **wanted):
    """Return the rows that hold the wanted values."""
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def shares(rows, count, of):
    """Return one column as a share of another, for each row."""
    return [int(row[count]) / int(row[of]) for row in rows]


def spread(values, form):
    """Return mean ± standard deviation of three or more values; one or two are listed."""
    if len(values) < 3:
        return ", ".join(map(form.format, values))
    return f"{form.format(statistics.mean(values))} ± {form.format(statistics.stdev(values))}"


def score_columns(part):
    """Return the columns that a table has of a part: their names, and how they are filled."""
    prefix = "test " if part == "test" else ""
    return {
        f"{part} accuracy, %": lambda rows: spread(
            [100 * share for share in shares(rows, f"{part}_correct", f"{part}_n")], "{:.1f}"
        ),
        f"{prefix}hiphop recall": lambda rows: spread(
            shares(rows, f"{part}_hiphop_correct", f"{part}_hiphop_n"), "{:.2f}"
        ),
        f"{prefix}hiphop called metal": lambda rows: spread(
            shares(rows, f"{part}_hiphop_as_metal", f"{part}_hiphop_n"), "{:.2f}"
        ),
    }


def column(name, form):
    """Return how a table's cells are filled with a column of results.csv."""
    return lambda rows: spread([float(row[name]) for row in rows], form) if rows[0][name] else ""


def table(rows, groups, columns):
    """Return a Markdown table with a line for each group that has rows.

    Parameters
    ----------
    rows : list of dict
        Of results.csv.
    groups : dict
        For each line's label the columns' values that its rows have.
    columns : dict
        For each column's name a function from a group's rows to its cell.
    """
    lines = [["", "seeds", *columns], ["---", *["---:"] * (1 + len(columns))]]
    for label, wanted in groups.items():
        if found := select(rows, **wanted):
            seeds = len(found) if found[0]["seed"] else ""
            lines.append([label, seeds, *(cell(found) for cell in columns.values())])
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def of_step(step, split="index", schedule=PIECEWISE):
    """Return what the rows of a step have in results.csv."""
    return {"step": step, "split": split, "schedule": "" if step == "svm" else schedule}


def median_minutes(rows):
    """Return the median training time of some runs."""
    return f"{statistics.median(float(row['seconds']) for row in rows) / 60:.0f}"


def tables(rows):
    """Return every table, by its title."""
    scores = score_columns("validation")
    accuracy = {"validation accuracy, %": scores["validation accuracy, %"]}
    loss = {"validation loss": column("final_val_loss", "{:.3f}")}
    compared = {
        f"{recipe}, {order}, {schedule}": of_step(step, schedule=schedule)
        for recipe, steps in COMPARED.items()
        for order, step in zip(("in file order", "shuffled"), steps, strict=True)
        for schedule in SCHEDULES
    }
    final = {
        f"{split}: {step}{schedule and ', '}{schedule}": of_step(step, split, schedule)
        for split in ("index", "filtered")
        for step in FINAL
        for schedule in (SCHEDULES if step != "svm" else ("",))
    }
    recipes = {
        f"{recipe}, {schedule}": of_step(recipe, schedule=schedule)
        for recipe in ("published", "improved")
        for schedule in (PIECEWISE, PLATEAU)
    }
    test = {"test accuracy, %": score_columns("test")["test accuracy, %"]}
    return {
        "The recipes": table(rows, recipes, scores | test | {"minutes": median_minutes}),
        "The ladder": table(
            rows,
            {label: of_step(step) for step, label in LADDER_LABELS.items()},
            scores | loss,
        ),
        "The original's suggestions": table(
            rows,
            {label: of_step(step) for step, label in SUGGESTION_LABELS.items()},
            scores | loss,
        ),
        "The improved recipe without one part": table(
            rows, {step: of_step(step) for step in ("improved", *WITHOUT)}, scores | loss
        ),
        "The schedules": table(
            rows,
            compared,
            accuracy
            | {"lowest loss": column("lowest_val_loss", "{:.3f}")}
            | {"final loss": column("final_val_loss", "{:.3f}")}
            | {"change between validations": column("oscillation", "{:.4f}")},
        ),
        "Validation and test": table(rows, final, accuracy | score_columns("test")),
    }


# Figures


def draw_ladder(rows, folder):
    """Draw accuracy and hiphop recall of every step: a dot for each seed, a bar for the mean."""
    panels = {"accuracy": ("correct", "n"), "hiphop recall": ("hiphop_correct", "hiphop_n")}
    steps = [step for step in LADDER_LABELS if select(rows, **of_step(step))]
    figure = Figure(figsize=(10, 0.45 * len(steps) + 1.2), layout="constrained")
    for axes, (title, columns) in zip(
        figure.subplots(1, 2, sharey=True), panels.items(), strict=True
    ):
        for place, step in enumerate(steps):
            found = shares(
                select(rows, **of_step(step)), *(f"validation_{name}" for name in columns)
            )
            color = "tab:gray" if step == "svm" else "tab:orange"
            axes.barh(place, statistics.mean(found), color=color, alpha=0.35, height=0.7)
            axes.plot(found, [place] * len(found), ".", color=color)
        axes.set_yticks(range(len(steps)), [LADDER_LABELS[step] for step in steps])
        axes.set(xlim=(0, 1), xlabel=f"validation {title}")
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="x", alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    axes.invert_yaxis()
    save(figure, folder / "ladder.png")


def draw_schedules(curves, folder):
    """Draw the validation loss of the three schedules: the mean, and from least to most."""
    figure = Figure(figsize=(11, 7), layout="constrained")
    panels = figure.subplots(2, 2, sharex="row", sharey="row")
    for line, (recipe, steps) in zip(panels, COMPARED.items(), strict=True):
        for axes, order, step in zip(line, ("in file order", "shuffled"), steps, strict=True):
            for schedule in SCHEDULES:
                found = select(curves, step=step, schedule=schedule)
                if not found:
                    continue
                seeds = sorted({row["seed"] for row in found})
                epochs = [int(row["epoch"]) for row in select(found, seed=seeds[0])]
                losses = np.array([row["val_loss"] for row in found], dtype=float)
                losses = losses.reshape(len(seeds), -1)
                color, label = COLORS[schedule], f"{schedule}, seeds: {len(seeds)}"
                axes.plot(epochs, losses.mean(axis=0), color=color, linewidth=1.2, label=label)
                if len(seeds) > 1:
                    axes.fill_between(
                        epochs, losses.min(axis=0), losses.max(axis=0), color=color, alpha=0.2
                    )
            axes.set(title=f"{recipe} recipe, {order}", xlabel="epoch")
            axes.grid(alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
            if axes.lines:
                axes.legend(frameon=False)
        line[0].set_ylabel("validation loss (nats per clip)")
    save(figure, folder / "schedules.png")


def draw_distances(rows, folder):
    """Draw each hiphop clip by its distance from hiphop and from metal."""
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    panels = {"": "as they are", "_removed": "each track's mean removed"}
    for axes, (suffix, title) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        hiphop, metal = (
            np.array([float(row[f"{genre}{suffix}"]) for row in rows])
            for genre in ("hiphop", "metal")
        )
        end = 1.05 * max(hiphop.max(), metal.max())
        axes.plot([0, end], [0, end], color="gray", linewidth=1)
        nearer = metal < hiphop
        for chosen, genre, color in ((nearer, "metal", "tab:red"), (~nearer, "hiphop", "tab:blue")):
            label = f"nearer to {genre}: {chosen.sum()} of {len(rows)}"
            axes.plot(hiphop[chosen], metal[chosen], "o", color=color, alpha=0.7, label=label)
        axes.set(xlim=(0, end), ylim=(0, end), aspect="equal", title=f"MFCC, {title}")
        axes.set(xlabel="distance from hiphop training clips", ylabel="from metal training clips")
        axes.legend(frameon=False, loc="lower right")
        axes.spines[["top", "right"]].set_visible(False)
    save(figure, folder / "distances.png")


def write_report(folder):
    """Write table.md and the figures beside the .csv files in a folder."""
    rows = read_table(folder / RESULTS)
    text = "".join(f"## {title}\n\n{lines}\n" for title, lines in tables(rows).items())
    with replacing(folder / "table.md") as temporary:
        temporary.write_text(f"# Tables\n\n{text.rstrip()}\n", encoding="utf-8")
    draw_ladder(rows, folder)
    draw_schedules(read_table(folder / CURVES), folder)
    draw_distances(read_table(folder / DISTANCES), folder)


if __name__ == "__main__":
    run_script(write_report, Path(__file__).parent)
