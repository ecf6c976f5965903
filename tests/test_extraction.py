"""What a user may rely on when features are extracted, whatever stops it."""

import os
import shutil
from unittest import mock

import numpy as np
import pytest
import soundfile
from helpers import (
    FRAMES,
    GENRES,
    array_bytes,
    assert_one_line,
    contents,
    extract,
    full_disk,
    read_manifest,
    refuse,
    write_clip,
)

from common.errors import InputError
from genre_features import extraction
from genre_features.audio import load_signal
from genre_features.features import extract_features
from genre_features.frame import FEATURE_PARAMS, N_FEATURES


@pytest.fixture
def extracted(monkeypatch):
    """The names of the files that are extracted in this process, in order."""
    names, real = [], extraction.extract_file

    def extract_file(path, settings, max_frames):
        names.append(path.name)
        return real(path, settings, max_frames)

    monkeypatch.setattr(extraction, "extract_file", extract_file)
    return names


@pytest.fixture
def dataset(corpus, tmp_path):
    """A copy of the corpus, to be changed."""
    return shutil.copytree(corpus, tmp_path / "corpus")


def test_cache_holds_float32_sequences_and_one_hot_targets_of_the_named_tracks(corpus, features):
    manifest = read_manifest(features)
    assert manifest["genres"] == GENRES
    for subset, count in {"train": 4, "validation": 2, "test": 1}.items():  # clips a genre
        inputs = np.load(features / f"data_{subset}_input.npy")
        targets = np.load(features / f"data_{subset}_target.npy")
        names = manifest["tracks"][subset]
        assert inputs.dtype == np.float32
        assert inputs.shape == (len(names), FRAMES, N_FEATURES)
        assert (targets == np.repeat(np.eye(3), count, axis=0)).all()
        assert [GENRES[i] for i in targets.argmax(axis=1)] == [name[:-6] for name in names]
        for row, name in zip(inputs, names, strict=True):
            signal = load_signal(corpus / name[:-6] / f"{name}.wav")
            np.testing.assert_allclose(row, extract_features(signal)[:FRAMES], 1e-4, 1e-3)


