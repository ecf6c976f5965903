"""What a user may rely on when a data set's clips are listed."""

import unicodedata

import pytest
from helpers import assert_one_line, refuse, touch

from genre_features.clips import Clip, find_clips


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
    assert_one_line(capsys.readouterr().err, "1 files in a second format", second)


def test_genres_are_taken_in_the_order_asked_for_whatever_their_case_and_accents(tmp_path):
    files = [f"Español/{name}.wav" for name in "ab"]
    touch(
        tmp_path, *(unicodedata.normalize("NFD", file) for file in files), "jazz/a.wav", "p/a.wav"
    )
    clips, genres = find_clips(tmp_path, ["JAZZ", "Español"])
    assert genres == ["jazz", "Español"]
    assert [clip.genre for clip in clips] == ["jazz", "Español", "Español"]


def test_wrong_path_or_genre_is_refused_in_one_line(corpus, tmp_path):
    touch(tmp_path, "song.mp3")
    assert_one_line(refuse(tmp_path / "song.mp3", tmp_path / "out"), "isn't a folder")
    words = (f"there is no folder {tmp_path / 'typo'}", "gtzan/README.md", "--demo")
    assert_one_line(refuse(tmp_path / "typo", tmp_path / "out"), *words)
    stderr = refuse(corpus, tmp_path / "out", "--genres", "hum", "polka")
    assert_one_line(stderr, "polka", "blip, hiss, hum")
    stderr = refuse(corpus, tmp_path / "out", "--genres", "HUM")
    assert_one_line(stderr, "--genres names one genre, hum")
    assert not (tmp_path / "out").exists()


def test_genres_that_differ_in_vowel_marks_or_symbols_alone_stay_apart(tmp_path):
    genres = ["लेक", "लोक", "❤\ufe0f", "☠\ufe0f"]
    touch(tmp_path, *(f"{genre}/a.wav" for genre in genres))
    assert set(find_clips(tmp_path)[1]) == set(genres)
