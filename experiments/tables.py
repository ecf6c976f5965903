"""The tables of the experiments, in Markdown."""

import statistics

from experiments.chains import is_cut
from experiments.plan import COMPARED, FINAL, PIECEWISE, PLATEAU, SCHEDULES, WITHOUT
from genre_features.bandwidth import FULL
from plumbing.files import replacing

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


def markdown(lines):
    """Return the lines of a table, lists of cells, as Markdown."""
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


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
        if runs := select(rows, **wanted):
            seeds = len(runs) if runs[0]["seed"] else ""
            lines.append([label, seeds, *(cell(runs) for cell in columns.values())])
    return markdown(lines)


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
    lowpassed = {
        f"{step}{schedule and ', '}{schedule}, {label}": of_step(step, split, schedule)
        for step in FINAL
        for schedule in ((PIECEWISE, PLATEAU) if step != "svm" else ("",))
        for split, label in (("control", "as they are"), ("lowpass", "low-passed at 9 kHz"))
    }
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
        "Low-passed features": table(rows, lowpassed, scores | loss | test),
        "Validation and test": table(rows, final, accuracy | score_columns("test")),
    }


def chain_table(rows):
    """Return a Markdown table of hiphop's answers in each recording chain, of chains.csv."""
    lines = [["hiphop, validation and test", "clips"], ["---", "---:"]]
    for schedule in (PIECEWISE, PLATEAU):
        lines[0] += [f"right, {schedule}", f"called metal, {schedule}"]
        lines[1] += ["---:", "---:"]
    for label, cut in (("band-limited", True), ("full band", False)):
        own = [r for r in rows if r["genre"] == "hiphop" and r[PIECEWISE] and is_cut(r) == cut]
        line = [label, len(own)]
        for schedule in (PIECEWISE, PLATEAU):
            line += [sum(row[schedule] == genre for row in own) for genre in ("hiphop", "metal")]
        lines.append(line)
    return markdown(lines)


def counterfactual_table(rows):
    """Return a Markdown table of the answers to low-passed clips, of counterfactual.csv."""
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
                sum(row["answer"] == "metal" for row in select(own, cutoff=cutoff))
                for cutoff in cutoffs
            ]
            n_clips = len({row["track"] for row in own})
            lines.append([f"{genre}, {schedule}", n_clips, *n_metal])
    return markdown(lines)


def write_tables(rows, tracks, variants, path):
    """Write all tables.

    Parameters
    ----------
    rows, tracks, variants : list of dict
        Of results.csv, chains.csv and counterfactual.csv.
    path : pathlib.Path
    """
    by_title = tables(rows) | {"Hiphop in each recording chain": chain_table(tracks)}
    if variants:
        by_title["Full-band clips called metal when low-passed"] = counterfactual_table(variants)
    text = "".join(f"## {title}\n\n{lines}\n" for title, lines in by_title.items())
    with replacing(path) as temporary:
        temporary.write_text(f"# Tables\n\n{text.rstrip()}\n", encoding="utf-8")
