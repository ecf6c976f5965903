"""What a user may rely on about the cache of features: loaded, refused, or made anew."""

import os
import shutil

import numpy as np
import pytest
from helpers import (
    assert_one_line,
    extract,
    most_memory,
    read_manifest,
    refuse,
    train,
    write_cache,
    write_manifest,
)

from common.errors import InputError
from common.files import write_json
from genre_features import cache
from genre_features.cache import GenreFeatureData, stale_reason
from genre_features.clips import SUBSETS
from genre_features.frame import N_FEATURES, FrameSettings
from genre_features.genres import ORIGINAL_GENRES


@pytest.mark.parametrize("n_genres", sorted(ORIGINAL_GENRES))
def test_caches_of_the_original_project_load(tmp_path, n_genres):
    write_cache(tmp_path, n_frames=1290, n_genres=n_genres)
    data = GenreFeatureData(tmp_path).load()
    assert data.genres == sorted(ORIGINAL_GENRES[n_genres])
    assert (len(data.genres), data.settings.hop_length) == (n_genres, 512)
    assert list(data.targets["train"]) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("n_frames", "hop_length", "seconds"),
    [(1290, 512, "30.0 s"), (646, 1024, "30.0 s"), (128, 512, "3.0 s"), (700_000, 1, "31.7 s")],
)
def test_assumptions_about_a_cache_without_manifest_are_printed(
    tmp_path, capsys, n_frames, hop_length, seconds
):
    write_cache(tmp_path, n_clips=1, n_frames=n_frames, n_genres=3, dtype=np.float16, random=False)
    data = GenreFeatureData(tmp_path).load()
    assert data.genres == ["genre_0", "genre_1", "genre_2"]
    assert data.settings.hop_length == hop_length
    stderr = capsys.readouterr().err
    assert_one_line(stderr, "genre_0", f"hop of {hop_length} samples", seconds, "--hop-length")


def test_cache_of_a_fork_holds_what_its_user_says(tmp_path, capsys):
    write_cache(tmp_path, n_frames=256, n_genres=2)
    data = GenreFeatureData(tmp_path, genres=["folk", "rock"], hop_length=512).load()
    assert (data.genres, data.settings) == (["folk", "rock"], FrameSettings(frames=256))
    assert capsys.readouterr().err == ""
    with pytest.raises(InputError, match=r"has 2 genres, not 1$"):
        GenreFeatureData(tmp_path, genres=["folk"]).load()


@pytest.mark.parametrize("wrong", [{"genres": ["a", "b", "c"]}, {"hop_length": 1024}])
def test_manifest_is_not_overruled(features, wrong):
    GenreFeatureData(features, genres=["blip", "hiss", "hum"], hop_length=512).load()
    with pytest.raises(InputError, match=r"features\.json says that (genres|hop_length) is"):
        GenreFeatureData(features, **wrong).load()


def test_cache_without_a_test_subset_loads_without_it(features, tmp_path):
    write_cache(tmp_path)
    for path in tmp_path.glob("data_test_*"):
        path.unlink()
    data = GenreFeatureData(tmp_path).load()
    for content in (data.inputs, data.targets, data.tracks, data.checksums):
        assert list(content) == ["train", "validation"]
    output = shutil.copytree(features, tmp_path / "out")
    for path in output.glob("data_test_*"):
        path.unlink()
    with pytest.raises(InputError, match=r"features\.json doesn't fit the arrays"):
        GenreFeatureData(output).load()


