"""What a user may rely on when asking for the genre of a file."""

import io
import json
import os

import numpy as np
import pytest
import soundfile
from helpers import (
    FRAMES,
    GENRES,
    ROOT,
    assert_one_line,
    make_clip,
    predict,
    read_summary,
    run,
    write_clip,
)

from genre_features.genres import ORIGINAL_GENRES
from genre_lstm.model import GenreLSTM


def test_unseen_clips_get_their_genre_with_probabilities_sorted(weights, tmp_path):
    for genre in GENRES:
        path = tmp_path / f"{genre} é.wav"
        write_clip(path, genre, 77, seconds=2.0, rate=44100)
        (line,), stderr = predict(path, "--weights", weights, "--json")
        prediction = json.loads(line)
        assert f"Using {weights}." in stderr.splitlines()
        assert (prediction["file"], prediction["weights"]) == (str(path), str(weights))
        assert prediction["genre"] == genre == next(iter(prediction["probabilities"]))
        values = list(prediction["probabilities"].values())
        assert values == sorted(values, reverse=True)
        assert sum(values) == pytest.approx(1, abs=1e-5)
        assert prediction["seconds"] == pytest.approx(2.0)


def test_clip_of_a_cache_gets_the_prediction_that_was_scored(trained, corpus):
    summary, weights = read_summary(trained), trained / "weights"
    paths = [corpus / genre / f"{genre}.00000.wav" for genre in GENRES]  # the test subset
    lines, _ = predict(*paths, "--weights", weights / "PiecewiseDecay", "--json")
    genres = [json.loads(line)["genre"] for line in lines]
    confusion = [[int(genre == found) for genre in GENRES] for found in genres]
    assert confusion == summary["test"]["confusion"]
    assert summary["settings"]["frames"] == FRAMES


def test_top_genres_are_printed_and_names_that_a_terminal_cannot_show_are_escaped(
    weights, tmp_path
):
    path = tmp_path / "Björk ☃.wav"
    write_clip(path, "hum", 5, seconds=6)
    (line,), _ = predict(path, "--weights", weights, "--top", 2, encoding="ascii")
    genres = line.partition("Bj\\xf6rk \\u2603.wav: ")[2].partition(" (")[0]
    assert genres.count("%") == 2


def test_any_length_is_classified_and_short_files_are_marked(weights, tmp_path):
    for seconds in (0.02, 2.0, 6.0, 20.0):
        write_clip(tmp_path / "clip.wav", "hum", 5, seconds=seconds)
        (line,), _ = predict(tmp_path, "--weights", weights, "--json")
        prediction = json.loads(line)
        assert prediction["seconds"] == pytest.approx(seconds)
        assert any("shorter than 5 s" in note for note in prediction["notes"]) == (seconds < 5)
        assert (prediction["unlike_training"] is None) == (seconds < 5)


def test_recording_unlike_the_training_clips_is_marked(tmp_path):
    rate, rng = 22050, np.random.default_rng(0)
    time = np.arange(8 * rate) / rate
    sounds = {
        "noise": 0.1 * rng.standard_normal(len(time)),
        "tone": 0.5 * np.sin(2 * np.pi * 440 * time),
        "clicks": 0.5 * (np.arange(len(time)) % 5000 < 20),
    }
    for name, sound in sounds.items():
        soundfile.write(tmp_path / f"{name}.wav", sound, rate)
    for line in predict(tmp_path, "--json")[0]:  # with the shipped weights
        prediction = json.loads(line)
        assert sorted(prediction["probabilities"]) == ORIGINAL_GENRES[6]
        assert prediction["unlike_training"] is True
        assert "unlike the training music" in prediction["notes"][0]


def test_silence_around_the_music_is_left_out(weights, tmp_path, monkeypatch):
    music = make_clip("hum", 5, seconds=6.0)
    rest = np.zeros(22050 * 10)
    for name, signal in (("a", music), ("b", np.concatenate([rest, music, rest])), ("c", rest)):
        soundfile.write(tmp_path / f"{name}.wav", signal, 22050)
    predict_track, n_frames = GenreLSTM.predict, []

    def count(model, features):
        n_frames.append(features.shape[1])
        return predict_track(model, features)

    monkeypatch.setattr(GenreLSTM, "predict", count)
    _, stderr = predict(tmp_path, "--weights", weights, status=2)
    bare, padded = n_frames
    assert bare <= padded <= bare + 2048 / 512  # frames that are silent in part
    assert "c.wav is silent" in stderr


