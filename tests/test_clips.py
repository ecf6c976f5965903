"""What a user may rely on when the clips of a data set are looked for."""

import os
import shutil
from pathlib import Path

import pytest
import soundfile
from helpers import GENRES, assert_one_line, make_corpus, refuse, touch, write_clip

from common.errors import InputError
from genre_features.clips import Clip, audio_files, find_clips


@pytest.mark.parametrize("folder", ["", "genres", "genres_original"])
def test_genre_folders_may_lie_in_the_data_set_or_in_gtzans_folders(tmp_path, folder):
    touch(tmp_path / folder, "jazz/jazz.00000.au", "pop/pop.00001.wav", "pop/notes.txt")
    tracks, genres = find_clips(tmp_path)
    assert genres == ["jazz", "pop"]
    assert [(track.genre, track.name, track.number) for track in tracks] == [
        ("jazz", "jazz.00000", 0),
        ("pop", "pop.00001", 1),
    ]


def test_files_of_the_same_name_in_folders_of_a_genre_have_names_of_their_own(tmp_path):
    touch(tmp_path, "jazz/A/01 Intro.mp3", "jazz/B/01 Intro.mp3")
    tracks, _ = find_clips(tmp_path)
    assert [track.name for track in tracks] == ["jazz/A/01 Intro.mp3", "jazz/B/01 Intro.mp3"]


def test_genre_in_the_originals_layout_stands_before_the_number(tmp_path):
    touch(tmp_path, "_train/hip hop.00003.au", "_validation/pop 00003447.au")
    touch(tmp_path, "_test/trip-hop.1.2.au")
    tracks, _ = find_clips(tmp_path)
    assert {track.file: track.genre for track in tracks} == {
        "_train/hip hop.00003.au": "hip hop",
        "_validation/pop 00003447.au": "pop",
        "_test/trip-hop.1.2.au": "trip-hop",
    }


@pytest.mark.parametrize("name", ["song", "jazz.0001", "jazz.000001", "pop.00001", "jazz 00001"])
def test_only_gtzans_names_have_a_track_number(name):
    assert Clip("jazz", f"jazz/{name}.au").number is None
    assert Clip("jazz", "jazz/jazz.00001.au").number == 1


def test_nested_and_linked_folders_with_any_name_are_searched_once(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    write_clip(elsewhere / "linked.wav", "hum", 1)
    folder = tmp_path / "music"
    for name in ("rock & roll/Ünïted é/2 live/01.WAV", "jazz/01.flac", "jazz/.hidden/02.wav"):
        write_clip(folder / name, "hum", 0)
    (folder / "jazz" / "link").symlink_to(elsewhere, target_is_directory=True)
    (folder / "jazz" / "loop").symlink_to(folder / "jazz", target_is_directory=True)
    tracks, genres = find_clips(folder)
    assert genres == ["jazz", "rock & roll"]
    assert [track.file for track in tracks] == [
        "jazz/01.flac",
        "jazz/link/linked.wav",
        "rock & roll/Ünïted é/2 live/01.WAV",
    ]


def test_hidden_folders_and_those_with_an_underscore_are_no_genres(tmp_path):
    for folder in ("jazz", "pop", ".part-download", "_old"):
        write_clip(tmp_path / folder / "song.wav", "hum", 0)
    assert find_clips(tmp_path)[1] == ["jazz", "pop"]


def test_genres_are_taken_in_the_order_asked_for(tmp_path):
    make_corpus(tmp_path, numbers=(0, 10, 30))
    assert find_clips(tmp_path)[1] == GENRES
    tracks, genres = find_clips(tmp_path, ["hum", "blip"])
    assert genres == ["hum", "blip"]
    assert [track.genre for track in tracks] == ["hum"] * 3 + ["blip"] * 3


def test_copies_that_macos_leaves_beside_a_file_are_no_clips(tmp_path):
    touch(tmp_path, "01.mp3", "._01.mp3", "nested/02.mp3")
    assert [path.name for path in audio_files(tmp_path)] == ["01.mp3"]
    assert [path.name for path in audio_files(tmp_path, nested=True)] == ["01.mp3", "02.mp3"]


def test_every_format_that_libsndfile_recognises_is_audio(tmp_path):
    suffixes = {"SVX": "8svx", "IRCAM": "sf", "NIST": "sph", "MPC2K": "snd", "WAVEX": "wav"}
    for name in sorted(set(soundfile.available_formats()) - {"RAW", "MAT4", "MAT5", "SD2", "SDS"}):
        path = tmp_path / name / f"clip.{suffixes.get(name, name).lower()}"
        write_clip(path, "hum", 0, format=name)
        assert find_clips(tmp_path)[1][-1] == name
    write_clip(tmp_path / "WAV" / "clip.opus", "hum", 0, rate=24000, format="OGG", subtype="OPUS")
    assert len(audio_files(tmp_path / "WAV")) == 2


def test_audio_that_cannot_be_read_is_counted(tmp_path, capsys):
    touch(tmp_path, "jazz/a.m4a", "jazz/b.M4A", "jazz/c.wma", "jazz/d.wav", "jazz/notes.txt")
    assert [track.file for track in find_clips(tmp_path)[0]] == ["jazz/d.wav"]
    assert_one_line(capsys.readouterr().err, tmp_path / "jazz", ": 2 .m4a, 1 .wma. Convert")


@pytest.mark.parametrize("where", ["jazz", "jazz/album"])
def test_folder_that_cannot_be_read_is_named_rather_than_left_out(tmp_path, monkeypatch, where):
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
def test_link_to_nothing_is_named_rather_than_left_out(tmp_path, name):
    touch(tmp_path, "pop/b.wav")
    (tmp_path / name).symlink_to(tmp_path / "away")
    with pytest.raises(InputError, match=f"^{tmp_path / name} is a link to nothing"):
        find_clips(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_fifo_among_the_audio_is_said_to_be_one(tmp_path):
    touch(tmp_path, "pop/b.wav")
    os.mkfifo(tmp_path / "pop" / "a.wav")
    with pytest.raises(InputError, match=f"^{tmp_path / 'pop' / 'a.wav'} is a FIFO"):
        find_clips(tmp_path)


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
