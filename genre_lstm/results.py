"""The files of a training run: curves, weights, scores and predictions."""

import platform

import torch

from common.cli import library_versions
from common.errors import escape_controls
from common.files import write_json, write_table
from genre_lstm import calibration, checkpoint, scoring, similarity, weights
from genre_lstm.processes import world_size

HISTORY = ("epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate")

MAX_RECALLS = 10  # on a line of text


def format_scores(scores):
    """Return the scores of a subset as text: accuracies, and the recall of up to ten genres."""
    recalls = {genre: recall for genre, recall in scores["recall"].items() if recall is not None}
    lowest = sorted(recalls, key=recalls.get)[:MAX_RECALLS]
    named = ", ".join(f"{escape_controls(genre)} {recalls[genre]:.2f}" for genre in lowest)
    title = "recall" if len(lowest) == len(recalls) else "lowest recall"
    counts = f"{scores['correct']} of {scores['n']} clips"
    if groups := scores.get("groups"):
        low, high = groups["interval"]
        counts += f"; {groups['accuracy']:.1%} as the mean over {groups['n']} groups, 95% interval "
        counts += f"{100 * low:.0f} to {high:.0%}"
    return f"{scores['accuracy']:.1%} ({counts}), {title} {named}"


def write_history(run):
    """Write history.csv; epochs without validation have empty cells."""
    write_table(run.result / "history.csv", HISTORY, run.history)


def draw_curves(run, names=None):
    """Draw the curves of a run, or those named; see `plots.plot_history`."""
    from genre_lstm import plots  # matplotlib takes half a second, which --help doesn't need

    plots.plot_history(run.history, run.result, run.title, run.format, names)


def write_results(run):
    """Score a trained model on every clip, and write all files of its run.

    summary.json, which says that the run is finished, is written last. Then the checkpoint is
    deleted.

    Parameters
    ----------
    run : run.TrainingRun

    Returns
    -------
    dict
        The content of summary.json.
    """
    from genre_lstm import plots  # as above

    model, data, result = run.model, run.data, run.result
    scores, predictions = score_held_out(model, data)
    summary = make_summary(run, scores, calibration.calibrate(predictions))
    about = {key: summary[key] for key in ("schedule", "seed", "genres", "versions")}
    temperature = summary["calibration"]["temperature"]
    about |= {"temperature": temperature, "reference": similarity.fit_reference(data)}
    weights.save_model(run.weights / weights.NAME, model, data.settings, **about)
    write_history(run)
    draw_curves(run)
    rows = [
        row
        for subset in predictions
        for row in prediction_rows(subset, data, predictions[subset], temperature)
    ]
    write_table(result / "predictions.csv", rows[0], rows)
    path = result / f"confusion_mat.{run.format}"
    plots.plot_confusion(scores, data.genres, path, run.title)
    plots.plot_reliability(summary["calibration"], path.with_stem("reliability"), run.title)
    write_json(result / "summary.json", summary)
    (run.weights / checkpoint.NAME).unlink(missing_ok=True)
    return summary


def score_held_out(model, data):
    """Return the scores and the predictions of the subsets that aren't trained on, as dicts."""
    scores, predictions = {}, {}
    for subset in data.targets:
        if subset != "train":
            score, predicted = scoring.evaluate(model, data, subset)
            if data.groups:
                score["groups"] = scoring.summarise_groups(predicted, data, subset)
            scores[subset], predictions[subset] = score, predicted
    return scores, predictions


def make_summary(run, scores, calibrated):
    """Return the content of summary.json.

    Parameters
    ----------
    run : run.TrainingRun
    scores : dict of str to dict
        Those of each subset; see `scoring.evaluate` and `scoring.summarise_groups`.
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
    tracks = data.tracks[subset]
    probabilities = (predictions.log_probs / temperature).softmax(dim=1)
    groups = data.groups.get(subset, tracks)
    rows = zip(tracks, groups, predictions.targets, probabilities, strict=True)
    for track, group, target, row in rows:
        columns = {"track": track, "subset": subset}
        if data.groups:
            columns["group"] = group
        columns["true"] = data.genres[target]
        columns["predicted"] = data.genres[row.argmax()]
        for genre, probability in zip(data.genres, row.tolist(), strict=True):
            columns[f"p_{genre}"] = f"{probability:.6f}"
        yield columns
