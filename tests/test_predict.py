"""What a user may rely on when asking for the genre of a file."""

import json
import shutil

import pytest
from conftest import FRAMES, GENRES, ROOT, run, train, write_clip

from GenreFeatureData import ORIGINAL_GENRES


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
    assert summary["features"]["frames"] == FRAMES


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


def test_missing_weights_are_said_in_one_line(corpus, tmp_path):
    good = corpus / "hum" / "hum.00000.wav"
    _, stderr = predict(good, "--weights", tmp_path, status=2)
    assert stderr.count("\n") == 1
    assert str(tmp_path) in stderr


def test_weights_can_be_moved_and_need_nothing_beside_them(weights, corpus, tmp_path):
    (tmp_path / "Constant").mkdir()
    shutil.copy(weights / "PiecewiseDecay" / "model.pt", tmp_path / "Constant" / "model.pt")
    path = corpus / "blip" / "blip.00000.wav"
    assert predict(path, "--weights", weights)[0] == predict(path, "--weights", tmp_path)[0]


def test_committed_weights_are_taken_by_default(corpus):
    stdout, _ = run("predict.py", corpus / "hum" / "hum.00000.wav", "--json", cwd=ROOT)
    answer = json.loads(stdout)
    assert answer["weights"].replace("\\", "/").startswith("weights/improved/")
    assert sorted(answer["probabilities"]) == ORIGINAL_GENRES[6]
