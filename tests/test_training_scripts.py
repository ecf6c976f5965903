"""What a user may rely on about the two training scripts, which differ in their schedule alone."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import torch
from helpers import (
    PICTURES,
    ROOT,
    SCHEDULES,
    SHORT,
    read_history,
    run,
    run_module,
    train,
    write_clip,
)

import lstm_genre_classifier_pytorch_PiecewiseDecay as piecewise
import lstm_genre_classifier_pytorch_ReduceLROnPlateau as plateau

# The schedules


@pytest.mark.parametrize("epochs", [10, 25, 1000])
def test_piecewise_rate_is_a_tenth_from_30_percent_and_a_hundredth_from_60_percent(epochs):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([parameter], lr=2.0)
    scheduler = piecewise.make_scheduler(optimizer, epochs)
    rates = []
    for _ in range(epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    expected = [
        2.0 if 10 * done < 3 * epochs else 0.2 if 10 * done < 6 * epochs else 0.02
        for done in range(epochs)
    ]
    assert rates == pytest.approx(expected)


def test_plateau_rate_is_a_tenth_after_ten_validations_without_progress_then_cools_down():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([parameter], lr=2.0)
    scheduler = plateau.make_scheduler(optimizer, 1000)
    rates = []
    for loss in [3.0, 2.0] + [2.0] * 32:
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    # Two that fall, 10 within its patience, the drop, 10 of cooldown, 10 of patience, the next.
    assert rates == pytest.approx([2.0] * 12 + [0.2] * 21 + [0.02])


def test_history_shows_the_schedule_epoch_by_epoch(trained):
    rates = [float(row["learning_rate"]) for row in read_history(trained, "PiecewiseDecay")]
    assert rates == pytest.approx([0.001] * 8 + [0.0001] * 7 + [0.00001] * 10)
    rates = [float(row["learning_rate"]) for row in read_history(trained, "ReduceLROnPlateau")]
    assert rates == pytest.approx([0.001] * 25)  # three validations are within its patience


def test_plateau_is_stepped_once_a_validation_with_the_mean_loss(
    features, tmp_path, monkeypatch, undrawn
):
    losses = []
    step = "torch.optim.lr_scheduler.ReduceLROnPlateau.step"
    monkeypatch.setattr(step, lambda self, loss: losses.append(loss))
    train("ReduceLROnPlateau", features, tmp_path, "--epochs", 21, "--batch-size", 4)
    found = [row["val_loss"] for row in read_history(tmp_path, "ReduceLROnPlateau")]
    assert losses == [float(loss) for loss in found if loss]
    assert len(losses) == 3  # epochs 10 and 20, and the last


def test_run_without_a_schedule_keeps_the_rate_constant(features, tmp_path, undrawn):
    places = ("--weights", tmp_path / "weights", "--result", tmp_path / "result")
    run_module("experiments.constant_rate", "--features", features, *SHORT, *places)
    rates = {row["learning_rate"] for row in read_history(tmp_path, "Constant")}
    assert [float(rate) for rate in rates] == [3e-5]


# What they have in common and where they differ, by their schedule.
SCHEDULE = re.compile(
    r'"""Train the.*?"""'
    r"|def make_scheduler.*?(?=\ndef main)"
    r'|training_run\("\w+"'
    r"| *scheduler = make_scheduler.*?\n|, scheduler(?=\))"
    r"| *if validated:\n| *scheduler.step\(.*?\)\n",
    re.DOTALL,
)


def test_training_scripts_are_equal_but_for_their_schedule():
    paths = [f"lstm_genre_classifier_pytorch_{schedule}.py" for schedule in SCHEDULES]
    paths.append("experiments/constant_rate.py")
    texts = [(ROOT / path).read_text(encoding="utf-8") for path in paths]
    assert all(text.count("\n") < 70 for text in texts)
    rests = {re.sub(r"\s+", " ", SCHEDULE.sub("", text)) for text in texts}
    assert len(rests) == 1
    assert "train_epoch(model, optimizer, data)" in rests.pop()


def test_run_computes_no_gradient_and_steps_nothing():
    text = (ROOT / "genre_lstm" / "run.py").read_text(encoding="utf-8")
    assert not re.findall(r"backward|\.step\(|isinstance|lr_scheduler|LambdaLR|Plateau", text)


# Where they write


@pytest.fixture(scope="module")
def by_default(features, tmp_path_factory):
    """Folders in which PiecewiseDecay was run without names of folders, and what it printed."""
    found = {}
    for options in ((), ("--recipe", "improved"), ("--demo",)):
        folder = tmp_path_factory.mktemp("default")
        place = folder / "gtzan" / "demo" if "--demo" in options else folder / "gtzan"
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(features, target_is_directory=True)
        line = ("lstm_genre_classifier_pytorch_PiecewiseDecay.py", *options)
        found[options] = folder, run(*line, "--epochs", 1, "--device", "cpu", cwd=folder)[0]
    return found


@pytest.mark.parametrize(
    ("options", "place"), [((), "."), (("--recipe", "improved"), "improved"), (("--demo",), "demo")]
)
def test_every_recipe_and_the_demo_are_written_to_places_of_their_own(by_default, options, place):
    folder, _ = by_default[options]
    written = {path.relative_to(folder) for path in folder.rglob("*") if path.name != ".lock"}
    written = {path.as_posix() for path in written if not (folder / path).is_dir()}
    weights = {"model.pt", "model.json", "checkpoint.pt"}
    results = {"history.csv", "summary.json", "predictions.csv", *PICTURES}
    assert written == {
        *((Path("weights", place, "PiecewiseDecay", name)).as_posix() for name in weights),
        *((Path("result", place, "PiecewiseDecay", name)).as_posix() for name in results),
    }


def test_last_line_says_how_to_predict_with_the_weights(by_default, tmp_path):
    write_clip(tmp_path / "song.mp3", "hum", 3)
    for folder, stdout in by_default.values():
        shutil.copytree(folder / "weights", tmp_path / "weights", dirs_exist_ok=True)
        line = stdout.splitlines()[-1]
        python, script, song, *words = shlex.split(line.partition("Next: ")[2])
        assert (python, script, song) == ("python", "predict.py", "song.mp3")
        answer, stderr = run(script, song, *words, cwd=tmp_path)
        assert answer.startswith("song.mp3: ")
        used = Path(words[-1], "model.pt")
        assert f"Using {used}." in stderr
        assert (folder / used).exists()
