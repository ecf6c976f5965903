"""What a user may rely on when features are extracted, whatever stops it."""

import shutil
from unittest import mock

import numpy as np
import pytest
import soundfile
from helpers import (
    FRAMES,
    GENRES,
    assert_one_line,
    contents,
    extract,
    full_disk,
    read_manifest,
    refuse,
    write_clip,
)

from common.errors import InputError
from genre_features import extraction, manifest
from genre_features.audio import load_signal
from genre_features.cache import GenreFeatureData
from genre_features.clips import Clip
from genre_features.features import extract_features
from genre_features.frame import FEATURE_PARAMS, N_FEATURES, FrameSettings
from genre_features.listing import has_av


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
    content = read_manifest(features)
    assert content["genres"] == GENRES
    for subset, count in {"train": 4, "validation": 2, "test": 1}.items():  # clips a genre
        inputs = np.load(features / f"data_{subset}_input.npy")
        targets = np.load(features / f"data_{subset}_target.npy")
        names = content["tracks"][subset]
        assert inputs.dtype == np.float32
        assert inputs.shape == (len(names), FRAMES, N_FEATURES)
        assert (targets == np.repeat(np.eye(3), count, axis=0)).all()
        assert [GENRES[i] for i in targets.argmax(axis=1)] == [name[:-6] for name in names]
        for row, name in zip(inputs, names, strict=True):
            signal = load_signal(corpus / name[:-6] / f"{name}.wav")
            np.testing.assert_allclose(row, extract_features(signal)[:FRAMES], 1e-4, 1e-3)


def test_manifest_says_what_the_cache_was_made_from_and_with_what(corpus, features):
    content = read_manifest(features)
    assert content["split"] == "index"
    assert content.items() >= FEATURE_PARAMS.items()
    assert list(content["sources"]["train"]) == GENRES
    assert set(manifest.clip_keys(content)) == {
        path.relative_to(corpus).as_posix() for path in corpus.glob("*/*")
    }
    assert set(content["versions"]) == {"numpy", "soundfile", "soxr"}


def test_number_of_jobs_changes_no_byte(corpus, features, tmp_path):
    extract(corpus, tmp_path, "--jobs", 2)
    assert contents(tmp_path) == contents(features)


def test_short_clips_are_repeated_and_long_ones_cut_and_five_of_a_kind_are_named(dataset, tmp_path):
    write_clip(dataset / "hum" / "hum.00031.wav", "hum", 31, seconds=2.5)
    for number in (10, 11, 30, 32, 33):
        write_clip(dataset / "hum" / f"hum.000{number}.wav", "hum", number, seconds=0.5)
    write_clip(dataset / "hum" / "hum.00000.wav", "hum", 0, rate=16000)
    _, stderr = extract(dataset, tmp_path, "--lowpass", 9000)
    assert "Repeated, since shorter than 40 frames: hum/hum.00030.wav, hum/hum.00032.wav" in stderr
    assert "hum/hum.00010.wav, hum/hum.00011.wav.\n" in stderr
    assert stderr.endswith("low-pass of 9000 Hz by their rate: hum/hum.00000.wav.\n")
    inputs, n_frames = np.load(tmp_path / "data_train_input.npy"), 1 + 11025 // 512
    assert inputs.shape == (12, FRAMES, N_FEATURES)
    np.testing.assert_array_equal(inputs[8, n_frames:], inputs[8, : FRAMES - n_frames])


# Broken files


def test_broken_files_are_named_skipped_counted_recorded_and_tried_again(
    dataset, features, tmp_path, extracted
):
    hiss = dataset / "hiss"
    broken = [hiss / f"hiss.000{name}" for name in ("34.wav", "35.mp3", "36.wav", "37.wav")]
    other = {"features.json": None}  # it names them
    for path, content in zip(broken, (b"", b"no audio" * 200), strict=False):
        path.write_bytes(content)
    for path, sample in zip(broken[2:], (np.nan, 1e19), strict=True):
        soundfile.write(path, [sample] * 9999, 22050, "FLOAT")
    for n_extracted in (25, 4):
        extracted.clear()
        _, stderr = extract(dataset, tmp_path / "out")
        assert len(extracted) == n_extracted
        skipped = read_manifest(tmp_path / "out")["skipped"]
        assert list(skipped) == [f"hiss/{path.name}" for path in broken]
        assert all(f"Skipped: {problem}\n" in stderr for problem in skipped.values())
        assert "\nSkipped 4 of 25 files" in stderr
        assert contents(tmp_path / "out") | other == contents(features) | other


