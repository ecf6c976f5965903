"""The tables about the two recording chains and about what the models listen to, in Markdown."""

import itertools

import numpy as np

from experiments.chains import VERSIONS, is_band_limited
from experiments.compare import mcnemar
from experiments.counterfactual import UNFILTERED, is_full_band
from experiments.plan import PIECEWISE, PLATEAU
from experiments.tables import markdown, select, summarise

SCHEDULES = (PIECEWISE, PLATEAU)
CHAINS = {"band-limited": True, "full band": False}


def chain_tables(rows):
    """Return the tables of chains.csv, by title."""
    full_band = [row for row in rows if not is_band_limited(row)]
    genres = sorted({row["genre"] for row in full_band} - {"metal"})
    names = [f"{what}, {version}" for what in ("metal", "right") for version in VERSIONS]
    lines = [["", "clips", *names[:2], "p (McNemar)", *names[2:]]]
    for genre, schedule in itertools.product(genres, SCHEDULES):
        clips = select(full_band, genre=genre)
        guesses = np.array([[row[f"{schedule}, {v}"] for row in clips] for v in VERSIONS])
        metal, right = guesses == "metal", guesses == genre
        p = f"{mcnemar(*metal)[2]:.1g}"
        lines.append([f"{genre}, {schedule}", len(clips), *metal.sum(1), p, *right.sum(1)])
    title = "Full-band clips of all subsets, low-passed at 9 kHz: predictions of metal"
    return {title: markdown(lines), "Predictions for hiphop": hiphop_table(rows)}


def hiphop_table(rows):
    """Return a table of the predictions for hiphop clips of each chain, trained on or held out."""
    genres = sorted({row["genre"] for row in rows})
    lines = [["", "features", "clips", *genres]]
    groups = itertools.product(CHAINS, ("training", "held out"), SCHEDULES, VERSIONS)
    for chain, subset, schedule, version in groups:
        guesses = [
            row[f"{schedule}, {version}"]
            for row in select(rows, genre="hiphop")
            if is_band_limited(row) == CHAINS[chain]
            and (row["subset"] == "train") == (subset == "training")
        ]
        counts = map(guesses.count, genres)
        lines.append([f"{chain}, {subset}, {schedule}", version, len(guesses), *counts])
    return markdown(lines, n_texts=2)


def counterfactual_tables(rows):
    """Return the table of counterfactual.csv, by title."""
    genres, versions = (dict.fromkeys(row[key] for row in rows) for key in ("genre", "version"))
    lines = [["", "clips", *versions]]
    for genre, chain, schedule in itertools.product(genres, CHAINS, SCHEDULES):
        clips = select(rows, genre=genre, schedule=schedule)
        clips = [row for row in clips if is_full_band(row) != CHAINS[chain]]
        if clips:
            counts = [len(select(clips, version=v, predicted="metal")) for v in versions]
            n_clips = len(select(clips, version=UNFILTERED))
            lines.append([f"{genre}, {chain}, {schedule}", n_clips, *counts])
    return {"Clips classified as metal when their highest band is changed": markdown(lines)}


def auc_tables(rows):
    """Return the table of chain_auc.csv, by title."""
    title = (
        "The recording chain told from the features of unheard artists: area under the ROC curve"
    )
    return {title: markdown([list(rows[0]), *map(dict.values, rows)])}


def listening_tables(rows):
    """Return the table of listening.csv, by title: mean and deviation over the models."""
    lines = [["", "models", "clips", "right, %", "same as for the whole clip, %"]]
    for models, version in dict.fromkeys((row["models"], row["version"]) for row in rows):
        each = select(rows, models=models, version=version)
        scores = (summarise(each, key, "n", "{:.1f}", 100) for key in ("right", "same"))
        lines.append([f"{models}, {version}", len(each), each[0]["n"], *scores])
    return {"What the models listen to": markdown(lines)}


def estimates_tables(rows):
    """Return the table of estimates.csv, by title."""
    return {"Real audio and estimated features": markdown([list(rows[0]), *map(dict.values, rows)])}
