"""The tables of table.md, in Markdown."""

import itertools
import statistics

from experiments import robustness
from experiments.collect import CHAINS
from experiments.plan import BASE, CHANGES, FEATURES, INDEX, LADDER, SCHEDULES, SPLITS
from genre_lstm.calibration import wilson_interval

VERSIONS = {  # by the end of the name of features
    **{"control": "unfiltered", "lowpass": "low-passed at 9 kHz", "both": "both versions"},
    **{"emotify": "hop of 1709 samples", "1536": "hop of 1536 samples"},
}
LABELS = {
    "short": "raw features, 120 epochs",
    "shuffled": "published, shuffled",
    "improved-batch-norm": "improved, batch normalisation",
    "improved-avx2": "improved, 120 epochs, AVX2",
}
LADDER_LABELS = {
    "published": "+ clips low-passed at 9 kHz",
    "shuffled": "+ shuffled batches",
    "short": "+ 120 epochs from a rate of 0.001",
    "standardised": "+ standardised features",
    "mean-normalised": "+ each track's mean removed",
    "differences": "+ differences over time",
    "crops": "+ random crops of 8 s",
    "pooled": "+ mean and deviation over the frames",
    "improved": "+ all the rest: improved",
}
# Columns of tables: for each title a column of results.csv, one to divide by, the format, a factor.
ACCURACY = {"validation accuracy, %": ("validation_correct", "validation_n", "{:.1f}", 100)}
TEST_ACCURACY = {"test accuracy, %": ("test_correct", "test_n", "{:.1f}", 100)}
SCORES = ACCURACY | {
    "hiphop recall": ("validation_hiphop_correct", "validation_hiphop_n"),
    "hiphop classified as metal": ("validation_hiphop_as_metal", "validation_hiphop_n"),
}
LOSS = {"validation loss": ("final_val_loss", None, "{:.3f}")}
OSCILLATION = {
    "lowest loss": ("lowest_val_loss", None, "{:.3f}"),
    "final loss": ("final_val_loss", None, "{:.3f}"),
    "change at the first rate": ("change_at_first", None, "{:.4f}"),
    "change at lower rates": ("change_reduced", None, "{:.4f}"),
}


def select(rows, **values):
    """Return the rows that have these values."""
    return [row for row in rows if all(row[key] == value for key, value in values.items())]


def summarise(rows, column, divisor=None, form="{:.2f}", factor=1):
    """Return mean ± standard deviation over three or more rows; one or two are listed."""
    rows = [row for row in rows if row.get(column)]
    values = [factor * float(row[column]) / float(row[divisor] if divisor else 1) for row in rows]
    if len(values) < 3:
        return ", ".join(map(form.format, values))
    return f"{form.format(statistics.mean(values))} ± {form.format(statistics.stdev(values))}"


def run_values(step, features, schedule=SCHEDULES[0]):
    """Return the values by which `select` finds a step's runs; svm has no schedule."""
    return {"step": step, "features": features, "schedule": schedule if step != "svm" else ""}


def lines_of(steps, features, schedules=SCHEDULES):
    """Return the lines of a table, see `table`: each step, schedule and version of the clips."""
    lines = {}
    for step, schedule, name in itertools.product(steps, schedules, features):
        label = LABELS.get(step, step.replace("-", ", ", 1).replace("-", " "))
        shown = schedule if step != "svm" and len(schedules) > 1 else ""
        words = filter(None, (label, shown, VERSIONS.get(name.rpartition("-")[2])))
        lines[", ".join(words)] = run_values(step, name, schedule)
    return lines


LADDER_LINES = {
    "published": run_values("published", "index-control"),
    **{LADDER_LABELS[step]: run_values(step, "index-lowpass") for step in LADDER},
    "support vector machine": run_values("svm", "index-lowpass"),
}
MODEL_LINES = lines_of(("improved", BASE), (*INDEX, "index-both"))


def markdown(lines, n_texts=1):
    """Return the lines of a table as Markdown; all but the first `n_texts` columns are numbers."""
    rule = ["---"] * n_texts + ["---:"] * (len(lines[0]) - n_texts)
    lines = [lines[0], rule, *lines[1:]]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def table(rows, groups, columns):
    """Return a Markdown table with a line for each group that has rows.

    `groups` has for each label the values of its rows; `columns` for each title the arguments of
    `summarise`.
    """
    lines = [["", "seeds", *columns]]
    for label, values in groups.items():
        if runs := select(rows, **values):
            n_seeds = len({row["seed"] for row in runs} - {""}) or ""
            lines.append([label, n_seeds, *(summarise(runs, *each) for each in columns.values())])
    return markdown(lines)


