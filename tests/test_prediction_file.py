"""What a user may rely on about the file that predict.py --output writes."""

import itertools
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from crash import ended, start
from helpers import assert_one_line, full_disk, most_memory, predict, read_rows, touch, write_clip

from genre_features import features
from genre_lstm.model import GenreLSTM
from genre_lstm.prediction_file import open_predictions
from genre_lstm.weights import load_models

SUFFIXES = [".jsonl", ".csv"]


@pytest.fixture(scope="module")
def music(corpus, tmp_path_factory):
    """A folder of five clips, some of whose names are hard to write to a table."""
    folder = tmp_path_factory.mktemp("music")
    names = ["a.wav", 'b, "é".wav', "c.wav", "d.wav", "e.wav"]
    if sys.platform.startswith("linux"):  # other systems refuse some of them
        names[2:4] = "c\nd.wav", os.fsdecode(b"d \xff.wav")
    for name, path in zip(names, sorted(corpus.rglob("*.wav"))[::4], strict=False):
        shutil.copy(path, folder / name)
    return folder


@pytest.fixture(scope="module")
def line(music, weights):
    """The words that predict the genre of the music."""
    return [music, "--weights", weights, "--jobs", 1]


@pytest.fixture(scope="module")
def outputs(line, tmp_path_factory):
    """The file of an undisturbed run, by its suffix."""
    paths = {suffix: tmp_path_factory.mktemp("outputs") / f"all{suffix}" for suffix in SUFFIXES}
    for path in paths.values():
        predict(*line, "--output", path)
    return paths


def predict_until(n, *arguments):
    """Run the prediction script; kill this process at the nth file."""
    real, numbers = GenreLSTM.predict, itertools.count(1)

    def predict_or_die(model, features):
        return real(model, features) if next(numbers) < n else os.kill(os.getpid(), signal.SIGKILL)

    GenreLSTM.predict = predict_or_die
    predict(*arguments)


def test_lines_hold_what_json_prints(line, outputs):
    printed, _ = predict(*line, "--json")
    assert outputs[".jsonl"].read_text(encoding="utf-8").splitlines() == printed
    rows = read_rows(outputs[".csv"])
    assert len(rows) == len(printed) == 5
    for row, prediction in zip(rows, map(json.loads, printed), strict=True):
        assert row.pop("notes") == "; ".join(prediction["notes"])
        assert row.pop("unlike_training") == ""  # the clips are too short to judge
        assert float(row.pop("seconds")) == prediction["seconds"]
        for genre, probability in prediction["probabilities"].items():
            assert float(row.pop(f"p_{genre}")) == probability
        if prediction["file"].isprintable():
            assert row["file"] == prediction["file"]
        assert len(row.pop("file").splitlines()) == 1
        assert row == {key: prediction[key] for key in ("genre", "weights", "weights_crc32")}


@pytest.mark.skipif(os.name != "posix", reason="needs fork")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_killed_run_leaves_its_lines_and_the_next_one_continues(line, outputs, tmp_path, suffix):
    output = tmp_path / "new" / f"genres{suffix}"
    assert not ended(start(predict_until, 4, *line, "--output", output))
    assert output.read_bytes().count(b"\n") == 3 + (suffix == ".csv")
    real = GenreLSTM.predict
    with mock.patch.object(GenreLSTM, "predict", autospec=True, side_effect=real) as calls:
        _, stderr = predict(*line, "--output", output)
    assert calls.call_count == 2
    assert "Continuing: 3 of 5 files are there.\n" in stderr
    assert output.read_bytes() == outputs[suffix].read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("n_lines", [0, 1, 4])
def test_part_of_a_line_is_removed_and_its_file_classified_again(
    line, outputs, tmp_path, suffix, n_lines
):
    output, content = tmp_path / f"genres{suffix}", outputs[suffix].read_bytes()
    lines = content.splitlines(keepends=True)
    output.write_bytes(b"".join(lines[:n_lines]) + lines[n_lines][:-1])
    predict(*line, "--output", output)
    assert output.read_bytes() == content


def test_run_that_is_complete_classifies_nothing(line, outputs, monkeypatch):
    content = outputs[".csv"].read_bytes()
    monkeypatch.setattr(GenreLSTM, "predict", None)
    stdout, stderr = predict(*line, "--output", outputs[".csv"])
    assert "Continuing: 5 of 5 files are there." in stderr
    assert stdout == [f"The predictions of 5 files are in {outputs['.csv']}."]
    assert outputs[".csv"].read_bytes() == content


