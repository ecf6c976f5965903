"""What a user may rely on about features.json."""

import json
import os
import shutil

import numpy as np
import pytest
from helpers import FRAMES, GENRES, array_bytes, extract, read_manifest

from common.errors import InputError
from genre_features import manifest
from genre_features.clips import find_clips
from genre_features.frame import FrameSettings
from genre_features.splits import split_clips


def test_manifest_says_what_the_cache_was_made_from_and_with_what(corpus, features, tmp_path):
    tracks, genres = find_clips(corpus)
    dealt, split = split_clips(tracks)
    settings = FrameSettings(frames=FRAMES)
    wanted = manifest.describe(corpus, dealt, genres, split, settings, tmp_path)
    found = read_manifest(features)
    assert found | wanted == found
    files = [file for sources in found["sources"].values() for file in sources]
    assert set(files) == {path.relative_to(corpus).as_posix() for path in corpus.glob("*/*")}
    assert set(found["versions"]) == {"numpy", "soundfile", "soxr"}


def test_hash_of_a_file_changes_with_its_content_and_not_with_its_name(tmp_path):
    for name, content in (("a", b"one"), ("b", b"one"), ("c", b"two")):
        (tmp_path / name).write_bytes(content)
    a, b, c = (manifest.file_digest(tmp_path / name) for name in "abc")
    assert a == b != c


def test_files_that_are_as_they_were_are_not_hashed_again(corpus, tmp_path, monkeypatch):
    audio, cache = tmp_path / "audio", tmp_path / "cache"
    shutil.copytree(corpus, audio)
    extract(audio, cache)
    tracks, genres = find_clips(audio)
    dealt, split = split_clips(tracks)
    changed = audio / tracks[0].file
    changed.write_bytes(changed.read_bytes()[:-2] + b"ab")  # as long as before
    digest, hashed = manifest.file_digest, []
    monkeypatch.setattr(manifest, "file_digest", lambda path: hashed.append(path) or digest(path))
    settings = FrameSettings(frames=FRAMES)
    again = manifest.describe(audio, dealt, genres, split, settings, cache)
    assert hashed == [changed]
    afresh = manifest.describe(audio, dealt, genres, split, settings, tmp_path / "none")
    assert again["sources"] == afresh["sources"]


@pytest.mark.parametrize(
    "damage", [{"stamps": None}, {"stamps": []}, {"stamps": {"train": {"a": 1}}}, {"sources": {}}]
)
def test_damaged_manifest_lets_all_files_be_hashed(features, tmp_path, damage):
    content = read_manifest(features)
    assert manifest.hashed_files(features)
    (tmp_path / manifest.NAME).write_text(json.dumps(content | damage), encoding="utf-8")
    assert manifest.hashed_files(tmp_path) == {}


def test_data_set_with_the_names_sizes_and_dates_of_another_is_told_apart(corpus, tmp_path):
    audio, cache = [tmp_path / "one", tmp_path / "other"], tmp_path / "cache"
    for folder in audio:
        shutil.copytree(corpus, folder)
    for path in audio[1].glob("*/*"):
        header, samples = path.read_bytes()[:44], np.fromfile(path, np.int16, offset=44)
        path.write_bytes(header + samples[::-1].tobytes())
    for folder in audio:
        for path in folder.glob("*/*"):
            os.utime(path, (1e9, 1e9))
    extract(audio[0], cache)
    before = array_bytes(cache)
    stdout, _ = extract(audio[1], cache)
    assert "the audio files have changed" in stdout
    assert array_bytes(cache) != before


def test_files_with_a_new_date_are_hashed_once(corpus, tmp_path, monkeypatch):
    audio, cache, hashed = shutil.copytree(corpus, tmp_path / "audio"), tmp_path / "cache", []
    extract(audio, cache)
    for path in audio.glob("*/*"):
        os.utime(path, (1e9, 1e9))
    digest = manifest.file_digest
    monkeypatch.setattr(manifest, "file_digest", lambda path: hashed.append(path) or digest(path))
    for _ in range(2):
        assert "up to date" in extract(audio, cache)[0]
    assert len(hashed) == 21


def test_file_that_cannot_be_read_is_named_rather_than_left_out(tmp_path):
    with pytest.raises(InputError, match=r"^.*missing can't be read .*take it out$"):
        manifest.file_digest(tmp_path / "missing")


def test_genres_split_settings_and_tracks_are_read_back(features):
    genres, split, settings, tracks = manifest.parse(manifest.read(features))
    assert (genres, split, settings) == (GENRES, "index", FrameSettings(frames=FRAMES))
    assert tracks["test"] == [f"{genre}.00000" for genre in GENRES]


@pytest.mark.parametrize(
    "tracks",
    [
        [],
        {"train": []},
        {"train": "a", "validation": [], "test": []},
        {"train": [0], "validation": [], "test": []},
    ],
)
def test_manifest_whose_tracks_are_no_names_is_refused(features, tracks):
    with pytest.raises((ValueError, KeyError, TypeError)):
        manifest.parse(read_manifest(features) | {"tracks": tracks})
