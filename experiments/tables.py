"""The tables of the experiments, in Markdown."""

import statistics

from experiments.collect import CHAINS, HIPHOP_ANSWERS
from experiments.plan import (
    COMPARED,
    FILTERED_SPLITS,
    FINAL,
    INDEX_SPLITS,
    MODEL_SPLITS,
    PIECEWISE,
    PLATEAU,
    SCHEDULES,
    WITHOUT,
)
from genre_lstm.calibration import wilson_interval

# The lines of the ladder: a step, and the features that it was trained on.
LADDER_LINES = {
    "published": ("published", "control"),
    "+ clips low-passed at 9 kHz": ("published", "lowpass"),
    "+ shuffled batches": ("shuffle", "lowpass"),
    "+ 120 epochs from a rate of 0.001": ("short", "lowpass"),
    "+ standardised features": ("standardise", "lowpass"),
    "+ each track's own mean removed": ("mean-normalised", "lowpass"),
    "+ differences over time": ("deltas", "lowpass"),
    "+ random crops of 8 s": ("crop", "lowpass"),
    "+ mean and deviation over the frames": ("pooling", "lowpass"),
    "+ all the rest: improved": ("improved", "lowpass"),
    "support vector machine": ("svm", "lowpass"),
}
SUGGESTION_LABELS = {
    "short": "raw features, 120 epochs, shuffled",
    "batch-norm": "raw features, batch normalisation",
    "attention": "raw features, attention",
    "improved": "improved",
    "improved, batch-norm": "improved, batch normalisation",
    "improved, attention": "improved, attention",
}
STEP_LABELS = {"short": "raw features, 120 epochs"}
VERSION_LABELS = {
    "control": "as they are",
    "lowpass": "low-passed at 9 kHz",
    "filtered-control": "as they are",
    "filtered-lowpass": "low-passed at 9 kHz",
    "both": "in both versions",
}


def select(rows, **wanted):
    """Return the rows that hold the wanted values."""
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def shares(rows, count, of):
    """Return one column as a share of another, for each row."""
    return [int(row[count]) / int(row[of]) for row in rows]


def summarise(values, form):
    """Return mean ± standard deviation of three or more values; one or two are listed."""
    if len(values) < 3:
        return ", ".join(map(form.format, values))
    return f"{form.format(statistics.mean(values))} ± {form.format(statistics.stdev(values))}"


def score_columns(subset):
    """Return the columns that a table has of a subset: their names, and how they are filled."""
    prefix = "test " if subset == "test" else ""

    def share(count, of, form, scale=1):
        def fill(rows):
            if not rows[0][f"{subset}_{count}"]:  # test scores of settings that were up for choice
                return ""
            values = shares(rows, f"{subset}_{count}", f"{subset}_{of}")
            return summarise([scale * value for value in values], form)

        return fill

    return {
        f"{subset} accuracy, %": share("correct", "n", "{:.1f}", 100),
        f"{prefix}hiphop recall": share("hiphop_correct", "hiphop_n", "{:.2f}"),
        f"{prefix}hiphop called metal": share("hiphop_as_metal", "hiphop_n", "{:.2f}"),
    }


def column(name, form):
    """Return how a table's cells are filled with a column of results.csv."""
    return lambda rows: summarise([float(row[name]) for row in rows], form) if rows[0][name] else ""


def name_of(step, schedule, *versions):
    """Return a line's label, as in "improved, PiecewiseDecay, low-passed"."""
    return ", ".join(filter(None, (step, "" if step == "svm" else schedule, *versions)))


def lines_of(steps, splits, schedules=(PIECEWISE, PLATEAU)):
    """Return the lines of a table, see `table`: each step, schedule and version of the clips."""
    return {
        name_of(STEP_LABELS.get(step, step), schedule, VERSION_LABELS.get(split)): of_step(
            step, split, schedule
        )
        for step in steps
        for schedule in schedules
        for split in splits
    }


def lines_of_models():
    """Return the lines of a table, see `table`: the models of each version of the clips."""
    return {
        name_of(VERSION_LABELS[split], schedule): {"split": split, "schedule": schedule}
        for split in MODEL_SPLITS
        for schedule in (PIECEWISE, PLATEAU)
    }


