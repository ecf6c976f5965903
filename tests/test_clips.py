"""What a user may rely on when a data set's clips are listed."""

import itertools
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers import GENRES, assert_one_line, make_corpus, refuse, touch, write_clip

from common.errors import InputError
from genre_features import listing
from genre_features.clips import SUBSETS, Clip, find_clips
from genre_features.listing import list_audio

GTZAN = [f"{genre}/{genre}.{n:05d}.wav" for genre in ("blues", "hiphop") for n in range(2)]
LAYOUTS = {  # paths, each {} of them a genre
    "genre folders": ["{}/a.wav", "{}/b.wav"],
    "Kaggle's zip": ["Data/genres_original/{0}/{0}.00000.wav", "Data/genres_original/{0}/b.wav"],
    "a downloader's folders": ["versions/1/Data/{}/a.mp3", "versions/1/Data/{}/b.mp3"],
    "albums": ["{}/One/01 Intro.mp3", "{}/Two/01 Intro.mp3"],
    "dots and underscores": ["{}/...Hit.mp3", "{}/...And Justice/1.mp3", "{}/_B/.c.mp3"],
    "formats apart": ["mp3/{}/a.mp3", "wav/{}/b.wav"],
}
SPLIT_LAYOUTS = {  # of each path's subset (0, 1, 2) and genre
    "plain": ("train/{}/a.wav", "val/{}/b.wav", "test/{}/c.wav"),
    "capitals": ("Training/{}/a.wav", "Validation/{}/b.wav", "Eval/{}/c.wav"),
    "the original's, flat": ("_train/{}.00003.au", "_validation/{} 12.au", "_test/{}.1.2.au"),
    "the original's, nested": ("_train/{0}/{0}.00003.au", "_validation/{}/b.au", "_test/{}/c.au"),
    "a fork's": ("data/train_data/{}/a.au", "data/dev_data/{}/b.au", "data/test_data/{}/c.au"),
    "below the genres": ("all/{}/train/a.wav", "all/{}/valid/b.wav", "all/{}/test-set/c.wav"),
    "wrapped twice": ("x/train/audio/{}/a.wav", "x/val/audio/{}/b.wav", "x/test/audio/{}/c.wav"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_genre_is_the_first_folder_that_differs(tmp_path, layout):
    files = {path.format(genre): genre for path in LAYOUTS[layout] for genre in ("hip hop", "pop")}
    touch(tmp_path, *files, "images/pop.png")
    clips, genres = find_clips(tmp_path)
    assert genres == ["hip hop", "pop"]
    assert {clip.file: clip.genre for clip in clips} == files
    assert not any(clip.subset for clip in clips)


@pytest.mark.parametrize("layout", SPLIT_LAYOUTS)
def test_folders_named_for_subsets_give_the_subsets(tmp_path, layout):
    paths = dict(zip(SUBSETS, SPLIT_LAYOUTS[layout], strict=True))
    for genre, path in itertools.product(("hip hop", "pop"), paths.values()):
        touch(tmp_path, path.format(genre))
    clips, genres = find_clips(tmp_path)
    assert genres == ["hip hop", "pop"]
    assert {(clip.file, clip.genre, clip.subset) for clip in clips} == {
        (path.format(genre), genre, subset) for genre in genres for subset, path in paths.items()
    }


def make_layout(random):
    """Return {file: (subset, genre)} of a random data set without pieces and second formats."""
    subsets = [("train", "TRAINING", "_train"), ("val", "Validation", "dev_set"), ("test", "Eval")]
    wrappers = ["/".join(random.choice(["Data", "v1", "genres"], n)) for n in (0, 1, 2)]
    outer, inner = (f"{wrapper}/" if wrapper else "" for wrapper in random.choice(wrappers, 2))
    spelling = [random.choice(names) for names in subsets]
    below, without = random.random(2) < (0.3, 0.4)
    files = {}
    for number, genre in itertools.product(range(8), ("Drum & Bass", "Ñandú", "pop")):
        subset = int(random.integers(3)) if number > 2 else number
        album = random.choice(["", "Live/", "CD 1/The End/"])
        level = "" if without else f"{spelling[subset]}/"
        folder = f"{genre}/{level}" if below else f"{level}{inner}{genre}/"
        suffix = random.choice([".mp3", ".WAV", ".flac"])
        file = f"{outer}{folder}{album}{number} song{suffix}"
        files[file] = (None if without else SUBSETS[subset], genre)
    return files


@pytest.mark.parametrize("seed", range(20))
def test_random_trees_of_wrappers_subsets_and_albums_are_understood(tmp_path, seed):
    files = make_layout(np.random.default_rng(seed))
    touch(tmp_path, *files)
    assert {clip.file: (clip.subset, clip.genre) for clip in find_clips(tmp_path)[0]} == files


@pytest.mark.parametrize(
    "file",
    ["Blues/blues.00012.au", "blues/blues.00012.au.wav", "blues/converted/blues.00012.WAV"],
)
def test_gtzans_tracks_are_recognised_whatever_the_case_suffix_or_folder(tmp_path, file):
    touch(tmp_path, file, "Hip-Hop/hiphop.00007.wav")
    clips, _ = find_clips(tmp_path)
    assert {clip.name: clip.number for clip in clips} == {"blues.00012": 12, "hiphop.00007": 7}


@pytest.mark.parametrize("name", ["song", "jazz.0001", "jazz.000001", "pop.00001", "jazz 00001"])
def test_only_gtzans_names_have_a_track_number(name):
    clip = Clip("jazz", f"jazz/A/{name}.au")
    assert (clip.number, clip.name) == (None, clip.file)


def test_gtzan_in_two_folders_is_counted_once(tmp_path, capsys):
    touch(tmp_path / "genres", *GTZAN)
    touch(tmp_path / "Data" / "genres_original", *GTZAN)
    assert [clip.name for clip in find_clips(tmp_path)[0]] == [Path(file).stem for file in GTZAN]
    assert "4 files" in capsys.readouterr().err


@pytest.mark.parametrize("second", ["pop/a.mp3", "pop/a.wav.flac", "pop/converted/a.flac"])
def test_file_in_two_formats_is_one_clip(tmp_path, capsys, second):
    touch(tmp_path, "jazz/a.wav", "pop/a.wav", second)
    assert [clip.file for clip in find_clips(tmp_path)[0]] == ["jazz/a.wav", "pop/a.wav"]
    assert_one_line(
        capsys.readouterr().err, f"1 files that are another's in a second format, such as {second}"
    )


def test_accents_in_either_code_and_case_do_not_matter(tmp_path):
    touch(tmp_path, *(unicodedata.normalize("NFD", f"Español/{n}.wav") for n in "ab"), "jazz/a.wav")
    clips, genres = find_clips(tmp_path, ["JAZZ", "Español"])
    assert genres == ["jazz", "Español"]
    assert [clip.genre for clip in clips] == ["jazz", "Español", "Español"]


def test_linked_folders_are_searched_once(tmp_path):
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "music"
    touch(elsewhere, "linked.wav")
    touch(folder, "jazz/01.flac", "pop/2/01.WAV")
    (folder / "jazz" / "link").symlink_to(elsewhere, target_is_directory=True)
    (folder / "jazz" / "loop").symlink_to(folder / "jazz", target_is_directory=True)
    files = [clip.file for clip in find_clips(folder)[0]]
    assert files == ["jazz/01.flac", "jazz/link/linked.wav", "pop/2/01.WAV"]


def test_genres_are_taken_in_the_order_asked_for(tmp_path):
    make_corpus(tmp_path, numbers=(0, 10, 30))
    clips, genres = find_clips(tmp_path, ["hum", "blip"])
    assert genres == ["hum", "blip"]
    assert [clip.genre for clip in clips] == ["hum"] * 3 + ["blip"] * 3
    assert find_clips(tmp_path)[1] == GENRES


def test_what_systems_and_this_project_leave_behind_is_passed_over(tmp_path, capsys):
    leftovers = ("._01.mp3", ".DS_Store", "__MACOSX/a.mp3", "Thumbs.db", ".02.mp3.icloud")
    own = (".part-x/a.wav", "data_train_input.npy", "features.json", ".clips/a.npz", "demo/a/1.wav")
    touch(tmp_path / "gtzan", "a/01.mp3", "demo.mp3", *leftovers, *own)
    assert list_audio(tmp_path / "gtzan") == ["a/01.mp3", "demo.mp3"]
    assert not capsys.readouterr().err


def test_every_format_that_libsndfile_recognises_is_audio(tmp_path):
    suffixes = {"SVX": "8svx", "IRCAM": "sf", "NIST": "sph", "MPC2K": "snd", "WAVEX": "wav"}
    formats = sorted(set(soundfile.available_formats()) - {"RAW", "MAT4", "MAT5", "SD2", "SDS"})
    for name in formats:
        write_clip(tmp_path / f"{name}.{suffixes.get(name, name).lower()}", "hum", 0, format=name)
    write_clip(tmp_path / "z.opus", "hum", 0, rate=24000, format="OGG", subtype="OPUS")
    assert [Path(file).stem for file in list_audio(tmp_path)] == [*formats, "z"]


@pytest.mark.parametrize("format", ["WAV", "AIFF", "FLAC", "OGG", "MP3", "AU", "CAF", "W64"])
def test_audio_of_unknown_suffix_is_recognised_by_its_first_bytes(tmp_path, format):
    write_clip(tmp_path / "song.xyz", "hum", 0, format=format)
    write_clip(tmp_path / "song", "hum", 0, format=format)
    (tmp_path / "animation.ani").write_bytes(b"RIFF1234ACON")
    assert list_audio(tmp_path) == ["song", "song.xyz"]


@pytest.mark.parametrize("installed", [False, True])
def test_what_is_not_taken_is_counted_by_suffix_in_one_line(
    tmp_path, monkeypatch, capsys, installed
):
    monkeypatch.setattr(listing, "has_av", lambda: installed)
    touch(tmp_path, "jazz/a.m4a", "jazz/b.M4A", "jazz/c.wma", "d.wav", "notes.txt", "x")
    assert list_audio(tmp_path)[0] == "d.wav"
    assert len(list_audio(tmp_path)) == (4 if installed else 1)
    line = capsys.readouterr().err.splitlines()[0]
    assert "1 .txt" in line and "1 without suffix" in line
    hint = "2 .m4a, 1 .wma (convert: ffmpeg -i song.m4a song.flac, or pip install av)"
    assert (hint in line) != installed


@pytest.mark.parametrize("where", ["jazz", "jazz/album"])
def test_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch, where):
    touch(tmp_path, "jazz/album/a.wav", "pop/b.wav")
    real = os.scandir

    def scandir(path):  # chmod doesn't stop root, who runs many containers
        if Path(path) == tmp_path / where:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(InputError, match=rf"^{tmp_path / where} can't be read \(Permission"):
        find_clips(tmp_path)


@pytest.mark.parametrize("name", ["jazz", "pop/album", "pop/a.wav"])
def test_link_to_nothing_is_named(tmp_path, name):
    touch(tmp_path, "pop/b.wav")
    (tmp_path / name).symlink_to(tmp_path / "away")
    with pytest.raises(InputError, match=f"^{tmp_path / name} is a link to nothing"):
        find_clips(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_fifo_among_the_audio_is_named(tmp_path):
    touch(tmp_path, "pop/b.wav")
    os.mkfifo(tmp_path / "pop" / "a.wav")
    with pytest.raises(InputError, match=f"^{tmp_path / 'pop' / 'a.wav'} is a FIFO"):
        find_clips(tmp_path)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["jazz/a.wav", "jazz/b.wav"], ["single folder", "jazz/a.wav", "--labels"]),
        (GTZAN[:2], ["one genre, blues", "--labels"]),
        (["000/000002.mp3", "001/001003.mp3"], ["numbers (000, 001)", "--labels", "FMA"]),
        (["jazz/a.wav", "pop/b.wav", "c.wav"], ["c.wav lies outside", "<genre>/"]),
        (["train/a/a.wav", "test/a/b.wav", "c/c.wav"], ["test is named for a subset", "but c"]),
        (["_train/00030.au", "_test/jazz.1.au"], ["_train/00030.au", "<genre>.<number>"]),
        (["_train/jazz.au", "_test/jazz.1.au"], ["_train/jazz.au", "<genre>.<number>"]),
        (["notes.txt"], ["no audio in", "gtzan/README.md", "--demo"]),
    ],
)
def test_folder_without_genres_is_refused_with_the_remedy(tmp_path, files, words):
    touch(tmp_path / "music", *files)
    with pytest.raises(InputError) as refused:
        find_clips(tmp_path / "music")
    assert_one_line(str(refused.value), *words)


def test_path_that_is_no_folder_or_does_not_exist_is_refused(tmp_path):
    touch(tmp_path, "song.mp3")
    assert_one_line(refuse(tmp_path / "song.mp3", tmp_path / "out"), "isn't a folder")
    stderr = refuse(tmp_path / "typo", tmp_path / "out")
    assert_one_line(stderr, f"there is no folder {tmp_path / 'typo'}", "--demo")
    assert not (tmp_path / "out").exists()


def test_unknown_genre_is_refused_with_the_known_ones(corpus, tmp_path):
    stderr = refuse(corpus, tmp_path / "out", "--genres", "hum", "polka")
    assert_one_line(stderr, "polka", "blip, hiss, hum")
