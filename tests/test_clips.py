"""What a user may rely on when a data set's clips are listed."""

import itertools
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers import assert_one_line, refuse, touch, write_clip

from common.errors import InputError
from genre_features import listing
from genre_features.clips import SUBSETS, Clip, find_clips
from genre_features.listing import list_audio

LAYOUTS = {  # paths, each {} of them a genre
    "Kaggle's zip": ["Data/genres_original/{0}/{0}.00000.wav", "Data/genres_original/{0}/b.wav"],
    "albums": ["{}/One/01 Intro.mp3", "{}/Two/01 Intro.mp3"],
    "dots and underscores": ["{}/...Hit.mp3", "{}/...And Justice/1.mp3", "{}/_B/.c.mp3"],
    "formats apart": ["mp3/{}/a.mp3", "wav/{}/b.wav"],
    "flat subsets": ["_train/{}.00003.au", "_validation/{} 12.au", "_test/{}.1.2.au"],
    "nested subsets": ["_train/{0}/{0}.00003.au", "_validation/{}/b.au", "_test/{}/c.au"],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_that_people_have_are_understood(tmp_path, layout):
    subsets = SUBSETS if "subsets" in layout else [None] * 3
    paths = list(zip(LAYOUTS[layout], subsets, strict=False))
    clips = [Clip(g, path.format(g), subset) for g in ("hip hop", "pop") for path, subset in paths]
    touch(tmp_path, *(clip.file for clip in clips), "images/pop.png")
    found, genres = find_clips(tmp_path)
    assert genres == ["hip hop", "pop"]
    assert sorted(found) == sorted(clips)


@pytest.mark.parametrize("seed", range(20))
def test_random_trees_of_wrappers_subsets_and_albums_are_understood(tmp_path, seed):
    random = np.random.default_rng(seed)
    spellings = [
        ("train", "TRAINING", "_train"),
        ("val", "Validation", "dev_set"),
        ("test", "Eval"),
    ]
    spelling = [random.choice(names) for names in spellings]
    outer, inner = random.choice(["", "Data/", "v1/genres/"], 2)
    genre_first, no_subsets = random.random(2) < (0.3, 0.4)
    clips = {}
    for number, genre in itertools.product(range(8), ("Drum & Bass", "Ñandú", "pop")):
        subset = int(random.integers(3)) if number > 2 else number
        level = "" if no_subsets else f"{spelling[subset]}/"
        folder = f"{genre}/{level}" if genre_first else f"{level}{inner}{genre}/"
        album, suffix = random.choice(["", "Live/", "CD 1/B/"]), random.choice([".mp3", ".WAV"])
        clip = (genre, None if no_subsets else SUBSETS[subset])
        clips[f"{outer}{folder}{album}{number} song{suffix}"] = clip
    touch(tmp_path, *clips)
    assert {clip.file: (clip.genre, clip.subset) for clip in find_clips(tmp_path)[0]} == clips


@pytest.mark.parametrize("file", ["jazz.00012.au", "jazz.00012.au.wav", "converted/jazz.00012.WAV"])
def test_gtzans_tracks_are_recognised_whatever_the_case_suffix_or_folder(tmp_path, file):
    touch(tmp_path, f"Jazz/{file}", "Hip-Hop/hiphop.00007.wav", "genres/Jazz/jazz.00012.wav")
    names = {clip.name: clip.number for clip in find_clips(tmp_path)[0]}
    assert names == {"jazz.00012": 12, "hiphop.00007": 7}
    for name in ("song", "jazz.0001", "jazz.000001", "pop.00001", "jazz 00001"):
        clip = Clip("jazz", f"jazz/A/{name}.au")
        assert (clip.number, clip.name) == (None, clip.file)


@pytest.mark.parametrize("second", ["pop/a.mp3", "pop/a.wav.flac", "pop/converted/a.flac"])
def test_file_in_two_formats_is_one_clip(tmp_path, capsys, second):
    touch(tmp_path, "jazz/a.wav", "pop/a.wav", second)
    assert [clip.file for clip in find_clips(tmp_path)[0]] == ["jazz/a.wav", "pop/a.wav"]
    assert_one_line(capsys.readouterr().err, "1 files that are another's in a second", second)


def test_genres_are_taken_in_the_order_asked_for_whatever_their_case_and_accents(tmp_path):
    touch(tmp_path, *(unicodedata.normalize("NFD", f"Español/{n}.wav") for n in "ab"), "jazz/a.wav")
    touch(tmp_path, "pop/a.wav")
    clips, genres = find_clips(tmp_path, ["JAZZ", "Español"])
    assert genres == ["jazz", "Español"]
    assert [clip.genre for clip in clips] == ["jazz", "Español", "Español"]


def test_linked_folders_are_searched_once(tmp_path):
    touch(tmp_path, "away/linked.wav", "music/jazz/01.flac", "music/pop/2/01.WAV")
    for name, goal in (("link", "away"), ("loop", "music/jazz")):
        (tmp_path / "music/jazz" / name).symlink_to(tmp_path / goal, target_is_directory=True)
    files = [clip.file for clip in find_clips(tmp_path / "music")[0]]
    assert files == ["jazz/01.flac", "jazz/link/linked.wav", "pop/2/01.WAV"]


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


@pytest.mark.parametrize("name", ["WAV", "AIFF", "FLAC", "OGG", "MP3", "AU", "CAF", "W64"])
def test_audio_of_unknown_suffix_is_recognised_by_its_first_bytes(tmp_path, name):
    for file in ("song.xyz", "song"):
        write_clip(tmp_path / file, "hum", 0, format=name)
    (tmp_path / "animation.ani").write_bytes(b"RIFF1234ACON")
    assert list_audio(tmp_path) == ["song", "song.xyz"]


@pytest.mark.parametrize("installed", [False, True])
def test_what_is_not_taken_is_counted_by_suffix(tmp_path, monkeypatch, capsys, installed):
    monkeypatch.setattr(listing, "has_av", lambda: installed)
    touch(tmp_path, "jazz/a.m4a", "jazz/b.M4A", "jazz/c.wma", "d.wav", "notes.txt", "x")
    assert len(list_audio(tmp_path)) == (4 if installed else 1)
    stderr = capsys.readouterr().err
    assert_one_line(stderr, "1 .txt", "1 without suffix")
    hint = "2 .m4a, 1 .wma (convert: ffmpeg -i song.m4a song.flac, or pip install av)"
    assert (hint in stderr) != installed


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
def test_link_to_nothing_and_fifo_are_named(tmp_path, name):
    touch(tmp_path, "pop/b.wav")
    (tmp_path / name).symlink_to(tmp_path / "away")
    with pytest.raises(InputError, match=f"^{tmp_path / name} is a link to nothing"):
        find_clips(tmp_path)
    if hasattr(os, "mkfifo") and name.endswith(".wav"):
        (tmp_path / name).unlink()
        os.mkfifo(tmp_path / name)
        with pytest.raises(InputError, match=f"^{tmp_path / name} is a FIFO"):
            find_clips(tmp_path)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ("jazz/a.wav jazz/b.wav", ["single folder", "jazz/a.wav", "--labels"]),
        ("jazz/jazz.00000.au jazz/jazz.00001.au", ["one genre, jazz", "--labels"]),
        ("000/000002.mp3 001/001003.mp3", ["numbers (000, 001)", "--labels", "FMA"]),
        ("jazz/a.wav pop/b.wav c.wav", ["c.wav lies outside", "<genre>/"]),
        ("train/a/a.wav test/a/b.wav c/c.wav", ["test is named for a subset", "but c"]),
        ("_train/00030.au _test/jazz.1.au", ["_train/00030.au", "<genre>.<number>"]),
        ("_train/jazz.au _test/jazz.1.au", ["_train/jazz.au", "<genre>.<number>"]),
        ("notes.txt", ["no audio in", "gtzan/README.md", "--demo"]),
    ],
)
def test_folder_without_genres_is_refused_with_the_remedy(tmp_path, files, words):
    touch(tmp_path / "music", *files.split())
    with pytest.raises(InputError) as refused:
        find_clips(tmp_path / "music")
    assert_one_line(str(refused.value), *words)


def test_wrong_path_or_genre_is_refused_in_one_line(corpus, tmp_path):
    touch(tmp_path, "song.mp3")
    assert_one_line(refuse(tmp_path / "song.mp3", tmp_path / "out"), "isn't a folder")
    words = (f"there is no folder {tmp_path / 'typo'}", "gtzan/README.md", "--demo")
    assert_one_line(refuse(tmp_path / "typo", tmp_path / "out"), *words)
    stderr = refuse(corpus, tmp_path / "out", "--genres", "hum", "polka")
    assert_one_line(stderr, "polka", "blip, hiss, hum")
    assert not (tmp_path / "out").exists()
