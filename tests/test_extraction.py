"""What a user may rely on when features are extracted, whatever stops it."""

import errno
import os
import shutil

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

from common.files import atomic_write, lock_folders
from genre_features import extraction, journal
from genre_features.audio import load_signal
from genre_features.features import extract_clip, extract_features


def test_cache_holds_float32_sequences_and_one_hot_targets_in_genre_order(features):
    counts = {"train": 4, "validation": 2, "test": 1}  # clips a genre
    manifest = read_manifest(features)
    assert manifest["genres"] == GENRES
    for subset, count in counts.items():
        inputs = np.load(features / f"data_{subset}_input.npy")
        targets = np.load(features / f"data_{subset}_target.npy")
        assert inputs.dtype == np.float32
        assert inputs.shape == (3 * count, FRAMES, 33)
        assert (targets == np.repeat(np.eye(3), count, axis=0)).all()
        genres = [name.split(".")[0] for name in manifest["tracks"][subset]]
        assert [GENRES[i] for i in targets.argmax(axis=1)] == genres
        assert manifest["tracks"][subset] == sorted(manifest["tracks"][subset])


def test_rows_are_the_tracks_that_the_manifest_names(corpus, features):
    manifest = read_manifest(features)
    inputs = np.load(features / "data_train_input.npy")
    for row, name in zip(inputs, manifest["tracks"]["train"], strict=True):
        signal = load_signal(corpus / name.split(".")[0] / f"{name}.wav")
        np.testing.assert_allclose(row, extract_features(signal)[:FRAMES], rtol=1e-4, atol=1e-3)


def test_number_of_jobs_changes_no_byte(corpus, features, tmp_path):
    one, two = features, tmp_path / "two"  # of one process, of two
    extract(corpus, two, "--jobs", 2)
    assert array_bytes(one) == array_bytes(two)
    assert (one / "features.json").read_bytes() == (two / "features.json").read_bytes()


def test_short_clips_are_repeated_and_named_and_long_ones_cut(corpus, features, tmp_path):
    dataset = shutil.copytree(corpus, tmp_path / "corpus")
    short, long = dataset / "hum" / "hum.00030.wav", dataset / "hum" / "hum.00031.wav"
    write_clip(short, "hum", 30, seconds=0.5)
    write_clip(long, "hum", 31, seconds=2.5)
    _, stderr = extract(dataset, tmp_path / "out")
    assert "shorter than 40 frames: hum/hum.00030.wav" in stderr
    assert "hum.00031" not in stderr
    inputs = np.load(tmp_path / "out" / "data_train_input.npy")
    n_frames = 1 + 11025 // 512
    assert inputs.shape == np.load(features / "data_train_input.npy").shape
    np.testing.assert_array_equal(inputs[8, n_frames:], inputs[8, : FRAMES - n_frames])


# Broken files


def test_broken_files_are_named_skipped_counted_and_recorded(corpus, features, tmp_path):
    dataset = shutil.copytree(corpus, tmp_path / "corpus")
    broken = {
        "blip/blip.00034.wav": b"",
        "hiss/hiss.00034.wav": b"not audio at all" * 100,
        "hiss/hiss.00035.mp3": b"not audio at all" * 100,
        "hum/hum.00034.wav": (corpus / "hum" / "hum.00030.wav").read_bytes()[:44],
    }
    for file, content in broken.items():
        (dataset / file).write_bytes(content)
    for name, sample in (("00035", np.nan), ("00036", 1e19)):
        broken[f"hum/hum.{name}.wav"] = None
        soundfile.write(dataset / "hum" / f"hum.{name}.wav", [sample] * 9999, 22050, "FLOAT")
    _, stderr = extract(dataset, tmp_path / "out")
    manifest = read_manifest(tmp_path / "out")
    for file in broken:
        assert file in stderr
        assert file in manifest["skipped"]
    assert "\nSkipped 6 of 27 files" in stderr
    assert "exist" not in stderr
    assert array_bytes(tmp_path / "out") == array_bytes(features)


