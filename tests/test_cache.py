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
    write_cache,
    write_manifest,
)

from common.errors import InputError
from common.files import write_json
from genre_features import cache
from genre_features.cache import GenreFeatureData
from genre_features.clips import SUBSETS
from genre_features.frame import FEATURE_PARAMS, N_FEATURES
from genre_features.genres import ORIGINAL_GENRES


@pytest.mark.parametrize("n_genres", sorted(ORIGINAL_GENRES))
def test_caches_of_the_original_project_load(tmp_path, n_genres):
    write_cache(tmp_path, n_frames=1290, n_genres=n_genres)
    data = GenreFeatureData(tmp_path).load()
    assert data.genres == sorted(ORIGINAL_GENRES[n_genres])
    assert (len(data.genres), data.settings.hop_length) == (n_genres, 512)
    assert list(data.targets["train"]) == [0, 1, 2, 3]
    assert data.tracks["test"] == ["0", "1", "2", "3"]


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


def test_cache_without_a_test_subset_loads_without_it(output, tmp_path):
    write_cache(tmp_path)
    for path in tmp_path.glob("data_test_*"):
        path.unlink()
    data = GenreFeatureData(tmp_path).load()
    for content in (data.inputs, data.targets, data.tracks, *data.checksums.values()):
        assert list(content) == ["train", "validation"]
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
    assert (data.train_X == made.inputs["train"]).all()
    assert (data.dev_Y.argmax(axis=1) == made.targets["validation"]).all()
    assert data.test_Y.tolist() == np.eye(3).tolist()
    assert (data.genre_list, data.hop_length) == (["blip", "hiss", "hum"], 512)
    assert data.tracks["test"] == ["blip.00000", "hiss.00000", "hum.00000"]
    assert data.test_X.shape == (3, data.timeseries_length, N_FEATURES)


@pytest.mark.parametrize("max_bytes", [cache.MAX_IN_MEMORY, 0])
def test_features_that_fit_into_memory_do_not_change_with_their_file(
    tmp_path, monkeypatch, max_bytes
):
    monkeypatch.setattr(cache, "MAX_IN_MEMORY", max_bytes)
    write_cache(tmp_path)
    inputs = GenreFeatureData(tmp_path).load().inputs["train"]
    before = inputs.copy()
    with (tmp_path / "data_train_input.npy").open("r+b") as file:
        file.seek(-before.nbytes, os.SEEK_END)
        file.write(bytes(before.nbytes))
    assert (inputs == before).all() == bool(max_bytes)


def test_many_genres_take_no_memory_of_their_square(tmp_path):
    write_cache(tmp_path, n_clips=2)
    for subset in SUBSETS:
        np.save(tmp_path / f"data_{subset}_target.npy", np.eye(2, 10_000, dtype=np.float32))
    assert most_memory(GenreFeatureData(tmp_path).load) < 2**25


# Caches that fit, or not


def test_cache_that_fits_is_kept(corpus, features):
    before = {path: path.stat().st_mtime_ns for path in features.iterdir()}
    assert "up to date" in extract(corpus, features)[0]
    assert {path: path.stat().st_mtime_ns for path in features.iterdir()} == before


def test_subsets_of_different_lengths_are_refused(tmp_path):
    write_cache(tmp_path)
    np.save(tmp_path / "data_test_input.npy", np.zeros((4, 9, N_FEATURES)))
    with pytest.raises(InputError, match=r"differ in frames x genres: train 8 x 6,.* test 9 x 6"):
        GenreFeatureData(tmp_path).load()


@pytest.mark.parametrize("kind", ["input", "target"])
def test_arrays_of_two_extractions_are_refused_and_a_cache_without_checksums_loads(output, kind):
    other = np.roll(np.load(output / f"data_test_{kind}.npy"), 1, axis=0)
    np.save(output / f"data_test_{kind}.npy", other)
    with pytest.raises(InputError, match=r"features.json doesn't fit the arrays"):
        GenreFeatureData(output).load()
    content = read_manifest(output)
    del content["checksums"]
    write_json(output / "features.json", content)
    GenreFeatureData(output).load()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
@pytest.mark.parametrize("name", ["features.json", "data_test_target.npy"])
def test_fifo_in_the_place_of_a_file_is_refused(corpus, output, name):
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
        {"sample_rate": 10**400},
        {"genres": "abcdef"},
        {"genres": ["a"] * 6},
        {"genres": [0] * 6},
        {"split": float("nan")},
        {"tracks": "train"},
        {"tracks": {"train": list("abcd")}},
        {"tracks": dict.fromkeys(SUBSETS, "abc")},
        {"groups": ["a", "b"]},
    ],
    ids=str,
)
def test_manifest_with_impossible_values_is_refused(tmp_path, change):
    write_cache(tmp_path)
    write_manifest(tmp_path, **{"genres": list("abcdef")} | change)
    with pytest.raises(InputError, match=r"^.*features.json doesn't fit.*$"):
        GenreFeatureData(tmp_path).load()


def test_features_of_another_version_are_refused_and_extracted_again(corpus, output, monkeypatch):
    monkeypatch.setitem(FEATURE_PARAMS, "version", 2)
    with pytest.raises(InputError, match="features of another version; run GenreFeatureData"):
        GenreFeatureData(output).load()
    assert "version was 1, is now 2" in extract(corpus, output)[0]


@pytest.mark.parametrize(("hop_length", "n"), [(512, 3), (1709, 1), (4096, 1)])
def test_subsampled_frames_are_about_the_given_time_apart(tmp_path, hop_length, n):
    write_cache(tmp_path, n_frames=40)
    data = GenreFeatureData(tmp_path, hop_length=hop_length).load()
    before = data.inputs["train"]
    data.subsample(0.0775)
    assert np.array_equal(data.inputs["train"], before[:, ::n])
    assert data.settings.hop_length == n * hop_length
    assert data.settings.frames == data.inputs["validation"].shape[1] == -(-40 // n)


def test_fork_says_what_its_cache_without_manifest_holds(tmp_path):
    write_cache(tmp_path, n_genres=3)
    data = GenreFeatureData(tmp_path, genres=["a", "b", "c"], hop_length=1024).load()
    assert (data.genres, data.settings.hop_length) == (["a", "b", "c"], 1024)
    for two in (["a", "b"], ["a", "b", "a"]):
        with pytest.raises(InputError, match="has 3 genres, not 2"):
            GenreFeatureData(tmp_path, genres=two).load()
    write_manifest(tmp_path, ["a", "b", "c"])
    with pytest.raises(InputError, match="leave out --genres"):
        GenreFeatureData(tmp_path, genres=["a", "b", "c"]).load()