def test_broken_and_too_large_files_are_named_and_the_others_are_classified(
    weights, tmp_path, monkeypatch
):
    (tmp_path / "broken.mp3").write_bytes(b"no audio")
    for seconds in (1, 3):
        write_clip(tmp_path / f"{seconds}.wav", "hum", 5, seconds=seconds)
    predict_track = GenreLSTM.predict

    def allocate(model, features):
        if features.shape[1] > 100:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to ...")
        return predict_track(model, features)

    monkeypatch.setattr(GenreLSTM, "predict", allocate)
    lines, stderr = predict(tmp_path, "--weights", weights, "--jobs", 1, status=2)
    assert len(lines) == 1
    assert "broken.mp3" in stderr
    assert f"{tmp_path / '3.wav'} is too long" in stderr
    assert "2 of 3 files" in stderr


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_default_weights_are_found_beside_the_script_also_through_a_link(corpus, tmp_path):
    (tmp_path / "predict.py").symlink_to(ROOT / "predict.py")
    stdout, stderr = run(tmp_path / "predict.py", corpus / "hum" / "hum.00000.wav", cwd=tmp_path)
    assert f"Using {ROOT / 'weights' / 'reference' / 'improved'}" in stderr
    assert stdout


def test_folders_and_lists_give_one_line_per_file(weights, corpus, tmp_path, monkeypatch):
    folder = corpus / "hum"
    names = sorted(map(str, folder.iterdir()))
    lines, _ = predict(folder, "--weights", weights, "--json", "--jobs", 2)
    assert [json.loads(line)["file"] for line in lines] == names
    listed = io.BytesIO(("\n".join(names[:2]) + "\r\n").encode())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(listed))
    assert predict("-", "--weights", weights, "--json")[0] == lines[:2]
    (tmp_path / "empty").mkdir()
    _, stderr = predict(tmp_path / "empty", "--weights", weights, status=2)
    assert_one_line(stderr, "no audio", "empty")


def test_probabilities_over_time_are_plotted_for_one_file(weights, corpus, tmp_path):
    write_clip(tmp_path / "clip.wav", "hiss", 5, seconds=3.0)
    predict(tmp_path / "clip.wav", "--weights", weights, "--plot", tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    options = ("--weights", weights, "--plot", tmp_path / "other.png")
    _, stderr = predict(corpus / "hum", *options, status=2)
    assert_one_line(stderr, "--plot", "one file")
    assert not (tmp_path / "other.png").exists()
    _, stderr = predict(tmp_path / "clip.wav", "--plot", tmp_path / "plot.jpg", status=2)
    assert ".png, .pdf, .svg" in stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("", "name audio files"),
        ("song.wav --export model.onnx", "name audio files, or a file to --export"),
        ("--export model.onnx --json", "leave out --plot, --json and --output"),
        ("--export model.onnx --output genres.csv", "leave out --plot, --json and --output"),
        ("song.wav --output genres.jsonl --json", "leave out --json and --plot"),
        ("song.wav --output genres.csv --plot song.png", "leave out --json and --plot"),
    ],
)
def test_options_that_exclude_each_other_are_refused(tmp_path, words, remedy):
    _, stderr = run("predict.py", *words.split(), cwd=tmp_path, status=2)
    assert remedy in stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_pattern_that_the_shell_passed_on_is_expanded(weights, corpus):
    lines, _ = predict(corpus / "h*m", "--weights", weights, "--json")
    assert len(lines) == 7
    lines, _ = predict(corpus / "hum" / "*.0000*.wav", "--weights", weights, "--json")
    assert [json.loads(line)["file"] for line in lines] == [str(corpus / "hum" / "hum.00000.wav")]