def test_subset_left_empty_by_broken_files_fails_and_keeps_the_old_cache(
    features, corpus, tmp_path
):
    dataset = shutil.copytree(corpus, tmp_path / "corpus")
    output = shutil.copytree(features, tmp_path / "out")
    for genre in GENRES:
        (dataset / genre / f"{genre}.00000.wav").write_bytes(b"")
    stderr = refuse(dataset, output)
    assert "no usable clip is left for the test subset" in stderr.splitlines()[-1]
    assert array_bytes(output) == array_bytes(features)
    assert not list(output.glob(".part-*"))


def test_genre_left_empty_by_broken_files_fails(corpus, tmp_path):
    dataset = shutil.copytree(corpus, tmp_path / "corpus")
    for path in (dataset / "hiss").iterdir():
        path.write_bytes(b"")
    stderr = refuse(dataset, tmp_path / "out")
    assert "hiss" in stderr.splitlines()[-1]
    assert not list((tmp_path / "out").glob("[!.]*"))
    assert not list((tmp_path / "out").glob(".part-*"))


# Stopped extractions


@pytest.fixture
def stop_after(monkeypatch):
    """Return a function that has an extraction stopped with Ctrl-C after so many clips."""

    def stop(n_clips):
        real, left = extraction.parallel_map, iter(range(n_clips))

        def parallel_map(*arguments):
            for found in real(*arguments):
                if next(left, None) is None:
                    raise KeyboardInterrupt
                yield found

        monkeypatch.setattr(extraction, "parallel_map", parallel_map)

    yield stop
    monkeypatch.undo()


def test_stopped_extraction_says_so_keeps_the_old_cache_and_goes_on(
    corpus, features, tmp_path, stop_after, monkeypatch
):
    output = tmp_path / "out"
    extract(corpus, output, "--hop-length", 1024)
    old = contents(output)
    stop_after(5)
    _, stderr = extract(corpus, output, status=130)
    assert stderr.splitlines()[-1].startswith("Stopped after 5 of 21 clips")
    assert contents(output) == old
    monkeypatch.undo()
    extracted = []
    real = extraction.extract_clip
    monkeypatch.setattr(
        extraction, "extract_clip", lambda *call: extracted.append(call) or real(*call)
    )
    extract(corpus, output)
    assert len(extracted) == 16
    assert contents(output) == contents(features)
    assert not list(output.glob(".part-*"))


@pytest.mark.parametrize("change", ["audio", "settings", "array", "journal"])
def test_nothing_is_kept_of_a_stopped_extraction_of_something_else(
    corpus, features, tmp_path, stop_after, monkeypatch, change
):
    output, dataset = tmp_path / "out", tmp_path / "corpus"
    dataset.symlink_to(corpus)
    stop_after(20)
    extract(dataset, output, *["--hop-length", 1024] * (change == "settings"), status=130)
    monkeypatch.undo()
    if change == "audio":
        dataset.unlink()
        paths = sorted(corpus.rglob("*.wav"))
        for path, other in zip(paths, paths[1:] + paths[:1], strict=True):
            copy = dataset / path.relative_to(corpus)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(other.read_bytes())
    if change == "array":
        journal.unfinished(output, "train").write_bytes(b"short")
    if change == "journal":
        (output / journal.NAME).write_text("no journal")
    extract(dataset, output)
    undisturbed = features
    if change == "audio":
        undisturbed = tmp_path / "undisturbed"
        extract(dataset, undisturbed)
    assert contents(output) == contents(undisturbed)


