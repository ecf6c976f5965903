"""What a user may rely on when the audio files of a folder are listed."""

import os
from pathlib import Path

import pytest
import soundfile
from helpers import assert_one_line, touch, write_clip

from common.errors import InputError
from genre_features import listing
from genre_features.listing import list_audio


def test_linked_folders_are_searched_once(tmp_path):
    touch(tmp_path, "away/linked.wav", "music/jazz/01.flac", "music/pop/2/01.WAV")
    for name, goal in (("link", "away"), ("loop", "music/jazz")):
        (tmp_path / "music/jazz" / name).symlink_to(tmp_path / goal, target_is_directory=True)
    expected = ["jazz/01.flac", "jazz/link/linked.wav", "pop/2/01.WAV"]
    assert list_audio(tmp_path / "music") == expected


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


def test_audio_of_unknown_suffix_is_recognised_by_its_first_bytes(tmp_path):
    formats = ["AIFF", "AU", "CAF", "FLAC", "MP3", "OGG", "W64", "WAV"]
    for name in formats:
        write_clip(tmp_path / name, "hum", 0, format=name)
    (tmp_path / "animation.ani").write_bytes(b"RIFF1234ACON")
    assert list_audio(tmp_path) == formats


@pytest.mark.parametrize("installed", [False, True])
def test_what_is_not_taken_is_counted_by_suffix(tmp_path, monkeypatch, capsys, installed):
    monkeypatch.setattr(listing, "has_av", lambda: installed)
    touch(tmp_path, "jazz/a.m4a", "jazz/b.M4A", "jazz/c.wma", "d.wav", "notes.txt", "x")
    assert len(list_audio(tmp_path)) == (4 if installed else 1)
    stderr = capsys.readouterr().err
    assert_one_line(stderr, "1 .txt", "1 without suffix")
    hint = "; for .m4a, pip install av, or convert: ffmpeg -i song.m4a song.flac"
    assert ("2 .m4a" in stderr) == (hint in stderr) == (not installed)


def test_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    touch(tmp_path, "jazz/album/a.wav", "pop/b.wav")
    real, album = os.scandir, tmp_path / "jazz" / "album"

    def scandir(path):  # chmod doesn't stop root, who runs many containers
        if Path(path) == album:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(InputError, match=f"^{album} can't be read"):
        list_audio(tmp_path)


@pytest.mark.parametrize("name", ["jazz", "pop/album", "pop/a.wav"])
def test_link_to_nothing_is_named(tmp_path, name):
    touch(tmp_path, "pop/b.wav")
    (tmp_path / name).symlink_to(tmp_path / "away")
    with pytest.raises(InputError, match=f"^{tmp_path / name} is a link to nothing"):
        list_audio(tmp_path)
