"""What a user may rely on when features are extracted and cached."""

import collections
import contextlib
import json
import shutil
import tracemalloc

import librosa
import numpy as np
import pytest
import soundfile
from conftest import (
    FRAMES,
    GENRES,
    assert_one_line,
    extract,
    make_clip,
    make_corpus,
    run,
    train,
    write_clip,
)

from genre_features.audio import load_signal
from genre_features.cache import GenreFeatureData
from genre_features.features import extract_features
from genre_features.frame import COLUMNS, SAMPLE_RATE, FrameSettings
from genre_features.genres import ORIGINAL_GENRES
from genre_features.splits import read_filtered_split, read_groups, split_tracks
from genre_features.tracks import PARTS, Track, find_tracks
from plumbing.inputs import InputError


def refuse(dataset, output, *arguments):
    """Run the feature script on bad input; return what it says on stderr."""
    return extract(dataset, output, *arguments, status=2)[1]


def array_bytes(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("data_*.npy"))}


def most_memory(function, *arguments):
    """Return the most bytes that a function holds, whether it ends well or in an InputError."""
    tracemalloc.start()
    try:
        with contextlib.suppress(InputError):
            function(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def write_cache(folder, n_clips=4, n_frames=8, n_genres=6, dtype=np.float64):
    """Write a cache as the original project did: no manifest."""
    random = np.random.default_rng(0)
    for part in PARTS:
        inputs = random.standard_normal((n_clips, n_frames, 33)).astype(dtype)
        targets = np.eye(n_genres)[np.arange(n_clips) % n_genres]
        np.save(folder / f"data_{part}_input.npy", inputs)
        np.save(folder / f"data_{part}_target.npy", targets)


# The numbers


@pytest.mark.filterwarnings("ignore:Trying to estimate tuning")
@pytest.mark.parametrize("genre", GENRES)
@pytest.mark.parametrize("hop_length", [512, 1709])
def test_features_equal_librosas_functions_called_one_by_one(genre, hop_length):
    signal = make_clip(genre, 0, seconds=3.0).astype(np.float32)
    options = {"y": signal, "sr": SAMPLE_RATE, "hop_length": hop_length}
    expected = {
        "mfcc": librosa.feature.mfcc(n_mfcc=13, **options),
        "spectral_centroid": librosa.feature.spectral_centroid(**options),
        "chroma": librosa.feature.chroma_stft(**options),
        "spectral_contrast": librosa.feature.spectral_contrast(**options),
    }
    found = extract_features(signal, FrameSettings(hop_length=hop_length))
    assert found.dtype == np.float32
    assert found.shape == (1 + len(signal) // hop_length, 33)
    for kind, columns in COLUMNS.items():
        np.testing.assert_allclose(
            # An MFCC near zero is a sum of 128 levels that cancel, but for rounding.
            found[:, columns].T,
            expected[kind],
            rtol=1e-4,
            atol=1e-5,
            err_msg=kind,
        )


def test_any_rate_and_channel_count_is_brought_to_mono_at_22050_hz(tmp_path):
    signal = make_clip("hum", 0, rate=44100)
    soundfile.write(tmp_path / "stereo.flac", np.stack([signal, signal], axis=1), 44100)
    soundfile.write(tmp_path / "mono.wav", make_clip("hum", 0), 22050, subtype="FLOAT")
    stereo, mono = load_signal(tmp_path / "stereo.flac"), load_signal(tmp_path / "mono.wav")
    assert stereo.shape == mono.shape == (22050,)
    # Both hold the same tone; only their noise was drawn at different rates.
    assert np.corrcoef(stereo, mono)[0, 1] > 0.99


# The cache


def test_cache_holds_float32_sequences_and_one_hot_targets_in_genre_order(features):
    counts = {"train": 4, "validation": 2, "test": 1}  # clips a genre
    manifest = json.loads((features / "features.json").read_text(encoding="utf-8"))
    assert manifest["genres"] == GENRES
    for part, count in counts.items():
        inputs = np.load(features / f"data_{part}_input.npy")
        targets = np.load(features / f"data_{part}_target.npy")
        assert inputs.dtype == np.float32
        assert inputs.shape == (3 * count, FRAMES, 33)
        assert (targets == np.repeat(np.eye(3), count, axis=0)).all()
        genres = [name.split(".")[0] for name in manifest["tracks"][part]]
        assert [GENRES[i] for i in targets.argmax(axis=1)] == genres
        assert manifest["tracks"][part] == sorted(manifest["tracks"][part])


def test_rows_are_the_tracks_that_the_manifest_names(corpus, features):
    manifest = json.loads((features / "features.json").read_text(encoding="utf-8"))
    inputs = np.load(features / "data_train_input.npy")
    for row, name in zip(inputs, manifest["tracks"]["train"], strict=True):
        signal = load_signal(corpus / name.split(".")[0] / f"{name}.wav")
        np.testing.assert_allclose(row, extract_features(signal)[:FRAMES], rtol=1e-4, atol=1e-3)


def test_number_of_jobs_changes_no_byte(corpus, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    extract(corpus, one, "--jobs", 1)
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
    data.targets = {part: [] for part in PARTS}
    data.guess_manifest(10**6, 6)
    assert data.settings.hop_length == 1


def test_many_genres_take_no_memory_of_their_square(tmp_path):
    write_cache(tmp_path, n_clips=2, n_genres=6)
    for part in PARTS:
        np.save(tmp_path / f"data_{part}_target.npy", np.eye(2, 10_000, dtype=np.float32))
    assert most_memory(GenreFeatureData(tmp_path).load) < 2**25
    assert len(GenreFeatureData(tmp_path).load().genres) == 10_000


# The splits


def test_index_split_goes_by_track_number(tmp_path):
    for number in (0, 9, 10, 29, 30, 99):
        path = tmp_path / "genres_original" / "jazz" / f"jazz.{number:05d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    dealt, _ = split_tracks(find_tracks(tmp_path)[0])
    found = {part: [track.number for track in tracks] for part, tracks in dealt.items()}
    assert found == {"test": [0, 9], "validation": [10, 29], "train": [30, 99]}


def test_originals_layout_is_split_by_folder(tmp_path):
    for part, number in (("train", 0), ("validation", 50), ("test", 99)):
        for genre in ("pop", "jazz"):
            path = tmp_path / f"_{part}" / f"{genre}.{number:05d}.au"
            path.parent.mkdir(exist_ok=True)
            path.touch()
    tracks, genres = find_tracks(tmp_path)
    dealt, _ = split_tracks(tracks)
    assert genres == ["jazz", "pop"]
    assert [track.name for track in dealt["validation"]] == ["jazz.00050", "pop.00050"]
    assert {track.number for track in dealt["test"]} == {99}


def test_files_without_numbers_are_dealt_70_20_10_in_every_genre_and_repeatably(tmp_path):
    for genre in ("Ñandú", "two words"):
        for number in range(20):
            path = tmp_path / genre / f"song {number}.mp3"
            path.parent.mkdir(exist_ok=True)
            path.touch()
    tracks, genres = find_tracks(tmp_path)
    dealt, split = split_tracks(tracks)
    assert split == "70/20/10, seed 0"
    for genre in genres:
        counts = [sum(track.genre == genre for track in dealt[part]) for part in PARTS]
        assert counts == [14, 4, 2]
    assert split_tracks(tracks) == (dealt, split)


def write_groups(path, groups):
    path.write_text("file,group\n" + "".join(f"{f},{g}\n" for f, g in groups.items()), "utf-8")
    return path


def test_groups_never_stand_in_two_parts_and_every_part_gets_some(tmp_path):
    files = [f"{genre}/{n:02}.wav" for genre in ("a", "b") for n in range(60)]
    groups = {file: f"{file[0]} artist {int(file[2:4]) // 3}" for file in files}
    groups = read_groups(write_groups(tmp_path / "groups.csv", groups))
    tracks = [Track(file[0], file) for file in files]
    dealt, split = split_tracks(tracks, groups=groups)
    assert "groups" in split
    artists = {part: {groups[track.file] for track in dealt[part]} for part in PARTS}
    assert sum(map(len, artists.values())) == 40  # none twice
    counts = {part: collections.Counter(track.genre for track in dealt[part]) for part in PARTS}
    for genre in "ab":
        assert counts["train"][genre] == pytest.approx(42, abs=6)
        assert counts["validation"][genre] == pytest.approx(12, abs=6)
    again, _ = split_tracks(tracks, groups=groups)
    assert again == dealt


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"blip/blip.00000.wav": "x"}, "blip.00010.wav has no group"),
        ({"file": "group"}, "has no group"),
    ],
)
def test_track_without_a_group_is_said_with_its_file(corpus, tmp_path, groups, words):
    path = write_groups(tmp_path / "groups.csv", groups)
    assert_one_line(refuse(corpus, tmp_path / "output", "--groups", path), words)


