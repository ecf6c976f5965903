"""What a user may rely on before an audio file is decoded."""

from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import soundfile
from helpers import clip_file, make_clip, read_clip

from common.errors import InputError
from genre_features.audio import load_signal
from genre_features.headers import find_all


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing.wav", None, "there is no such file"),
        ("text.wav", b"not audio", "Format not recognised"),
        ("empty.wav", b"", "it is empty"),
        ("pointer.wav", b"version https://git-lfs.github.com/spec/v1\noid", "run git lfs pull"),
        ("page.mp3", b"\n<!DOCTYPE html><html>", "it is a web page"),
        ("video.mp4", b"\0\0\0\x20ftypisom", "ffmpeg -i video.mp4 video.flac, or pip install av"),
    ],
)
def test_file_that_is_no_audio_is_refused_with_the_remedy(tmp_path, no_av, name, content, reason):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"^.*{name} can't be read as audio: .*{reason}.*$"):
        load_signal(tmp_path / name)


def test_folder_and_audio_without_samples_are_refused(tmp_path):
    with pytest.raises(InputError, match="it isn't a file"):
        load_signal(tmp_path)
    soundfile.write(tmp_path / "none.wav", [], 22050)
    with pytest.raises(InputError, match="it holds no samples"):
        load_signal(tmp_path / "none.wav")


def test_file_without_permission_is_refused_with_the_reason(tmp_path, monkeypatch):
    path, _ = clip_file(tmp_path / "clip.wav")
    monkeypatch.setattr(Path, "open", mock.Mock(side_effect=PermissionError))  # root may read all
    with pytest.raises(InputError, match=r"clip.wav can't be read: you have no permission"):
        load_signal(path)


def make_mp3_without_info(path, mode, rate=44100):
    """Write an MP3 of 3 s behind a tag, without its first frame, in which the length stands."""
    signal = make_clip("hum", 0, 3.0, rate)
    signal[:rate] += 0.3 * make_clip("hiss", 0, 1.0, rate)  # needs more bits than the rest
    soundfile.write(path, signal, rate, bitrate_mode=mode, compression_level=0.5)
    content = path.read_bytes()
    tag = b"ID3\x04\0\0" + bytes([0, 0, 39, 8]) + bytes(5000)
    path.write_bytes(tag + content[content.index(content[:2], 100) :])
    return path


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_mp3_that_does_not_tell_its_length_is_read_to_its_end(tmp_path, mode):
    if mode == "VARIABLE":  # libsndfile takes the rest to need as many bits as the beginning
        pytest.importorskip("av")
    path = make_mp3_without_info(tmp_path / "clip.mp3", mode)
    assert read_clip(path)[0] == pytest.approx(3, abs=0.1)
    notes = []
    assert len(load_signal(path, 2.5, notes)) == 55125
    assert not notes  # on the rest, which wasn't asked for
    signal = load_signal(path)[-22050:]
    spectrum = np.abs(np.fft.rfft(signal))
    assert 90 <= spectrum.argmax() <= 130  # Hz: the tone of the clip's end
    assert np.abs(signal).max() < 0.5


def test_rest_of_an_mp3_that_only_pyav_reads_is_noted(tmp_path, no_av):
    for rate in (22050, 44100):
        constant = make_mp3_without_info(tmp_path / "constant.mp3", "CONSTANT", rate)
        assert read_clip(constant)[0] == pytest.approx(3, abs=0.1)
    seconds, note = read_clip(make_mp3_without_info(tmp_path / "variable.mp3", "VARIABLE"), 1)
    assert seconds < 2
    assert note.startswith(f"only {seconds:.1f} of 3.")
    assert "pip install av" in note


def test_patterns_are_found_once_each_wherever_they_lie_in_a_large_file(tmp_path):
    places = [5, 2**20 - 2, 2**20 + 2, 2**21 - 4]
    content = bytearray(2**21)
    for place in places:
        content[place : place + 4] = b"fLaC"
    (tmp_path / "large").write_bytes(content)
    assert find_all(tmp_path / "large", b"fLaC", 4) == places
    assert find_all(tmp_path / "large", b"fLaC", 50) == places