def run_tables(rows):
    """Return the tables of results.csv, by title."""
    recipes = ("published", "short", "improved", BASE, "svm")
    columns = SCORES | TEST_ACCURACY | LOSS
    index, filtered, ten = ([f for f in FEATURES if f.startswith(split)] for split in SPLITS)
    changes = lines_of(CHANGES, INDEX[1:], SCHEDULES[:1])
    schedules = lines_of(("published", "shuffled", "improved"), INDEX)
    emotify = lines_of(("published", "improved", "svm"), ("emotify", "emotify-1536"))
    return {
        "Split by track number": table(rows, lines_of(recipes, index), columns),
        "Split that keeps artists apart": table(rows, lines_of(recipes, filtered), columns),
        "Ten genres": table(rows, lines_of(recipes, ten), columns),
        "The ladder": table(rows, LADDER_LINES, SCORES | LOSS),
        "Single changes, 120 epochs": table(rows, changes, SCORES | LOSS),
        "The schedules": table(rows, schedules, ACCURACY | OSCILLATION),
        "Another data set": table(rows, emotify, ACCURACY | LOSS | TEST_ACCURACY),
        "As the original scored": whole_batches_table(rows),
        "Hiphop by recipe": hiphop_table(rows),
    }


def whole_batches_table(rows):
    """Return a table of the published runs' scores without the last partial batch."""
    lines = [["the original's report", 83, 105]]
    for row in select(rows, step="published"):
        if row["features"] in INDEX and row["whole_batches_n"] not in ("", "0"):
            version = VERSIONS[row["features"].partition("-")[2]]
            label = f"published, {row['schedule']}, {version}, seed {row['seed']}"
            lines.append([label, int(row["whole_batches_correct"]), int(row["whole_batches_n"])])
    for line in lines:
        low, high = (100 * bound for bound in wilson_interval(*line[1:]))
        line += [f"{100 * line[1] / line[2]:.1f}", f"{low:.1f} to {high:.1f}"]
    return markdown([["", "right", "clips", "accuracy, %", "95 % interval"], *lines])


def hiphop_table(rows):
    """Return a table of the predictions for hiphop clips of each recording chain."""
    lines = [["", "clips", "seeds", "predictions", "right", "classified as metal"]]
    groups = lines_of(("published", "improved"), INDEX)
    for (label, values), chain in itertools.product(groups.items(), CHAINS):
        if not (runs := [row for row in select(rows, **values) if row[f"{chain}_n"]]):
            continue
        columns = (f"{chain}_{name}" for name in ("n", "correct", "as_metal"))
        n, *counts = (sum(int(row[column]) for row in runs) for column in columns)
        lines.append([label, CHAINS[chain], len(runs), n, *(f"{c / n:.2f}" for c in counts)])
    return markdown(lines, n_texts=2)


def robustness_tables(rows):
    """Return the tables of robustness.csv, by title."""
    tables, n, unchanged = {}, rows[0]["clips"], f"right, {robustness.UNCHANGED}"
    for title, what, variants in (
        (f"Predictions for {n} clips at other sample rates", "same", robustness.CONVERTED),
        (f"Predictions for the start of {n} clips", "right", robustness.SHORTENED),
    ):
        names = [unchanged, *(f"{what}, {variant}" for variant in variants)]
        tables[title] = table(rows, MODEL_LINES, {name: (name, None, "{:.1f}") for name in names})
    return tables


def transfer_tables(rows):
    """Return the table of transfer.csv, by title: the recall of each genre."""
    columns = {}
    for row in rows:
        name = f"{row['genre']} recall"
        row[name], columns[name] = row[row["genre"]], (name, "n")
    return {"GTZAN's models on another data set": table(rows, MODEL_LINES, columns)}


def everyday_tables(rows):
    """Return the table of everyday.csv, by title: right predictions for each version."""
    columns = [column for column in rows[0] if column.startswith("right, ")]
    lines = [[column.removeprefix("right, "), *(r[column] for r in rows)] for column in columns]
    changed = [[int(row[column]) for column in columns[1:]] for row in rows]
    lines.append(["mean of the changed", *(f"{statistics.mean(n):.1f}" for n in changed)])
    title = f"Right predictions for {rows[0]['clips']} clips as people record them"
    return {title: markdown([["", *(row["models"] for row in rows)], *lines])}