def test_number_of_jobs_changes_no_byte(corpus, features, tmp_path):
    extract(corpus, tmp_path, "--jobs", 2)
    for path in features.glob("[!.]*"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_short_clips_are_repeated_and_named_and_long_ones_cut(dataset, tmp_path):
    write_clip(dataset / "hum" / "hum.00030.wav", "hum", 30, seconds=0.5)
    write_clip(dataset / "hum" / "hum.00031.wav", "hum", 31, seconds=2.5)
    _, stderr = extract(dataset, tmp_path)
    assert "shorter than 40 frames: hum/hum.00030.wav.\n" in stderr
    inputs, n_frames = np.load(tmp_path / "data_train_input.npy"), 1 + 11025 // 512
    assert inputs.shape == (12, FRAMES, N_FEATURES)
    np.testing.assert_array_equal(inputs[8, n_frames:], inputs[8, : FRAMES - n_frames])


# Broken files


def test_broken_files_are_named_skipped_counted_and_recorded(dataset, features, tmp_path):
    header = (dataset / "hum" / "hum.00030.wav").read_bytes()[:44]
    contents = {"34.wav": b"", "35.wav": b"no audio" * 200, "36.mp3": b"no audio" * 200}
    for name, content in (contents | {"37.wav": header}).items():
        (dataset / "hiss" / f"hiss.000{name}").write_bytes(content)
    for number, sample in ((38, np.nan), (39, 1e19)):
        path = dataset / "hiss" / f"hiss.000{number}.wav"
        soundfile.write(path, [sample] * 9999, 22050, "FLOAT")
    _, stderr = extract(dataset, tmp_path / "out")
    skipped = read_manifest(tmp_path / "out")["skipped"]
    assert [file[5:-4] for file in skipped] == [f"hiss.000{number}" for number in range(34, 40)]
    assert all(f"Skipped: {problem}\n" in stderr for problem in skipped.values())
    assert "\nSkipped 6 of 27 files" in stderr
    assert array_bytes(tmp_path / "out") == array_bytes(features)


@pytest.mark.parametrize(
    ("broken", "message"),
    [("*/*.0001?.wav", "validation subset"), ("hiss/*.wav", "to train on is left of hiss")],
)
def test_broken_files_that_leave_nothing_are_an_error_and_the_old_cache_stays(
    dataset, features, tmp_path, broken, message
):
    output = shutil.copytree(features, tmp_path / "out")
    for path in dataset.glob(broken):
        path.write_bytes(b"")
    assert message in refuse(dataset, output).splitlines()[-1]
    assert contents(output) == contents(features)


# What a run extracts


@pytest.mark.parametrize(
    ("change", "reason", "n_extracted"),
    [
        ("nothing", "up to date", 0),
        ("genres", "genres was ['blip', 'hiss', 'hum'], is now ['hum', 'blip']", 0),
        ("array", "damaged", 0),
        ("manifest", "no features.json", 0),
        ("nested manifest", "damaged", 0),
        ("new file", "audio files have changed", 1),
        ("file", "audio files have changed", 1),
        ("dates", "audio files have changed", 21),
        ("data set", "audio files have changed", 21),  # of the same names, sizes and dates
        ("settings", "lowpass was None, is now 9000", 21),
        ("code", "version was 1, is now -1", 21),
    ],
)
def test_only_clips_are_extracted_again_whose_features_may_differ(
    dataset, tmp_path, extracted, monkeypatch, change, reason, n_extracted
):
    output, options = tmp_path / "out", ()
    extract(dataset, output)
    extracted.clear()
    if change in ("file", "new file"):
        number = 30 if change == "file" else 34
        write_clip(dataset / "hum" / f"hum.000{number}.wav", "hum", 99)
    elif change == "genres":
        options = ("--genres", "hum", "blip")
    elif change == "settings":
        options = ("--lowpass", 9000)
    elif change == "code":
        monkeypatch.setitem(FEATURE_PARAMS, "version", -1)
    elif change == "dates":
        for path in dataset.glob("*/*"):
            os.utime(path, (1e9, 1e9))
    elif change == "data set":
        dataset = shutil.copytree(dataset, tmp_path / "other")
    elif change == "array":
        np.save(output / "data_test_input.npy", np.zeros((1, 2, 3)))
    elif change == "manifest":
        (output / "features.json").unlink()
    elif change == "nested manifest":
        (output / "features.json").write_text("[" * 100_000)
    assert reason in extract(dataset, output, *options)[0]
    assert len(extracted) == n_extracted
    # None of the files that others replaced are left.
    assert len(list((output / extraction.CLIPS).glob("*.npz"))) == 21 + (change == "new file")
    extract(dataset, tmp_path / "afresh", *options)
    assert contents(output) == contents(tmp_path / "afresh")
    assert "up to date" in extract(dataset, output, *options)[0]


def test_another_split_costs_no_extraction(tmp_path, extracted):
    for number in range(0, 100, 5):
        for genre in ("jazz", "pop"):
            write_clip(tmp_path / "audio" / genre / f"{genre}.{number:05d}.wav", "hum", number)
    extract(tmp_path / "audio", tmp_path / "out")
    assert len(extracted) == 40
    stdout, _ = extract(tmp_path / "audio", tmp_path / "out", "--split", "filtered")
    assert "split was index, is now filtered" in stdout
    assert len(extracted) == 40


def test_folder_of_clips_may_be_deleted(dataset, tmp_path, extracted):
    output = tmp_path / "out"
    extract(dataset, output)
    before = contents(output)
    shutil.rmtree(output / extraction.CLIPS)
    extracted.clear()
    assert "up to date" in extract(dataset, output)[0]
    extract(dataset, output, "--genres", "hum", "blip")
    extract(dataset, output)
    assert len(extracted) == 21
    assert contents(output) == before


def test_file_that_could_not_be_read_once_is_tried_again(corpus, features, tmp_path, monkeypatch):
    output, real = tmp_path / "out", extraction.extract_file

    def extract_file(path, settings, max_frames):
        if path.name == "hum.00031.wav":
            raise InputError(f"{path} can't be read as audio: Input/output error")
        return real(path, settings, max_frames)

    monkeypatch.setattr(extraction, "extract_file", extract_file)
    for _ in range(2):
        assert "Skipped 1 of 21 files" in extract(corpus, output)[1]
    monkeypatch.undo()
    extract(corpus, output)
    assert contents(output) == contents(features)


@pytest.mark.parametrize("damage", [b"", bytes(100), b"cut off", None])
def test_damaged_file_of_a_clip_is_named_and_its_clip_extracted_again(
    corpus, features, tmp_path, damage
):
    output = shutil.copytree(features, tmp_path / "out")
    path = next((output / extraction.CLIPS).glob("*.npz"))
    content = path.read_bytes()
    if damage is None:  # zeros where a power cut left nothing
        damage = content[:1000] + bytes(1000) + content[2000:]
    path.write_bytes(content[:1000] if damage == b"cut off" else damage)
    (output / "features.json").unlink()
    assert_one_line(refuse(corpus, output).splitlines()[-1], path, "damaged: run the same command")
    extract(corpus, output)
    assert contents(output) == contents(features)


# Stopped extractions


def parallel_map_and(act, n_done, monkeypatch):
    """Have something done once an extraction has so many clips."""
    real = extraction.parallel_map

    def parallel_map(*arguments):
        for number, outcome in enumerate(real(*arguments)):
            if number == n_done:
                act()
            yield outcome

    monkeypatch.setattr(extraction, "parallel_map", parallel_map)


def test_stopped_extraction_keeps_the_old_cache_and_what_is_done(
    corpus, features, tmp_path, extracted, monkeypatch
):
    output = tmp_path / "out"
    extract(corpus, output, "--hop-length", 1024)
    old = contents(output)
    with monkeypatch.context() as patch:
        parallel_map_and(mock.Mock(side_effect=KeyboardInterrupt), 5, patch)
        _, stderr = extract(corpus, output, status=130)
    assert stderr.splitlines()[-1].startswith("Stopped after 5 of 21 clips")
    assert contents(output) == old
    extracted.clear()
    stdout, _ = extract(corpus, output)
    assert "Continuing: 5 of 21 clips are there." in stdout
    assert len(extracted) == 16
    assert contents(output) == contents(features)


@pytest.mark.parametrize("place", [".", "hum"])
def test_outage_of_the_audio_stops_an_extraction_and_keeps_what_is_done(
    dataset, features, tmp_path, extracted, monkeypatch, place
):
    output, place = tmp_path / "out", (dataset / place).resolve()
    with monkeypatch.context() as patch:
        parallel_map_and(lambda: place.rename(tmp_path / "away"), 14, patch)
        stderr = refuse(dataset, output).splitlines()[-1]
    n_done = len(list((output / extraction.CLIPS).glob("*.npz")))
    assert 0 < n_done < 21
    assert_one_line(stderr, "can't be read any more (No such file", f"{n_done} of 21 clips")
    assert not contents(output)
    (tmp_path / "away").rename(place)
    extracted.clear()
    extract(dataset, output)
    assert len(extracted) == 21 - n_done
    assert contents(output) == contents(features)


def test_clip_for_which_memory_is_short_is_not_skipped(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "extract_file", mock.Mock(side_effect=MemoryError))
    stderr = refuse(corpus, tmp_path / "out").splitlines()[-1]
    assert_one_line(stderr, "can't be read any more (Cannot allocate memory)")


def test_folder_removed_meanwhile_ends_an_extraction_in_one_line(
    corpus, features, tmp_path, monkeypatch
):
    output = tmp_path / "out"
    with monkeypatch.context() as patch:
        parallel_map_and(lambda: output.rename(tmp_path / "other"), 3, patch)
        assert_one_line(refuse(corpus, output).splitlines()[-1], output, "run the same command")
    extract(corpus, output)
    assert contents(output) == contents(features)


@pytest.mark.parametrize("n_bytes", [3_000, 20_000])  # of a clip, of the arrays
def test_full_disk_ends_an_extraction_in_one_line_and_keeps_the_old_cache(
    corpus, features, tmp_path, n_bytes
):
    output = tmp_path / "out"
    extract(corpus, output, "--hop-length", 1024, "--frames", 10)
    old = contents(output)
    with full_disk(n_bytes):
        _, stderr = extract(corpus, output, status=2)
    assert_one_line(stderr.split("\r")[-1].strip().splitlines()[-1], output, "make room")
    assert "Traceback" not in stderr
    assert contents(output) == old
    extract(corpus, output)
    assert contents(output) == contents(features)