def test_groups_that_are_too_few_or_no_table_are_said_in_one_line(corpus, tmp_path):
    tracks, _ = find_tracks(corpus)
    groups = write_groups(tmp_path / "few.csv", {track.file: "one" for track in tracks})
    assert_one_line(refuse(corpus, tmp_path / "output", "--groups", groups), "too few")
    groups = write_groups(tmp_path / "all.csv", {track.file: track.file for track in tracks})
    assert_one_line(refuse(corpus, tmp_path / "output", "--groups", groups), "enough clips")
    (tmp_path / "no.csv").write_bytes(b"\xff\xfe\x00song")
    stderr = refuse(corpus, tmp_path / "output", "--groups", tmp_path / "no.csv")
    assert_one_line(stderr, "no.csv", "columns file and group")


def test_nested_and_linked_folders_with_any_name_are_searched_once(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    write_clip(elsewhere / "linked.wav", "hum", 1)
    folder = tmp_path / "music"
    for name in ("rock & roll/Ünïted é/2 live/01.WAV", "jazz/01.flac", "jazz/.hidden/02.wav"):
        write_clip(folder / name, "hum", 0)
    (folder / "jazz" / "link").symlink_to(elsewhere, target_is_directory=True)
    (folder / "jazz" / "loop").symlink_to(folder / "jazz", target_is_directory=True)
    tracks, genres = find_tracks(folder)
    assert genres == ["jazz", "rock & roll"]
    assert [track.file for track in tracks] == [
        "jazz/01.flac",
        "jazz/link/linked.wav",
        "rock & roll/Ünïted é/2 live/01.WAV",
    ]


def check(dataset, *arguments, status=0):
    options = ("--dataset", dataset, "--check", "--frames", FRAMES, "--jobs", 1, *arguments)
    return run("GenreFeatureData.py", *options, status=status)


def test_hidden_folders_and_those_with_an_underscore_are_no_genres(tmp_path):
    for folder in ("jazz", "pop", ".part-download", "_old"):
        write_clip(tmp_path / folder / "song.wav", "hum", 0)
    assert find_tracks(tmp_path)[1] == ["jazz", "pop"]


def test_check_counts_clips_and_changes_nothing(corpus, tmp_path):
    stdout, _ = check(corpus, "--output", tmp_path / "output")
    lines = [line.split() for line in stdout.splitlines()]
    assert ["genre", "train", "validation", "test"] in lines
    for genre in GENRES:
        assert [genre, "4", "2", "1"] in lines
    assert not list(tmp_path.iterdir())


def test_check_names_broken_short_and_repeated_clips(corpus, tmp_path):
    folder = shutil.copytree(corpus, tmp_path / "corpus")
    (folder / "hum" / "hum.00030.wav").write_bytes(b"no audio")
    write_clip(folder / "hiss" / "hiss.00031.wav", "hiss", 31, seconds=0.3)
    signal, rate = soundfile.read(folder / "blip" / "blip.00000.wav")
    soundfile.write(folder / "blip" / "blip.00032.wav", signal, rate)
    stdout, stderr = check(folder, status=2)
    assert "hum.00030.wav can't be read" in stdout
    assert "hiss.00031.wav is too short: 0.30" in stdout
    assert "blip.00000.wav (test)" in stdout
    assert stdout.count("the same audio") == 1
    assert "3 problems" in stderr.splitlines()[-1]


def test_check_says_which_clips_of_gtzan_may_share_an_artist(tmp_path):
    # The filtered lists put classical 0 and 10 into one part, 30 and 99 into another.
    for number in (0, 10, 30, 99):
        write_clip(tmp_path / "classical" / f"classical.{number:05}.wav", "hum", number)
    stdout, _ = check(tmp_path)
    assert "train: 0 of 2 clips may share" in stdout
    assert "validation: 1 of 1 clips may share" in stdout
    assert "test: 1 of 1 clips may share" in stdout


def test_genres_are_taken_in_the_order_asked_for(tmp_path):
    make_corpus(tmp_path, numbers=(0, 10, 30))
    assert find_tracks(tmp_path)[1] == GENRES
    tracks, genres = find_tracks(tmp_path, ["hum", "blip"])
    assert genres == ["hum", "blip"]
    assert [track.genre for track in tracks] == ["hum"] * 3 + ["blip"] * 3


def test_filtered_split_leaves_faulty_tracks_out_and_shares_no_track(tmp_path):
    for genre in ("jazz", "metal"):
        for number in range(100):
            path = tmp_path / genre / f"{genre}.{number:05d}.wav"
            path.parent.mkdir(exist_ok=True)
            path.touch()
    dealt, _ = split_tracks(find_tracks(tmp_path)[0], "filtered")
    names = [track.name for tracks in dealt.values() for track in tracks]
    assert len(names) == len(set(names)) < 200
    assert all(dealt[part] for part in PARTS)


def test_filtered_split_has_the_counts_of_its_authors():
    counts = collections.Counter(read_filtered_split().values())
    assert counts == {"train": 443, "validation": 197, "test": 290}
    assert {genre for genre, _ in read_filtered_split()} == set(ORIGINAL_GENRES[10])


def test_stray_file_without_a_number_is_named_rather_than_dealt_anew(corpus, tmp_path):
    dataset = shutil.copytree(corpus, tmp_path / "corpus")
    write_clip(dataset / "hum" / "hum.00030 (1).wav", "hum", 30)
    assert_one_line(refuse(dataset, tmp_path / "out"), "hum.00030 (1).wav", "<genre>.")


# Bad input


def test_no_data_set_is_said_in_one_line(tmp_path):
    stderr = refuse(tmp_path / "nothing", tmp_path / "out")
    assert_one_line(stderr, tmp_path / "nothing", "gtzan/README.md", "--demo")
    assert not (tmp_path / "out").exists()


def test_unknown_genre_is_said_with_the_known_ones(corpus, tmp_path):
    stderr = refuse(corpus, tmp_path / "out", "--genres", "hum", "polka")
    assert_one_line(stderr, "polka", "blip, hiss, hum")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["00030.au", "jazz.au"])
