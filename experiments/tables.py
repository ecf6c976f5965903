"""The tables of table.md, in Markdown."""

import itertools
import statistics

from common.files import read_table
from experiments import chains, counterfactual, robustness, transfer
from experiments.collect import CHAINS, RESULTS
from experiments.plan import ABLATIONS, FILTERED, FINAL, INDEX, LADDER, SCHEDULE_STEPS, SCHEDULES
from genre_features.frame import SAMPLE_RATE
from genre_lstm.calibration import wilson_interval

PAIR, FIRST = SCHEDULES[:2], SCHEDULES[:1]  # the original's two schedules; one of them
SINGLE_CHANGES = ("earlier",)  # the features on which single changes are compared
VERSIONS = {
    **dict.fromkeys(("index-control", "filtered-control"), "unfiltered"),
    **dict.fromkeys(("index-lowpass", "filtered-lowpass"), "low-passed at 9 kHz"),
    "index-both": "in both versions",
}
LABELS = {
    "short": "raw features, 120 epochs",
    "short-batch-norm": "raw features, batch normalisation",
    "short-attention": "raw features, attention",
    "improved-batch-norm": "improved, batch normalisation",
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


def select(rows, **values):
    """Return the rows that have these values."""
    return [row for row in rows if all(row[key] == value for key, value in values.items())]


def summarise(values, form="{:.2f}"):
    """Return mean ± standard deviation of three or more values; one or two are listed."""
    if len(values) < 3:
        return ", ".join(map(form.format, values))
    return f"{form.format(statistics.mean(values))} ± {form.format(statistics.stdev(values))}"


def number(column, form):
    """Return a function from rows to a cell that summarises a column."""
    return lambda rows: summarise([float(row[column]) for row in rows if row[column]], form)


def fraction(count, n, form="{:.2f}", scale=1):
    """Return a function from rows to a cell that summarises a count as a fraction of another."""
    return lambda rows: summarise(
        [scale * int(row[count]) / int(row[n]) for row in rows if row[count]], form
    )


def score_columns(subset, prefix=""):
    """Return the columns of a table about a subset: the accuracy, and two of hiphop."""
    n, metal = f"{subset}_hiphop_n", f"{subset}_hiphop_as_metal"
    return {
        f"{subset} accuracy, %": fraction(f"{subset}_correct", f"{subset}_n", "{:.1f}", 100),
        f"{prefix}hiphop recall": fraction(f"{subset}_hiphop_correct", n),
        f"{prefix}hiphop classified as metal": fraction(metal, n),
    }


SCORES, TEST = score_columns("validation"), score_columns("test", "test ")
ACCURACY, TEST_ACCURACY = dict(list(SCORES.items())[:1]), dict(list(TEST.items())[:1])
LOSS = {"validation loss": number("final_val_loss", "{:.3f}")}
SCHEDULE_COLUMNS = {
    "lowest loss": number("lowest_val_loss", "{:.3f}"),
    "final loss": number("final_val_loss", "{:.3f}"),
    "change between validations": number("oscillation", "{:.4f}"),
}


def run_values(step, features, schedule=SCHEDULES[0]):
    """Return the values by which `select` finds a step's runs; svm has no schedule."""
    return {"step": step, "features": features, "schedule": schedule if step != "svm" else ""}


def lines_of(steps, features, schedules=PAIR):
    """Return the lines of a table, see `table`: each step, schedule and version of the clips."""
    lines = {}
    for step, schedule, name in itertools.product(steps, schedules, features):
        label = LABELS.get(step, step.replace("-", ", ", 1).replace("-", " "))
        shown = schedule if step != "svm" and len(schedules) > 1 else ""
        words = filter(None, (label, shown, VERSIONS.get(name)))
        lines[", ".join(words)] = run_values(step, name, schedule)
    return lines


LADDER_LINES = {
    "published": run_values("published", "index-control"),
    **{LADDER_LABELS[step]: run_values(step, "index-lowpass") for step in LADDER},
    "support vector machine": run_values("svm", "index-lowpass"),
}
SCHEDULE_LINES = {
    f"{recipe}, {order}, {schedule}": run_values(step, *SINGLE_CHANGES, schedule)
    for recipe, steps in SCHEDULE_STEPS.items()
    for order, step in zip(("in file order", "shuffled"), steps, strict=True)
    for schedule in SCHEDULES
}
MODEL_LINES = lines_of(("improved", "improved-120-epochs"), (*INDEX, "index-both"))


def markdown(lines, n_texts=1):
    """Return the lines of a table as Markdown; all but the first `n_texts` columns are numbers."""
    rule = ["---"] * n_texts + ["---:"] * (len(lines[0]) - n_texts)
    lines = [lines[0], rule, *lines[1:]]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def table(rows, groups, columns):
    """Return a Markdown table with a line for each group that has rows.

    `groups` has for each label the values of its rows; `columns` for each name a function from
    these rows to a cell.
    """
    lines = [["", "seeds", *columns]]
    for label, values in groups.items():
        if runs := select(rows, **values):
            n_seeds = len({row["seed"] for row in runs} - {""}) or ""
            lines.append([label, n_seeds, *(cell(runs) for cell in columns.values())])
    return markdown(lines)


def run_tables(rows):
    """Return the tables of results.csv, by title."""
    recipes = lines_of(("published",), INDEX[:1]) | lines_of(("improved",), INDEX)
    steps = ("short", *ABLATIONS[:2], "improved", *ABLATIONS[2:4])
    suggested = lines_of(steps, SINGLE_CHANGES, FIRST)
    changed = lines_of(("improved", *ABLATIONS[4:]), SINGLE_CHANGES, FIRST)
    lowpassed, scores = ("published", "short", "improved", "svm"), SCORES | LOSS | TEST_ACCURACY
    final, emotify = lines_of(FINAL, SINGLE_CHANGES, SCHEDULES), lines_of(FINAL, ("emotify",))
    return {
        "The recipes": table(rows, recipes, SCORES | TEST_ACCURACY),
        "The ladder": table(rows, LADDER_LINES, SCORES | LOSS),
        "The original's suggestions": table(rows, suggested, SCORES | LOSS),
        "The improved recipe with one change": table(rows, changed, SCORES | LOSS),
        "The schedules": table(rows, SCHEDULE_LINES, ACCURACY | SCHEDULE_COLUMNS),
        "Low-passed features": table(rows, lines_of(lowpassed, INDEX), scores),
        "Low-passed features, filtered split": table(rows, lines_of(lowpassed, FILTERED), scores),
        "Validation and test": table(rows, final, ACCURACY | TEST),
        "Another data set": table(rows, emotify, ACCURACY | LOSS | TEST_ACCURACY),
        "As the original scored": whole_batches_table(rows),
        "Hiphop by recipe": hiphop_table(rows),
    }


def whole_batches_table(rows):
    """Return a table of the published runs' scores without the last partial batch."""
    scores = {"the original's report": (83, 105)}
    for row in select(rows, step="published"):
        if row["features"] in (*SINGLE_CHANGES, *INDEX) and row["whole_batches_n"] not in ("", "0"):
            version = VERSIONS.get(row["features"], "earlier regression")
            label = f"published, {row['schedule']}, {version}, seed {row['seed']}"
            scores[label] = int(row["whole_batches_correct"]), int(row["whole_batches_n"])
    lines = [["", "right", "clips", "accuracy, %", "95 % interval"]]
    for label, (n_right, n) in scores.items():
        low, high = (100 * bound for bound in wilson_interval(n_right, n))
        lines.append([label, n_right, n, f"{100 * n_right / n:.1f}", f"{low:.1f} to {high:.1f}"])
    return markdown(lines)


def hiphop_table(rows):
    """Return a table of the predictions for hiphop clips of each recording chain."""
    lines = [["", "clips", "seeds", "predictions", "right", "classified as metal"]]
    groups = lines_of(("published", "improved"), INDEX)
    for (label, values), chain in itertools.product(groups.items(), CHAINS):
        runs = [row for row in select(rows, **values) if int(row[f"{chain}_n"] or 0)]
        columns = (f"{chain}_{name}" for name in ("n", "correct", "as_metal"))
        n, *counts = (sum(int(row[column]) for row in runs) for column in columns)
        if runs:
            fractions = [f"{count / n:.2f}" for count in counts]
            lines.append([label, CHAINS[chain], len(runs), n, *fractions])
    return markdown(lines, n_texts=2)


def chain_tables(rows):
    """Return the table of chains.csv, by title: the shipped published models' predictions."""
    lines = [["hiphop, validation and test", "clips"]]
    for schedule in PAIR:
        lines[0] += [f"right, {schedule}", f"classified as metal, {schedule}"]
    hiphop = [row for row in select(rows, genre="hiphop") if row[FIRST[0]]]
    for chain in CHAINS:
        is_limited = chain == "band_limited"
        clips = [row for row in hiphop if chains.is_band_limited(row) == is_limited]
        pairs = itertools.product(PAIR, ("hiphop", "metal"))
        counts = [len(select(clips, **{schedule: genre})) for schedule, genre in pairs]
        lines.append([CHAINS[chain], len(clips), *counts])
    return {"Hiphop in each recording chain": markdown(lines)}


def counterfactual_tables(rows):
    """Return the table of counterfactual.csv, by title."""
    cutoffs = list(dict.fromkeys(row["cutoff"] for row in rows))
    labels = [f"{int(hz) / 1000:g} kHz" if hz != "0" else "unfiltered" for hz in cutoffs]
    lines = [["", "clips", *labels]]
    full = [row for row in rows if int(row["bandwidth"]) >= SAMPLE_RATE // 2]
    for genre, schedule in itertools.product(sorted({row["genre"] for row in full}), PAIR):
        clips = select(full, genre=genre, schedule=schedule)
        counts = [len(select(clips, cutoff=hz, predicted="metal")) for hz in cutoffs]
        lines.append([f"{genre}, {schedule}", len(clips) // len(cutoffs), *counts])
    return {"Full-band clips classified as metal when low-passed": markdown(lines)}


def robustness_tables(rows):
    """Return the tables of robustness.csv, by title."""
    tables, n = {}, rows[0]["clips"]
    for title, what, variants in (
        (f"Predictions for {n} clips at other sample rates", "same", robustness.CONVERTED),
        (f"Predictions for the start of {n} clips", "right", robustness.SHORTENED),
    ):
        columns = [f"right, {robustness.UNCHANGED}", *(f"{what}, {name}" for name in variants)]
        tables[title] = table(rows, MODEL_LINES, {name: number(name, "{:.1f}") for name in columns})
    return tables


def transfer_tables(rows):
    """Return the table of transfer.csv, by title: the recall of each genre."""

    def recall(genre):
        return lambda runs: fraction(genre, "n")(select(runs, genre=genre))

    columns = {f"{genre} recall": recall(genre) for genre in sorted({r["genre"] for r in rows})}
    return {"GTZAN's models on another data set": table(rows, MODEL_LINES, columns)}


def all_tables(folder):
    """Return the tables of the .csv files in a folder, by title."""
    tables = run_tables(read_table(folder / RESULTS))
    for module, make_tables in (
        (chains, chain_tables),
        (counterfactual, counterfactual_tables),
        (robustness, robustness_tables),
        (transfer, transfer_tables),
    ):
        if rows := read_table(folder / module.NAME):
            tables |= make_tables(rows)
    return tables