def test_clip_that_was_read_in_part_is_extracted_again_once_pyav_is_installed(
    corpus, features, tmp_path, monkeypatch, extracted
):
    output, real = tmp_path / "out", extraction.extract_file

    def read_in_part(path, *arguments):
        found = real(path, *arguments)
        return found._replace(notes=["only a part"]) if path.name == "hum.00030.wav" else found

    with monkeypatch.context() as patch:
        patch.setattr(extraction, "extract_file", read_in_part)
        patch.setattr(manifest, "has_av", lambda: not has_av())
        _, stderr = extract(corpus, output)
    assert stderr.endswith("\nRead in part: hum/hum.00030.wav (only a part).\n")
    extracted.clear()
    assert f"av was {not has_av()}, is now {has_av()}" in extract(corpus, output)[0]
    assert extracted == ["hum.00030.wav"]
    assert contents(output) == contents(features)


@pytest.mark.parametrize(
    ("broken", "message"),
    [("*/*.0001?.wav", "validation subset"), ("hiss/*.wav", "to train on is left of hiss")],
)
def test_broken_files_that_leave_nothing_are_an_error_and_the_old_cache_stays(
    dataset, features, output, broken, message
):
    for path in dataset.glob(broken):
        path.write_bytes(b"")
    assert message in refuse(dataset, output).splitlines()[-1]
    assert contents(output) == contents(features)


def test_file_that_is_gone_is_named_with_the_remedy(tmp_path):
    clips = {"train": [Clip("jazz", "jazz/missing.wav")]}
    with pytest.raises(InputError, match=r"^.*missing.wav can't be read .*take it out$"):
        manifest.make_manifest(tmp_path, clips, ["jazz"], "index", FrameSettings())


# What a run extracts


def test_groups_of_a_table_are_recorded_and_a_changed_table_extracts_nothing(
    corpus, features, tmp_path, extracted
):
    assert "groups" not in read_manifest(features)
    assert GenreFeatureData(features).load().groups == {}
    table, output = tmp_path / "labels.csv", tmp_path / "out"
    files = [path.relative_to(corpus).as_posix() for path in corpus.rglob("*.wav")]
    for n_clips, artist in ((21, "artist"), (0, "band")):
        table.write_text("file,group\n" + "".join(f"{f},{artist} {f[-6]}\n" for f in files))
        extracted.clear()
        assert "up to date" not in extract(corpus, output, "--labels", table)[0]
        assert "up to date" in extract(corpus, output, "--labels", table)[0]
        assert len(extracted) == n_clips
        data = GenreFeatureData(output).load()
        for subset, tracks in data.tracks.items():
            assert data.groups[subset] == [f"{artist} {track[-2]}" for track in tracks]


@pytest.mark.parametrize(
    ("file", "options", "reason", "n_extracted"),
    [
        (None, (), "up to date", 0),
        (None, ("--genres", "hum", "blip"), "genres was ['blip', 'hiss', 'hum'], is now", 0),
        (None, ("--lowpass", 9000), "lowpass was None, is now 9000", 21),
        ("hum.00034.wav", (), "audio files or their genres have changed", 1),  # a new one
        ("hum.00030.wav", (), "audio files or their genres have changed", 1),
    ],
)
def test_only_clips_are_extracted_again_whose_features_may_differ(
    dataset, tmp_path, extracted, file, options, reason, n_extracted
):
    output = tmp_path / "out"
    extract(dataset, output)
    extracted.clear()
    if file:
        write_clip(dataset / "hum" / file, "hum", 99)
    assert reason in extract(dataset, output, *options)[0]
    assert len(extracted) == n_extracted
    # None of the files that others replaced are left.
    assert len(list((output / extraction.CLIPS).glob("*.npz"))) == 21 + (file == "hum.00034.wav")
    extract(dataset, tmp_path / "afresh", *options)
    assert contents(output) == contents(tmp_path / "afresh")
    assert "up to date" in extract(dataset, output, *options)[0]


def test_features_of_another_version_of_the_code_or_another_data_set_are_extracted_again(
    dataset, output, extracted, monkeypatch
):
    for version in (1, -1):
        monkeypatch.setitem(FEATURE_PARAMS, "version", version)
        extracted.clear()
        extract(dataset, output)  # a copy with the same names, sizes and dates
        assert len(extracted) == 21
    assert read_manifest(output)["version"] == -1


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("data_test_input.npy", b"", "damaged"),
        ("features.json", None, "no features.json"),
        ("features.json", b"[" * 100_000, "damaged"),
    ],
)
def test_damaged_cache_is_written_again_without_an_extraction(
    corpus, features, output, extracted, name, content, reason
):
    (output / name).unlink()
    if content is not None:
        (output / name).write_bytes(content)
    assert reason in extract(corpus, output)[0]
    assert contents(output) == contents(features)
    assert not extracted


