"""The tables about the two recording chains and about what the models listen to, in Markdown."""

import itertools
from collections import Counter

import numpy as np

from experiments.chains import VERSIONS, is_band_limited
from experiments.compare import mcnemar
from experiments.counterfactual import UNFILTERED, is_full_band
from experiments.plan import SCHEDULES
from experiments.tables import markdown, select, summarise
from genre_features.clips import SUBSETS
from genre_features.splits import read_filtered_split

CHAINS = {True: "band-limited", False: "full band"}


def classify_full_band(rows):
    """Yield genre, schedule and predictions, (versions, clips), of the full-band clips."""
    full_band = [row for row in rows if not is_band_limited(row)]
    genres = sorted({row["genre"] for row in full_band} - {"metal"})
    for genre, schedule in itertools.product(genres, SCHEDULES):
        clips = select(full_band, genre=genre)
        yield genre, schedule, np.array([[r[f"{schedule}, {v}"] for r in clips] for v in VERSIONS])


def chain_tables(rows):
    """Return the tables of chains.csv, by title."""
    names = [f"{what}, {version}" for what in ("metal", "right") for version in VERSIONS]
    lines = [["", "clips", *names[:2], "p (McNemar)", *names[2:]]]
    for genre, schedule, guesses in classify_full_band(rows):
        metal, right = guesses == "metal", guesses == genre
        p = f"{mcnemar(*metal)[2]:.1g}"
        label = f"{genre}, {schedule}"
        lines.append([label, guesses.shape[1], *metal.sum(1), p, *right.sum(1)])
    title = (
        "Full-band clips of all subsets, unfiltered and low-passed: predicted as metal, and right"
    )
    listed = read_filtered_split()
    tracks = (row["track"].split(".") for row in rows)
    subsets = [listed.get((genre, int(number))) for genre, number in tracks]
    in_both = [row | {"filtered": name} for row, name in zip(rows, subsets, strict=True)]
    return {
        "Clips that are band-limited": limits_table(in_both),
        "Clips of each subset of the two splits": subsets_table(in_both),
        title: markdown(lines),
        "Predictions for hiphop": hiphop_table(rows),
    }


def limits_table(rows):
    """Return a table of how many clips of each genre and subset are band-limited."""
    columns = {  # the key of a row that is looked at, and its values
        "all": ("subset", SUBSETS),
        "index: training": ("subset", SUBSETS[:1]),
        "index: validation and test": ("subset", SUBSETS[1:]),
        **{f"filtered: {subset}": ("filtered", (subset,)) for subset in SUBSETS},
    }
    lines = [["", *columns]]
    for genre in sorted({row["genre"] for row in rows}):
        clips = select(rows, genre=genre)
        chosen = ([row for row in clips if row[key] in values] for key, values in columns.values())
        counts = [f"{sum(map(is_band_limited, each))} of {len(each)}" for each in chosen]
        lines.append([genre, *counts])
    return markdown(lines)


def subsets_table(rows):
    """Return a table of how many clips of each index subset are in each filtered subset."""
    pairs = Counter((row["subset"], row["filtered"]) for row in rows)
    lines = [["index split", "all", *(f"filtered: {n}" for n in SUBSETS), "left out of filtered"]]
    for subset in SUBSETS:
        counts = [pairs[subset, name] for name in (*SUBSETS, None)]
        lines.append([subset, sum(counts), *counts])
    return markdown(lines)


def hiphop_table(rows):
    """Return a table of the predictions for hiphop clips of each chain, trained on or held out."""
    genres, subsets = sorted({row["genre"] for row in rows}), {True: "training", False: "held out"}
    lines = [["", "features", "clips", *genres]]
    for limited, trained, schedule, version in itertools.product(
        CHAINS, subsets, SCHEDULES, VERSIONS
    ):
        clips = [r for r in select(rows, genre="hiphop") if is_band_limited(r) == limited]
        clips = [row for row in clips if (row["subset"] == "train") == trained]
        counts = (len(select(clips, **{f"{schedule}, {version}": genre})) for genre in genres)
        label = f"{CHAINS[limited]}, {subsets[trained]}, {schedule}"
        lines.append([label, version, len(clips), *counts])
    return markdown(lines, n_texts=2)


def counterfactual_tables(rows):
    """Return the table of counterfactual.csv, by title."""
    genres, versions = (dict.fromkeys(row[key] for row in rows) for key in ("genre", "version"))
    lines = [["", "clips", *versions]]
    for genre, limited, schedule in itertools.product(genres, CHAINS, SCHEDULES):
        clips = select(rows, genre=genre, schedule=schedule)
        clips = [row for row in clips if is_full_band(row) != limited]
        if n_clips := len(select(clips, version=UNFILTERED)):
            counts = (len(select(clips, version=v, predicted="metal")) for v in versions)
            lines.append([f"{genre}, {CHAINS[limited]}, {schedule}", n_clips, *counts])
    return {"Clips classified as metal when filled with noise or low-passed": markdown(lines)}


def listening_tables(rows):
    """Return the table of listening.csv, by title: mean and deviation over the models."""
    lines = [["", "models", "clips", "right, %", "same as for the whole clip, %"]]
    for models, version in dict.fromkeys((row["models"], row["version"]) for row in rows):
        each = select(rows, models=models, version=version)
        scores = (summarise(each, key, "n", "{:.1f}", 100) for key in ("right", "same"))
        lines.append([f"{models}, {version}", len(each), each[0]["n"], *scores])
    return {"What the models listen to": markdown(lines)}


def copy_table(title, rows):
    """Return a table of the rows as they are, by its title."""
    return {title: markdown([list(rows[0]), *(row.values() for row in rows)])}
