"""What a user may rely on about the cache of features: loaded, refused, or made anew."""

import os
import shutil

import numpy as np
import pytest
from helpers import (
    array_bytes,
    assert_one_line,
    extract,
    most_memory,
    read_manifest,
    refuse,
    train,
    write_cache,
    write_clip,
    write_manifest,
)

from common.errors import InputError
from common.files import write_json
from genre_features.cache import GenreFeatureData, stale_reason
from genre_features.clips import SUBSETS
from genre_features.genres import ORIGINAL_GENRES


@pytest.mark.parametrize("n_genres", sorted(ORIGINAL_GENRES))
def test_caches_of_the_original_project_load(tmp_path, n_genres):
    write_cache(tmp_path, n_frames=1290, n_genres=n_genres)
    data = GenreFeatureData(tmp_path).load()
    assert data.genres == ORIGINAL_GENRES[n_genres]
    assert len(data.genres) == n_genres
    assert data.genres == sorted(data.genres)
    assert data.settings.hop_length == 512
    assert list(data.targets["train"]) == [0, 1, 2, 3]


def test_unknown_genre_count_without_manifest_gets_placeholder_names(tmp_path, capsys):
    write_cache(tmp_path, n_genres=3)
    assert GenreFeatureData(tmp_path).load().genres == ["genre_0", "genre_1", "genre_2"]
    assert "genre_0" in capsys.readouterr().err


def test_clips_of_hours_without_manifest_get_a_hop_of_one_sample(tmp_path):
    data = GenreFeatureData(tmp_path)
    data.targets = {subset: [] for subset in SUBSETS}
    data.guess_manifest(10**6, 6)
    assert data.settings.hop_length == 1


def test_clips_of_128_frames_without_manifest_are_taken_for_3_seconds(tmp_path, capsys):
    write_cache(tmp_path, n_frames=128)
    data = GenreFeatureData(tmp_path).load()
    assert data.settings.hop_length == 512
    assert_one_line(capsys.readouterr().err, "3-s clips", "hop of 512")


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


# Caches that no longer fit


def test_reason_to_extract_is_told_apart_from_none(features, tmp_path):
    wanted = {"genres": ["hum"], "sources": {}}
    assert stale_reason(tmp_path, wanted) == "there are none yet"
    assert stale_reason(features, wanted) == "genres was ['blip', 'hiss', 'hum'], is now ['hum']"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("setting", "hop_length was 512, is now 1024"),
        ("genres", "genres was"),
        ("split", "split was"),
        ("file", "audio files have changed"),
        ("new file", "audio files have changed"),
        ("array", "damaged"),
        ("manifest", "no features.json"),
        ("nested manifest", "damaged"),
    ],
)
def test_cache_is_rebuilt_and_says_why_when_it_no_longer_fits(
    corpus, features, tmp_path, change, reason
):
    dataset = shutil.copytree(corpus, tmp_path / "corpus")
    output = shutil.copytree(features, tmp_path / "out")
    options = ()
    if change == "setting":
        options = ("--hop-length", 1024, "--frames", 20)
    elif change == "genres":
        options = ("--genres", "blip", "hum")
    elif change == "split":
        for path in dataset.rglob("*.wav"):  # without numbers: dealt by seed
            path.rename(path.with_stem(path.stem.replace(".", " ")))
    elif change == "file":
        write_clip(dataset / "hum" / "hum.00030.wav", "hum", 99)
    elif change == "new file":
        write_clip(dataset / "hum" / "hum.00034.wav", "hum", 34)
    elif change == "array":
        np.save(output / "data_test_input.npy", np.zeros((1, 2, 3)))
    elif change == "nested manifest":
        (output / "features.json").write_text("[" * 100_000)
    else:
        (output / "features.json").unlink()
    stdout, _ = extract(dataset, output, *options)
    assert reason in stdout
    extract(dataset, tmp_path / "afresh", *options)
    assert array_bytes(output) == array_bytes(tmp_path / "afresh")


def test_cache_that_fits_is_kept(corpus, features):
    before = {path: path.stat().st_mtime_ns for path in features.iterdir()}
    stdout, _ = extract(corpus, features)
    assert "up to date" in stdout
    assert {path: path.stat().st_mtime_ns for path in features.iterdir()} == before


# Caches that cannot be used


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("nan", ["data_validation_input", "NaN"]),
        ("features", ["data_train_input", "33"]),
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
        np.save(tmp_path / "data_validation_input.npy", np.full((4, 8, 33), np.nan))
    elif damage == "features":
        np.save(tmp_path / "data_train_input.npy", np.zeros((4, 8, 32)))
    elif damage == "clips":
        np.save(tmp_path / "data_train_target.npy", np.eye(6)[:3])
    elif damage == "frames":
        np.save(tmp_path / "data_test_input.npy", np.zeros((4, 9, 33)))
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


def test_manifest_of_an_interrupted_extraction_is_refused(features, tmp_path):
    output = shutil.copytree(features, tmp_path / "out")
    (output / "features.json").write_text('{"complete": false}')
    _, stderr = train("PiecewiseDecay", output, tmp_path, status=2)
    assert_one_line(stderr, "features.json", "GenreFeatureData.py")


@pytest.mark.parametrize("kind", ["input", "target"])
def test_parts_of_two_extractions_are_refused_and_caches_without_checksums_load(
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
def test_fifo_in_the_place_of_a_file_is_said_to_be_one(corpus, features, tmp_path, name):
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