def markdown(lines):
    """Return the lines of a table, lists of cells, as Markdown."""
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def table(rows, groups, columns, head=""):
    """Return a Markdown table with a line for each group that has rows.

    Parameters
    ----------
    rows : list of dict
        Of a table of runs: each names its seed, which is empty if there is none.
    groups : dict
        For each line's label the columns' values that its rows have.
    columns : dict
        For each column's name a function from a group's rows to its cell.
    head : str
        What the labels are.
    """
    lines = [[head, "seeds", *columns], ["---", *["---:"] * (1 + len(columns))]]
    for label, wanted in groups.items():
        if runs := select(rows, **wanted):
            n_seeds = len({row["seed"] for row in runs}) if runs[0]["seed"] else ""
            lines.append([label, n_seeds, *(cell(runs) for cell in columns.values())])
    return markdown(lines)


def of_step(step, split="index", schedule=PIECEWISE):
    """Return what the rows of a step have in results.csv."""
    return {"step": step, "split": split, "schedule": "" if step == "svm" else schedule}


def tables(rows):
    """Return every table of results.csv, by its title."""
    scores, test = score_columns("validation"), score_columns("test")
    accuracy = {"validation accuracy, %": scores["validation accuracy, %"]}
    test_accuracy = {"test accuracy, %": test["test accuracy, %"]}
    loss = {"validation loss": column("final_val_loss", "{:.3f}")}
    compared = {
        f"{recipe}, {order}, {schedule}": of_step(step, schedule=schedule)
        for recipe, steps in COMPARED.items()
        for order, step in zip(("in file order", "shuffled"), steps, strict=True)
        for schedule in SCHEDULES
    }
    recipes = lines_of(("published",), ("control",)) | lines_of(("improved",), INDEX_SPLITS)
    lowpassed = ("published", "short", "improved", "svm")
    return {
        "The recipes": table(rows, recipes, scores | test_accuracy),
        "The ladder": table(
            rows,
            {label: of_step(*line) for label, line in LADDER_LINES.items()},
            scores | loss,
        ),
        "The original's suggestions": table(
            rows,
            {label: of_step(step) for step, label in SUGGESTION_LABELS.items()},
            scores | loss,
        ),
        "The improved recipe without one subset": table(
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
        "Low-passed features": table(
            rows, lines_of(lowpassed, INDEX_SPLITS), scores | loss | test_accuracy
        ),
        "Low-passed features, filtered split": table(
            rows, lines_of(lowpassed, FILTERED_SPLITS), scores | loss | test_accuracy
        ),
        "Validation and test": table(rows, lines_of(FINAL, ("index",), SCHEDULES), accuracy | test),
        "Another data set": table(
            rows, lines_of(FINAL, ("emotify",)), accuracy | loss | test_accuracy
        ),
        "As the original scored": whole_batches_table(rows),
    }


def whole_batches_table(rows):
    """Return a Markdown table of the published runs' scores without the last partial batch."""
    scored = {"the original's report": (83, 105)}
    for row in select(rows, step="published"):
        if row["split"] in ("index", *INDEX_SPLITS) and row["whole_batches_n"] not in ("", "0"):
            version = VERSION_LABELS.get(row["split"], "earlier regression")
            label = name_of("published", row["schedule"], version)
            numbers = int(row["whole_batches_correct"]), int(row["whole_batches_n"])
            scored[f"{label}, seed {row['seed']}"] = numbers
    lines = [["", "right", "clips", "accuracy, %", "95 % interval"], ["---", *["---:"] * 4]]
    for label, (n_right, n) in scored.items():
        low, high = wilson_interval(n_right, n)
        bounds = f"{100 * low:.1f} to {100 * high:.1f}"
        lines.append([label, n_right, n, f"{100 * n_right / n:.1f}", bounds])
    return markdown(lines)


def hiphop_table(rows):
    """Return a Markdown table of the answers to hiphop clips of each chain, of hiphop.csv."""
    lines = [
        ["", "clips", "seeds", "answers", "right", "called metal"],
        ["---", "---", *["---:"] * 4],
    ]
    for label, wanted in lines_of(("published", "improved"), INDEX_SPLITS).items():
        for chain in CHAINS.values():
            if own := select(rows, **wanted, chain=chain):
                n = sum(int(row["n"]) for row in own)
                counts = [sum(int(row[answer]) for row in own) for answer in HIPHOP_ANSWERS]
                lines.append([label, chain, len(own), n, *(f"{count / n:.2f}" for count in counts)])
    return markdown(lines)