def test_another_split_costs_no_extraction_and_the_folder_of_clips_may_be_deleted(
    tmp_path, extracted
):
    for number in range(0, 100, 5):
        for genre in ("jazz", "pop"):
            write_clip(tmp_path / "audio" / genre / f"{genre}.{number:05d}.wav", "hum", number)
    extract(tmp_path / "audio", tmp_path / "out")
    stdout, _ = extract(tmp_path / "audio", tmp_path / "out", "--split", "filtered")
    assert "split was index, is now filtered" in stdout
    assert len(extracted) == 40
    shutil.rmtree(tmp_path / "out" / extraction.CLIPS)
    assert "up to date" in extract(tmp_path / "audio", tmp_path / "out", "--split", "filtered")[0]
    extract(tmp_path / "audio", tmp_path / "out")
    assert len(extracted) == 80


@pytest.mark.parametrize("damage", ["nothing", "start", "hole"])  # what is there afterwards
def test_damaged_file_of_a_clip_is_named_and_its_clip_extracted_again(
    corpus, features, output, damage
):
    path = next((output / extraction.CLIPS).glob("*.npz"))
    start, end = path.read_bytes()[:1000], path.read_bytes()[2000:]
    path.write_bytes({"nothing": b"", "start": start, "hole": start + bytes(1000) + end}[damage])
    (output / "features.json").unlink()
    assert_one_line(refuse(corpus, output).splitlines()[-1], path, "damaged: run the same command")
    extract(corpus, output)
    assert contents(output) == contents(features)


# Stopped extractions


def test_stopped_extraction_keeps_the_old_cache_and_what_is_done(
    corpus, features, tmp_path, extracted, after_clips
):
    output = tmp_path / "out"
    extract(corpus, output, "--hop-length", 1024)
    old = contents(output)
    after_clips(5, mock.Mock(side_effect=KeyboardInterrupt))
    _, stderr = extract(corpus, output, status=130)
    assert stderr.splitlines()[-1].startswith("Stopped after 5 of 21 clips")
    assert contents(output) == old
    extracted.clear()
    assert "Continuing: 5 of 21 clips are there.\n" in extract(corpus, output)[0]
    assert len(extracted) == 16
    assert contents(output) == contents(features)


@pytest.mark.parametrize("place", [".", "hum"])
def test_outage_of_the_audio_stops_an_extraction_and_keeps_what_is_done(
    dataset, features, tmp_path, extracted, after_clips, place
):
    output, place = tmp_path / "out", (dataset / place).resolve()
    after_clips(14, lambda: place.rename(tmp_path / "away"))
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


@pytest.mark.parametrize("n_bytes", [3_000, 20_000])  # of a clip, of the arrays
def test_full_disk_ends_an_extraction_in_one_line_and_keeps_the_old_cache(
    corpus, features, tmp_path, n_bytes
):
    output = tmp_path / "out"
    extract(corpus, output, "--hop-length", 1024, "--frames", 10)
    old = contents(output)
    with full_disk(n_bytes):
        stderr = refuse(corpus, output)
    assert_one_line(stderr.splitlines()[-1], output, "make room")
    assert "Traceback" not in stderr
    assert contents(output) == old
    extract(corpus, output)
    assert contents(output) == contents(features)


def test_genre_corrected_in_a_table_reaches_the_targets_and_extracts_nothing(
    corpus, tmp_path, extracted
):
    table, output = tmp_path / "labels.csv", tmp_path / "out"
    rows = [f"hum.000{30 + i}.wav,{'ab'[i % 2]},train" for i in range(4)]
    rows += ["hum.00010.wav,a,validation", "hum.00011.wav,b,validation"]
    for n_clips, genre in ((6, "a"), (0, "b")):
        rows[2] = f"hum.00032.wav,{genre},train"
        table.write_text("\n".join(["file,genre,subset", *rows]))
        extracted.clear()
        extract(corpus, output, "--labels", table)
        assert len(extracted) == n_clips
        data = GenreFeatureData(output).load()
        genres = dict(zip(data.tracks["train"], data.targets["train"], strict=True))
        assert data.genres[genres["hum/hum.00032.wav"]] == genre
        assert "up to date" in extract(corpus, output, "--labels", table)[0]
