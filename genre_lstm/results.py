"""The files of a training run: curves, scores, predictions, and the weights with their card."""

import numpy as np

from common.errors import escape_controls
from common.files import write_json, write_table
from genre_lstm import plots, weights

HISTORY = ("epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate")

MAX_RECALLS = 10  # on a line of text

# Parts of the model card that are the same for every run.
INTENDED_USE = "research and teaching: comparing recipes, and a first guess at the genre of music"
LIMITS = [
    "any audio, music or not, is given one of the genres trained on",
    "scores are those of clips like the training data's; other collections score lower",
    "probabilities are calibrated on the validation subset alone",
]


def describe(scores):
    """Return the scores of a subset as text: the accuracy, and the recall of up to ten genres."""
    recalls = {genre: recall for genre, recall in scores["recall"].items() if recall is not None}
    lowest = sorted(recalls, key=recalls.get)[:MAX_RECALLS]
    named = ", ".join(f"{escape_controls(genre)} {recalls[genre]:.2f}" for genre in lowest)
    which = "recall" if len(lowest) == len(recalls) else "lowest recall"
    return f"{scores['accuracy']:.1%} ({scores['correct']} of {scores['n']} clips), {which} {named}"


def write_curves(history, folder, title, format):
    """Write history.csv and draw its columns; epochs without validation have empty cells."""
    write_table(folder / "history.csv", HISTORY, history)
    plots.plot_history(history, folder, title, format)


def write_weights(model, settings, summary, folder):
    """Write model.pt, and as its card model.json.

    Parameters
    ----------
    model : GenreLSTM
    settings : FrameSettings
    summary : dict
        See `run.TrainingRun.summarise`.
    folder : pathlib.Path
    """
    about = {key: summary[key] for key in ("schedule", "seed", "genres", "versions")}
    temperature = summary["calibration"]["temperature"]
    weights.save_model(folder / weights.NAME, model, settings, **about, temperature=temperature)
    architecture = {
        "layers": str(model),
        "parameters": sum(tensor.numel() for tensor in model.parameters()),
        "shapes": {name: list(tensor.shape) for name, tensor in model.state_dict().items()},
    }
    card = {"intended_use": INTENDED_USE, "limits": LIMITS, "architecture": architecture}
    write_json(folder / "model.json", {**card, **summary})


def write_scores(summary, answers, tracks, folder, title, format):
    """Write summary.json and predictions.csv, and draw confusion matrices and reliability.

    Parameters
    ----------
    summary : dict
        See `run.TrainingRun.summarise`.
    answers : dict of str to Answers
        The answers to the clips of each subset.
    tracks : dict of str to list of str
        The names of those clips.
    folder : pathlib.Path
    title, format : str
        Of the figures.
    """
    genres, calibration = summary["genres"], summary["calibration"]
    rows = [
        row
        for subset, subset_answers in answers.items()
        for row in predictions(
            subset, tracks[subset], subset_answers, genres, calibration["temperature"]
        )
    ]
    write_table(folder / "predictions.csv", rows[0], rows)
    write_json(folder / "summary.json", summary)
    scores = {subset: summary[subset] for subset in answers}
    plots.plot_confusion(scores, genres, folder / f"confusion_mat.{format}", title)
    plots.plot_reliability(calibration, folder / f"reliability.{format}", title)


def predictions(subset, tracks, answers, genres, temperature):
    """Yield a row of predictions.csv for each clip of a subset, with calibrated probabilities."""
    probabilities = (answers.log_probabilities / temperature).softmax(dim=1).numpy()
    for track, true, shares in zip(tracks, answers.genres.tolist(), probabilities, strict=True):
        yield {
            "track": track,
            "subset": subset,
            "true": genres[true],
            "predicted": genres[np.argmax(shares)],
            **{f"p_{genre}": f"{share:.6f}" for genre, share in zip(genres, shares, strict=True)},
        }