def test_name_without_a_genre_is_said_with_its_file(tmp_path, name):
    write_clip(tmp_path / "_train" / name, "hum", 0)
    stderr = refuse(tmp_path, tmp_path / "out")
    assert_one_line(stderr, name, "<genre>.<number>")


def test_audio_outside_a_genre_folder_is_said_with_its_file(corpus, tmp_path):
    dataset = shutil.copytree(corpus, tmp_path / "corpus")
    write_clip(dataset / "stray.wav", "hum", 0)
    stderr = refuse(dataset, tmp_path / "out")
    assert_one_line(stderr, "stray.wav", "<genre>/")


def test_empty_part_is_said_in_one_line(tmp_path):
    for part, number in (("train", 30), ("test", 0)):
        write_clip(tmp_path / f"_{part}" / f"hum.{number:05d}.au", "hum", number)
    stderr = refuse(tmp_path, tmp_path / "out")
    assert_one_line(stderr, "validation")
    assert not (tmp_path / "out").exists()


def test_broken_files_are_named_skipped_counted_and_recorded(corpus, features, tmp_path):
    dataset = shutil.copytree(corpus, tmp_path / "corpus")
    broken = {
        "blip/blip.00034.wav": b"",
        "hiss/hiss.00034.wav": b"not audio at all" * 100,
        "hum/hum.00034.wav": (corpus / "hum" / "hum.00030.wav").read_bytes()[:44],
    }
    for file, content in broken.items():
        (dataset / file).write_bytes(content)
    for name, sample in (("00035", np.nan), ("00036", 1e19)):
        broken[f"hum/hum.{name}.wav"] = None
        soundfile.write(dataset / "hum" / f"hum.{name}.wav", [sample] * 9999, 22050, "FLOAT")
    _, stderr = extract(dataset, tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "features.json").read_text(encoding="utf-8"))
    for file in broken:
        assert file in stderr
        assert file in manifest["skipped"]
    assert "\nSkipped 5 of 26 files" in stderr
    assert array_bytes(tmp_path / "out") == array_bytes(features)