def test_interrupted_run_says_how_to_continue(line, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(GenreLSTM, "predict", interrupt)
    _, stderr = predict(*line, "--output", tmp_path / "genres.csv", status=130)
    assert stderr.splitlines()[-1] == "Stopped. To continue, run the same command again."


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_output_of_other_weights_is_refused_wherever_they_lie(
    music, weights, trained, outputs, tmp_path, suffix
):
    moved = shutil.copytree(weights, tmp_path / "weights")
    output = Path(shutil.copy(outputs[suffix], tmp_path))
    line = [music, "--weights", moved, "--output", output]
    assert "5 of 5 files" in predict(*line)[1]
    shutil.rmtree(moved)
    shutil.copytree(trained / "weights" / "PiecewiseDecay", moved)  # trained again
    _, stderr = predict(*line, status=2)
    assert_one_line(stderr.splitlines()[-1], output, "these weights", "another --output", "delete")
    assert output.read_bytes() == outputs[suffix].read_bytes()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.csv", "file,genre\na.wav,hum\n"),
        ("list.csv", "notes without an end of line"),
        ("list.json", '[{"file": "a.wav"}]\n'),
        ("list.jsonl", '{"file": "a.wav", "genre": "hum"}\n'),
        ("list.jsonl", '{"file": "a.wav"]\n'),
    ],
)
def test_file_that_holds_something_else_is_refused_and_kept(line, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    _, stderr = predict(*line, "--output", tmp_path / name, status=2)
    assert_one_line(stderr.splitlines()[-1], tmp_path / name, "something else", "--output")
    assert (tmp_path / name).read_text() == content


def test_file_that_failed_has_no_line_and_is_tried_again(weights, tmp_path):
    music, output = tmp_path / "music", tmp_path / "genres.csv"
    line = [music, "--weights", weights, "--jobs", 1, "--output", output]
    for name in "ac":
        write_clip(music / f"{name}.wav", "hum", 1)
    (music / "b.wav").write_bytes(b"no audio")
    for _ in range(2):
        _, stderr = predict(*line, status=2)
        assert "b.wav can't be read" in stderr
        assert "1 of 3 files were not classified" in stderr.splitlines()[-1]
    write_clip(music / "b.wav", "hum", 1)
    assert "Continuing: 2 of 3" in predict(*line)[1]
    assert [row["file"][-5] for row in read_rows(output)] == ["a", "c", "b"]


def test_full_disk_prints_one_line_error_and_the_next_run_continues(line, outputs, tmp_path):
    output, content = tmp_path / "genres.jsonl", outputs[".jsonl"].read_bytes()
    with full_disk(len(content) // 2):
        _, stderr = predict(*line, "--output", output, status=2)
    assert_one_line(stderr.splitlines()[-1], output, "make room")
    assert "Continuing: 2 of 5" in predict(*line, "--output", output)[1]
    assert output.read_bytes() == content


def test_second_process_is_refused_while_one_writes(line, weights, tmp_path):
    output = tmp_path / "genres.csv"
    with open_predictions(output, load_models(weights), []):
        _, stderr = predict(*line, "--output", output, status=2)
        assert_one_line(stderr.splitlines()[-1], f"is writing to {output}")
        predict(*line, "--output", tmp_path / "other.csv")


def test_unknown_suffix_is_refused(line, tmp_path):
    _, stderr = predict(*line, "--output", tmp_path / "genres.txt", status=2)
    assert_one_line(stderr.splitlines()[-1], "genres.txt", ".csv, .json, .jsonl")


def test_number_of_files_costs_no_memory(weights, tmp_path, monkeypatch):
    def read(path, _):
        array = np.random.default_rng(0).standard_normal((20_000, 33), np.float32)
        return features.Recording(array, 1000.0, [])

    monkeypatch.setattr(features, "extract_file", read)
    monkeypatch.setattr(GenreLSTM, "predict", lambda *_: torch.zeros(1, 3))
    monkeypatch.setattr("genre_lstm.prediction.is_below_cutoff", lambda *_: False)
    peaks = []
    for n in (2, 12):
        names = [f"{number}.wav" for number in range(n)]
        touch(tmp_path, *names)
        line = [*(tmp_path / name for name in names), "--weights", weights, "--jobs", 1]
        peaks.append(most_memory(predict, *line, "--output", tmp_path / f"{n}.csv"))
    assert peaks[1] < peaks[0] + 20_000 * 33 * 4