@pytest.mark.parametrize("change", ["moved away", "one folder", "never mounted"])
def test_outage_of_the_audio_stops_an_extraction_and_keeps_what_is_done(
    corpus, features, tmp_path, monkeypatch, change
):
    dataset, output, real = shutil.copytree(corpus, tmp_path / "corpus"), tmp_path / "out", []
    place = dataset / "hum" if change == "one folder" else dataset

    def parallel_map(function, calls, *arguments):
        for n_done, call in enumerate(calls):
            if n_done == 16 and change != "never mounted":
                place.rename(tmp_path / "away")
            path = tmp_path / "elsewhere" if change == "never mounted" else call[0]
            yield from extraction_spread(function, [(path, call[1])], *arguments)

    extraction_spread = extraction.parallel_map
    monkeypatch.setattr(extraction, "parallel_map", parallel_map)
    stderr = refuse(dataset, output).splitlines()[-1]
    n_done = 0 if change == "never mounted" else 16
    assert_one_line(stderr, "can't be read any more (No such file", f"{n_done} of 21 clips")
    assert not contents(output)
    monkeypatch.undo()
    if change != "never mounted":
        (tmp_path / "away").rename(place)
    monkeypatch.setattr(extraction, "extract_clip", lambda *call: real.append(1) or clip(*call))
    clip = extract_clip
    extract(dataset, output)
    assert len(real) == 21 - n_done
    assert contents(output) == contents(features)


def test_clip_for_which_memory_is_short_is_not_skipped(corpus, tmp_path, monkeypatch):
    def extract_clip(*_):
        raise MemoryError

    monkeypatch.setattr(extraction, "extract_clip", extract_clip)
    stderr = refuse(corpus, tmp_path / "out").splitlines()[-1]
    assert_one_line(stderr, "can't be read any more (Cannot allocate memory)")


def test_line_breaks_in_names_are_escaped(corpus, tmp_path):
    dataset = shutil.copytree(corpus, tmp_path / "corpus")
    (dataset / "hum" / "hum\n\x1b.00034.wav").write_bytes(b"no audio")
    stderr = refuse(dataset, tmp_path / "out")
    assert_one_line(stderr, r"hum\n\x1b.00034.wav")


def test_folder_removed_meanwhile_is_noticed_at_the_next_clip(corpus, tmp_path, monkeypatch):
    output, real = tmp_path / "out", extraction.parallel_map

    def parallel_map(*arguments):
        for n_done, outcome in enumerate(real(*arguments)):
            if n_done == 3:
                output.rename(tmp_path / "other")
            yield outcome

    monkeypatch.setattr(extraction, "parallel_map", parallel_map)
    stderr = refuse(corpus, output).splitlines()[-1]
    assert_one_line(stderr, output, "was moved or removed after 3 of 21 clips")


def test_second_extraction_into_a_folder_is_told_who_is_at_work_there(corpus, tmp_path):
    with lock_folders(tmp_path):
        _, stderr = extract(corpus, tmp_path, status=2)
    assert_one_line(stderr, f"process {os.getpid()}", "is writing to", tmp_path)
    assert not contents(tmp_path)


def test_full_disk_ends_an_extraction_in_one_line_and_keeps_the_old_cache(corpus, tmp_path):
    output = tmp_path / "out"
    extract(corpus, output, "--hop-length", 1024)
    old = contents(output)
    with full_disk(20_000):  # less than the features have
        _, stderr = extract(corpus, output, status=2)
    assert_one_line(stderr.split("\r")[-1].strip().splitlines()[-1], "too large")
    assert "Traceback" not in stderr
    assert contents(output) == old


def test_manifest_that_cannot_be_written_leaves_the_old_cache_and_what_was_extracted(
    corpus, features, tmp_path, monkeypatch
):
    output = tmp_path / "out"
    extract(corpus, output, "--hop-length", 1024)
    old = contents(output)

    def write_json(path, content):
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(extraction, "write_json", write_json)
    assert "No space left" in refuse(corpus, output).splitlines()[-1]
    assert contents(output) == old
    monkeypatch.undo()
    monkeypatch.setattr(extraction, "extract_clip", None)  # nothing is extracted again
    extract(corpus, output)
    assert contents(output) == contents(features)
