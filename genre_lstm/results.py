"""The files of a training run: curves, weights, scores and predictions."""

import csv
import platform

import torch

from common.cli import library_versions
from common.errors import escape_controls
from common.files import write_json, write_table
from genre_lstm import calibration, checkpoint, plots, scoring, similarity, weights
from genre_lstm.processes import world_size

HISTORY = ("epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate")

MAX_RECALLS = 10  # on a line of text


def format_scores(scores):
    """Return the scores of a subset as text: the accuracy, and the recall of up to ten genres."""
    recalls = {genre: recall for genre, recall in scores["recall"].items() if recall is not None}
    lowest = sorted(recalls, key=recalls.get)[:MAX_RECALLS]
    named = ", ".join(f"{escape_controls(genre)} {recalls[genre]:.2f}" for genre in lowest)
    title = "recall" if len(lowest) == len(recalls) else "lowest recall"
    return f"{scores['accuracy']:.1%} ({scores['correct']} of {scores['n']} clips), {title} {named}"


def append_history(history, folder):
    """Append the last epoch to history.csv; the first time in a session, write all of it."""
    path = folder / "history.csv"
    is_continued = path.exists() and not (folder / "summary.json").exists() and len(history) > 1
    if not is_continued:
        # The file that says that a run is finished goes first, and comes back last.
        (folder / "summary.json").unlink(missing_ok=True)
        write_table(path, HISTORY, history)
        return
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, HISTORY, lineterminator="\n").writerow(history[-1])


def write_curves(run):
    """Write history.csv and plot its columns; epochs without validation have empty cells."""
    write_table(run.result / "history.csv", HISTORY, run.history)
    plots.plot_history(run.history, run.result, run.title, run.format)


def write_results(run):
    """Score a trained model on every clip, and write all files of its run.

    summary.json, which says that the run is finished, is written last. Then the checkpoint goes.

    Parameters
    ----------
    run : run.TrainingRun

    Returns
    -------
    dict
        The content of summary.json.
    """
    scores, predictions = {}, {}
    for subset in run.data.targets:
        if subset != "train":
            scores[subset], predictions[subset] = scoring.evaluate(run.model, run.data, subset)
    summary = make_summary(run, scores, calibration.calibrate(predictions))
    about = {key: summary[key] for key in ("schedule", "seed", "genres", "versions")}
    temperature = summary["calibration"]["temperature"]
    model, settings = run.model, run.data.settings
    about |= {"temperature": temperature, "reference": similarity.fit_reference(run.data)}
    weights.save_model(run.weights / weights.NAME, model, settings, **about)
    write_curves(run)
    rows = [
        row
        for subset in predictions
        for row in prediction_rows(subset, run.data, predictions[subset], temperature)
    ]
    write_table(run.result / "predictions.csv", rows[0], rows)
    plots.plot_confusion(
        scores, run.data.genres, run.result / f"confusion_mat.{run.format}", run.title
    )
    plots.plot_reliability(
        summary["calibration"], run.result / f"reliability.{run.format}", run.title
    )
    write_json(run.result / "summary.json", summary)
    (run.weights / checkpoint.NAME).unlink(missing_ok=True)
    return summary


def make_summary(run, scores, calibrated):
    """Return the content of summary.json.

    Parameters
    ----------
    run : run.TrainingRun
    scores : dict of str to dict
        Those of each subset; see `scoring.evaluate`.
    calibrated : dict
        See `calibration.calibrate`.
    """
    validated = [row for row in run.history if row["val_loss"] is not None]
    best = max(validated, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
    return {
        **run.config,
        "split": run.data.split,
        "optimizer": type(run.optimizer).__name__,
        "parameters": sum(tensor.numel() for tensor in run.model.parameters()),
        "epochs": run.recipe.epochs,
        "seconds": round(run.seconds, 1),
        "device": run.device,
        "threads": torch.get_num_threads(),
        "processes": world_size(),
        "best_epoch": best["epoch"],
        "best_val_accuracy": best["val_accuracy"],
        "scored_epoch": len(run.history),
        **scores,
        "calibration": calibrated,
        "versions": library_versions("torch", "numpy", "scipy")
        | {"python": platform.python_version()},
    }


def prediction_rows(subset, data, predictions, temperature):
    """Yield a row of predictions.csv for each clip of a subset, with calibrated probabilities."""
    probabilities = (predictions.log_probs / temperature).softmax(dim=1)
    rows = zip(data.tracks[subset], predictions.targets, probabilities, strict=True)
    for track, target, row in rows:
        yield {
            "track": track,
            "subset": subset,
            "true": data.genres[target],
            "predicted": data.genres[row.argmax()],
            **{
                f"p_{genre}": f"{p:.6f}" for genre, p in zip(data.genres, row.tolist(), strict=True)
            },
        }
