"""What a user may rely on when asking for the genre of a file."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import soundfile
import torch
from conftest import FRAMES, GENRES, ROOT, assert_one_line, make_clip, run, train, write_clip

from genre_features import audio
from genre_features.audio import load_signal
from genre_features.features import extract_features, extract_file
from genre_features.frame import FrameSettings
from genre_features.genres import ORIGINAL_GENRES
from genre_lstm.prediction import classify
from genre_lstm.weights import load_model


@pytest.fixture(scope="module")
def weights(features, tmp_path_factory):
    """Weights of the improved recipe, trained on the tiny corpus."""
    folder = tmp_path_factory.mktemp("predict")
    options = ("--recipe", "improved", "--epochs", 20, "--batch-size", 6, "--crop", 0.5)
    train("PiecewiseDecay", features, folder, *options)
    return folder / "weights"


def predict(*arguments, status=0):
    stdout, stderr = run("predict.py", *arguments, status=status)
    return stdout.splitlines(), stderr


def test_unseen_clips_get_their_genre_with_probabilities_sorted(weights, tmp_path):
    paths = []
    for genre in GENRES:
        paths.append(tmp_path / f"{genre} é.wav")
        write_clip(paths[-1], genre, 77, seconds=2.0, rate=44100)
    lines, _ = predict(*paths, "--weights", weights, "--json")
    assert len(lines) == 3
    for genre, path, line in zip(GENRES, paths, lines, strict=True):
        answer = json.loads(line)
        assert answer["file"] == str(path)
        assert answer["genre"] == genre == next(iter(answer["probabilities"]))
        values = list(answer["probabilities"].values())
        assert values == sorted(values, reverse=True)
        assert sum(values) == pytest.approx(1, abs=1e-5)
        assert answer["seconds"] == pytest.approx(2.0)


def test_clip_of_a_cache_gets_the_answer_that_scoring_gave_it(trained, corpus):
    summary = json.loads((trained / "result/PiecewiseDecay/summary.json").read_text())
    paths = [corpus / genre / f"{genre}.00000.wav" for genre in GENRES]  # the test part
    lines, _ = predict(*paths, "--weights", trained / "weights", "--json")
    genres = [json.loads(line)["genre"] for line in lines]
    confusion = [[int(genre == found) for genre in GENRES] for found in genres]
    assert confusion == summary["test"]["confusion"]
    assert summary["settings"]["frames"] == FRAMES


def test_top_says_how_many_genres_are_printed(weights, corpus):
    path = corpus / "hum" / "hum.00000.wav"
    (line,), _ = predict(path, "--weights", weights, "--top", 2)
    assert line.startswith(f"{path}: ")
    assert line.count("%") == 2


@pytest.mark.parametrize("seconds", [0.02, 0.3, 20.0])
def test_any_length_is_classified(weights, tmp_path, seconds):
    write_clip(tmp_path / "clip.wav", "hiss", 5, seconds=seconds)
    (line,), _ = predict(tmp_path / "clip.wav", "--weights", weights, "--json")
    assert json.loads(line)["seconds"] == pytest.approx(seconds)


def test_broken_file_is_named_and_the_others_are_classified(weights, corpus, tmp_path):
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"no audio")
    good = corpus / "hum" / "hum.00000.wav"
    lines, stderr = predict(broken, good, "--weights", weights, status=2)
    assert len(lines) == 1
    assert "broken.mp3" in stderr
    assert "1 of 2 files" in stderr


def test_folders_and_lists_are_gone_through_and_each_file_answered_once(
    weights, corpus, tmp_path, monkeypatch
):
    folder = corpus / "hum"
    names = sorted(map(str, folder.iterdir()))
    lines, _ = predict(folder, "--weights", weights, "--json", "--jobs", 2)
    assert [json.loads(line)["file"] for line in lines] == names
    listed = io.BytesIO(("\n".join(names[:2]) + "\r\n").encode())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(listed))
    listed, _ = predict("-", "--weights", weights, "--json")
    assert listed == lines[:2]
    (tmp_path / "empty").mkdir()
    _, stderr = predict(tmp_path / "empty", "--weights", weights, status=2)
    assert_one_line(stderr, "no audio", "empty")


@pytest.mark.parametrize(("hop_length", "rate"), [(512, 22050), (1709, 44100), (3000, 48000)])
def test_features_of_a_long_file_are_those_of_the_whole_signal(
    hop_length, rate, tmp_path, monkeypatch
):
    monkeypatch.setattr(audio, "BLOCK_SECONDS", 2)
    clips = [make_clip(genre, 3, seconds=2.3, rate=rate) for genre in GENRES]
    # Louder from clip to clip, and never silent: a band of rounding errors has no contrast.
    loud = np.repeat([0.1, 0.3, 1.0], [len(clip) for clip in clips])
    noise = 1e-3 * np.random.default_rng(0).standard_normal(len(loud))
    soundfile.write(tmp_path / "long.wav", loud * np.concatenate(clips) + noise, rate, "FLOAT")
    settings = FrameSettings(hop_length=hop_length)
    features, seconds = extract_file(tmp_path / "long.wav", settings)
    whole = extract_features(load_signal(tmp_path / "long.wav"), settings)
    assert seconds == pytest.approx(6.9, abs=hop_length / 22050)
    # The highest band of resampled audio holds next to nothing at its upper end.
    columns = slice(0, 32) if rate != 22050 else slice(0, 33)
    np.testing.assert_allclose(features[:, columns], whole[:, columns], rtol=1e-3, atol=1e-3)


def test_probabilities_over_time_are_drawn_for_one_file(weights, corpus, tmp_path):
    write_clip(tmp_path / "clip.wav", "hiss", 5, seconds=3.0)
    predict(tmp_path / "clip.wav", "--weights", weights, "--plot", tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    options = ("--weights", weights, "--plot", tmp_path / "other.png")
    _, stderr = predict(corpus / "hum", *options, status=2)
    assert_one_line(stderr, "--plot", "one file")
    assert not (tmp_path / "other.png").exists()


def test_temperature_of_the_weights_softens_or_sharpens_the_answer(weights, corpus, tmp_path):
    saved = torch.load(weights / "PiecewiseDecay" / "model.pt", weights_only=True)
    (tmp_path / "Constant").mkdir()
    shares = []
    for temperature in (0.5, 1.0, 4.0):
        torch.save(saved | {"temperature": temperature}, tmp_path / "Constant" / "model.pt")
        (line,), _ = predict(corpus / "hum" / "hum.00000.wav", "--weights", tmp_path, "--json")
        shares.append(max(json.loads(line)["probabilities"].values()))
    assert shares[0] > shares[1] > shares[2]


@pytest.mark.parametrize("n_frames", [7, FRAMES, 3 * FRAMES + 11])
def test_exported_model_answers_as_the_weights_do_at_any_length(weights, tmp_path, n_frames):
    predict("--export", tmp_path / "model.onnx", "--weights", weights)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    model, saved = load_model(weights / "PiecewiseDecay" / "model.pt")
    assert json.loads(session.get_modelmeta().custom_metadata_map["genres"]) == GENRES
    features = np.random.default_rng(0).standard_normal((n_frames, 33)).astype(np.float32)
    (found,) = session.run(["probabilities"], {"features": features[None]})
    answer = classify(model, saved, features)
    np.testing.assert_allclose(found[0], [answer[genre] for genre in GENRES], atol=1e-4)


def test_names_that_a_terminal_cannot_show_do_no_harm(weights, tmp_path):
    write_clip(tmp_path / "Björk ☃.wav", "hum", 5)
    command = [sys.executable, "predict.py", tmp_path / "Björk ☃.wav", "--weights", weights]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Bj\\xf6rk \\u2603.wav: " in done.stdout


def test_missing_weights_are_said_in_one_line(corpus, tmp_path):
    good = corpus / "hum" / "hum.00000.wav"
    _, stderr = predict(good, "--weights", tmp_path, status=2)
    assert_one_line(stderr, tmp_path)


def test_weights_can_be_moved_and_need_nothing_beside_them(weights, corpus, tmp_path):
    (tmp_path / "Constant").mkdir()
    shutil.copy(weights / "PiecewiseDecay" / "model.pt", tmp_path / "Constant" / "model.pt")
    path = corpus / "blip" / "blip.00000.wav"
    assert predict(path, "--weights", weights)[0] == predict(path, "--weights", tmp_path)[0]


def test_committed_weights_are_taken_by_default(corpus):
    stdout, _ = run("predict.py", corpus / "hum" / "hum.00000.wav", "--json", cwd=ROOT)
    answer = json.loads(stdout)
    assert Path(answer["weights"]).is_relative_to(ROOT / "weights" / "reference" / "improved")
    assert sorted(answer["probabilities"]) == ORIGINAL_GENRES[6]