def test_part_left_empty_by_broken_files_fails_and_keeps_the_old_cache(features, corpus, tmp_path):
    dataset = shutil.copytree(corpus, tmp_path / "corpus")
    output = shutil.copytree(features, tmp_path / "out")
    for genre in GENRES:
        (dataset / genre / f"{genre}.00000.wav").write_bytes(b"")
    stderr = refuse(dataset, output)
    assert "no usable clip is left for the test part" in stderr.splitlines()[-1]
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
    settings = {"sample_rate": 22050, "n_fft": 2048, "hop_length": 512, "frames": 8}
    (tmp_path / "features.json").write_text(json.dumps({"genres": list("abcdef"), **settings}))
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
    settings = {"sample_rate": 22050, "n_fft": 2048, "hop_length": 512, "frames": 8}
    manifest = {"genres": list("abcdef"), **settings} | change
    (tmp_path / "features.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"^.*features.json doesn't fit.*$"):
        GenreFeatureData(tmp_path).load()


def test_header_that_claims_gigabytes_costs_no_memory(tmp_path):
    write_clip(tmp_path / "clip.flac", "hum", 0)
    content = bytearray((tmp_path / "clip.flac").read_bytes())
    content[21] |= 0x0F  # the number of samples has 36 bits
    content[22:26] = b"\xff\xff\xff\xff"
    (tmp_path / "clip.flac").write_bytes(content)
    assert most_memory(load_signal, tmp_path / "clip.flac") < 2**28


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2**31 - 1])
def test_rate_that_no_recording_has_is_refused_in_one_line(tmp_path, rate):
    write_clip(tmp_path / "clip.wav", "hum", 0)
    content = bytearray((tmp_path / "clip.wav").read_bytes())
    content[24:28] = rate.to_bytes(4, "little")
    (tmp_path / "clip.wav").write_bytes(content)
    with pytest.raises(InputError, match=rf"^.*clip.wav can't be used: its rate of {rate} Hz.*$"):
        load_signal(tmp_path / "clip.wav")


def test_feature_script_uses_gtzan_under_the_current_folder_by_default(tmp_path):
    make_corpus(tmp_path / "gtzan" / "genres", numbers=(0, 10, 30))
    stdout, _ = run("GenreFeatureData.py", "--frames", FRAMES, cwd=tmp_path)
    assert "gtzan" in stdout
    assert len(array_bytes(tmp_path / "gtzan")) == 6