def test_class_has_the_methods_and_arrays_of_the_original_project(corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(corpus, "gtzan")
    made, data = GenreFeatureData(), GenreFeatureData()
    made.load_preprocess_data()
    data.load_deserialize_data()
    for x, y, subset in (("train", "train", "train"), ("dev", "dev", "validation")):
        assert (getattr(data, f"{x}_X") == made.inputs[subset]).all()
        assert (getattr(data, f"{y}_Y").argmax(axis=1) == made.targets[subset]).all()
    assert data.test_Y.tolist() == np.eye(3).tolist()
    assert (data.genre_list, data.hop_length) == (["blip", "hiss", "hum"], 512)
    assert data.test_X.shape == (3, data.timeseries_length, N_FEATURES)


@pytest.mark.parametrize("max_bytes", [cache.MAX_IN_MEMORY, 0])
def test_features_that_fit_into_memory_do_not_change_with_their_file(
    tmp_path, monkeypatch, max_bytes
):
    monkeypatch.setattr(cache, "MAX_IN_MEMORY", max_bytes)
    write_cache(tmp_path)
    inputs = GenreFeatureData(tmp_path).load().inputs["train"]
    assert isinstance(inputs, np.memmap) == (not max_bytes)
    before = inputs.copy()
    np.save(tmp_path / "other.npy", np.zeros_like(before))
    shutil.copyfile(tmp_path / "other.npy", tmp_path / "data_train_input.npy")
    assert (inputs == before).all() == bool(max_bytes)


def test_many_genres_take_no_memory_of_their_square(tmp_path):
    write_cache(tmp_path, n_clips=2, n_genres=6)
    for subset in SUBSETS:
        np.save(tmp_path / f"data_{subset}_target.npy", np.eye(2, 10_000, dtype=np.float32))
    assert most_memory(GenreFeatureData(tmp_path).load) < 2**25
    assert len(GenreFeatureData(tmp_path).load().genres) == 10_000


def test_checksums_tell_inputs_apart(tmp_path):
    write_cache(tmp_path)
    before = GenreFeatureData(tmp_path).load().checksums
    inputs = np.load(tmp_path / "data_test_input.npy")
    inputs[-1, -1, -1] += 1
    np.save(tmp_path / "data_test_input.npy", inputs)
    after = GenreFeatureData(tmp_path).load().checksums
    assert [subset for subset in SUBSETS if before[subset] != after[subset]] == ["test"]


def test_tracks_have_their_names_or_else_the_numbers_of_their_rows(features, tmp_path):
    tracks = GenreFeatureData(features).load().tracks
    assert tracks["test"] == ["blip.00000", "hiss.00000", "hum.00000"]
    write_cache(tmp_path)
    assert GenreFeatureData(tmp_path).load().tracks["validation"] == ["0", "1", "2", "3"]


# Caches that fit, or not


def test_reason_to_extract_names_what_changed(features, tmp_path):
    content = {"genres": ["hum"], "sources": {}}
    assert stale_reason(tmp_path, content) == "there are none yet"
    assert stale_reason(features, content) == "genres was ['blip', 'hiss', 'hum'], is now ['hum']"


def test_cache_that_fits_is_kept(corpus, features):
    before = {path: path.stat().st_mtime_ns for path in features.iterdir()}
    stdout, _ = extract(corpus, features)
    assert "up to date" in stdout
    assert {path: path.stat().st_mtime_ns for path in features.iterdir()} == before


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("nan", ["data_validation_input", "NaN"]),
        ("features", ["data_train_input", str(N_FEATURES)]),
        ("clips", ["data_train_target", "(3, 6)"]),
        ("frames", ["differ in frames"]),
        ("one-hot", ["data_test_target", "one-hot"]),
        ("pickle", ["data_test_input.npy", "isn't an array"]),
        ("header", ["data_test_input.npy", "isn't an array"]),
        ("archive", ["data_test_input.npy", "isn't an array"]),
        ("no genres", ["data_test_target", "(4, 0)"]),
        ("missing", ["data_train_target.npy", "GenreFeatureData.py"]),
    ],
)
def test_arrays_that_cannot_be_trained_on_are_refused_in_one_line(tmp_path, damage, words):
    write_cache(tmp_path, dtype=np.float32)
    write_manifest(tmp_path, list("abcdef"))
    if damage == "nan":
        np.save(tmp_path / "data_validation_input.npy", np.full((4, 8, N_FEATURES), np.nan))
    elif damage == "features":
        np.save(tmp_path / "data_train_input.npy", np.zeros((4, 8, N_FEATURES - 1)))
    elif damage == "clips":
        np.save(tmp_path / "data_train_target.npy", np.eye(6)[:3])
    elif damage == "frames":
        np.save(tmp_path / "data_test_input.npy", np.zeros((4, 9, N_FEATURES)))
    elif damage == "one-hot":
        np.save(tmp_path / "data_test_target.npy", np.ones((4, 6)))
    elif damage == "no genres":
        np.save(tmp_path / "data_test_target.npy", np.ones((4, 0)))
    elif damage == "archive":
        np.savez(tmp_path / "archive.npz", np.zeros(3))
        (tmp_path / "archive.npz").rename(tmp_path / "data_test_input.npy")
    elif damage == "header":
        text = b"(" * 5000  # which Python's own parser fails on
        header = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
        (tmp_path / "data_test_input.npy").write_bytes(header)
    elif damage == "pickle":
        np.save(tmp_path / "data_test_input.npy", np.array([{}], dtype=object))
    else:
        (tmp_path / "data_train_target.npy").unlink()
    _, stderr = train("PiecewiseDecay", tmp_path, tmp_path, status=2)
    assert_one_line(stderr, tmp_path, *words)
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize("kind", ["input", "target"])
def test_arrays_of_two_extractions_are_refused_and_a_cache_without_checksums_loads(
    features, tmp_path, kind
):
    output = shutil.copytree(features, tmp_path / "out")
    other = np.roll(np.load(output / f"data_test_{kind}.npy"), 1, axis=0)
    np.save(output / f"data_test_{kind}.npy", other)
    with pytest.raises(InputError, match=r"features.json doesn't fit the arrays"):
        GenreFeatureData(output).load()
    content = read_manifest(output)
    del content["checksums"]
    write_json(output / "features.json", content)
    GenreFeatureData(output).load()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
@pytest.mark.parametrize("name", ["features.json", "data_test_target.npy", "data_test_input.npy"])
def test_fifo_in_the_place_of_a_file_is_refused(corpus, features, tmp_path, name):
    output = shutil.copytree(features, tmp_path / "out")
    (output / name).unlink()
    os.mkfifo(output / name)
    assert_one_line(refuse(corpus, output), f"{name} is a FIFO")
    with pytest.raises(InputError, match=f"{name} is a FIFO"):
        GenreFeatureData(output).load()


@pytest.mark.parametrize(
    "change",
    [
        {"hop_length": 0},
        {"hop_length": float("inf")},
        {"n_fft": -2048},
        {"sample_rate": 10**400},
        {"genres": "abcdef"},
        {"genres": ["a"] * 6},
        {"genres": [0, 1, 2, 3, 4, 5]},
    ],
    ids=" ".join,
)
def test_manifest_with_impossible_values_is_refused_in_one_line(tmp_path, change):
    write_cache(tmp_path)
    write_manifest(tmp_path, **{"genres": list("abcdef")} | change)
    with pytest.raises(InputError, match=r"^.*features.json doesn't fit.*$"):
        GenreFeatureData(tmp_path).load()
