"""What a user may rely on when audio files are decoded."""

import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import soundfile
from helpers import make_clip, most_memory, write_clip

from common.errors import InputError
from genre_features import audio
from genre_features.audio import load_signal, stream_signal


@pytest.fixture
def no_av(monkeypatch):
    """PyAV isn't installed."""
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "genre_features.av_reader", raising=False)


def make_file(path, seconds=3.0, rate=22050, **options):
    """Write a clip; return the path and the file's bytes, which can be changed."""
    write_clip(path, "hum", 0, seconds, rate, **options)
    return path, bytearray(path.read_bytes())


def make_mp3_without_info(path, mode):
    """Write an MP3 of 3 s without its first frame, in which the length stands."""
    rate, signal = 44100, make_clip("hum", 0, 3.0, 44100)
    signal[:rate] += 0.3 * make_clip("hiss", 0, 1.0, rate)  # needs more bits than the rest
    soundfile.write(path, signal, rate, bitrate_mode=mode, compression_level=0.5)
    content = path.read_bytes()
    path.write_bytes(content[content.index(content[:2], 100) :])
    return path


def load(path, n_notes=0):
    """Return the length (s) of a file, and its only note if there is one."""
    notes = []
    signal = load_signal(path, notes=notes)
    assert len(notes) == n_notes, notes
    return len(signal) / 22050, *notes


def test_any_rate_and_channel_count_is_brought_to_mono_at_22050_hz(tmp_path):
    signal = make_clip("hum", 0, rate=44100)
    soundfile.write(tmp_path / "stereo.flac", np.stack([signal, signal], axis=1), 44100)
    soundfile.write(tmp_path / "mono.wav", make_clip("hum", 0), 22050, subtype="FLOAT")
    stereo, mono = load_signal(tmp_path / "stereo.flac"), load_signal(tmp_path / "mono.wav")
    assert stereo.shape == mono.shape == (22050,)
    # Both hold the same tone; only their noise was drawn at different rates.
    assert np.corrcoef(stereo, mono)[0, 1] > 0.99


@pytest.mark.parametrize("suffix", ["wav", "au", "flac", "ogg", "mp3", "aiff"])
def test_samples_are_those_that_soundfile_reads_and_none_is_missing(tmp_path, suffix, no_av):
    path, _ = make_file(tmp_path / f"clip.{suffix}")
    assert load(path) == (3,)
    with soundfile.SoundFile(path) as file:
        assert np.array_equal(load_signal(path), file.read(dtype="float32"))
    assert np.array_equal(load_signal(path, 0.5), load_signal(path)[:11025])


@pytest.mark.parametrize(
    ("suffix", "rate"), [("wav", 22050), ("wav", 44100), ("wav", 16000), ("mp3", 22050)]
)
def test_blocks_of_a_stream_make_up_the_whole_signal(tmp_path, monkeypatch, suffix, rate):
    monkeypatch.setattr(audio, "BLOCK_SECONDS", 1)
    path, _ = make_file(tmp_path / f"clip.{suffix}", 3.3, rate)
    pieces = list(stream_signal(path))
    assert max(map(len, pieces)) < 1.1 * 22050
    np.testing.assert_allclose(np.concatenate(pieces), load_signal(path), atol=1e-4)


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
    path, _ = make_file(tmp_path / "clip.wav")
    monkeypatch.setattr(Path, "open", mock.Mock(side_effect=PermissionError))  # root may read all
    with pytest.raises(InputError, match=r"clip.wav can't be read: you have no permission"):
        load_signal(path)


def test_header_that_claims_gigabytes_costs_no_memory_and_is_noted(tmp_path, no_av):
    path, content = make_file(tmp_path / "clip.flac")
    content[21] |= 0x0F  # the number of samples has 36 bits
    content[22:26] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert most_memory(load_signal, path) < 2**28
    assert "only 3.0 of 3116529.6 s could be read" in load(path, 1)[1]


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2**31 - 1])
def test_rate_that_no_recording_has_is_refused(tmp_path, rate):
    path, content = make_file(tmp_path / "clip.wav")
    content[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"^.*clip.wav can't be used: its rate of {rate} Hz.*$"):
        load_signal(path)


def test_flac_of_unknown_length_is_read_to_its_end(tmp_path, no_av):
    path, content = make_file(tmp_path / "clip.flac")
    whole = load_signal(path)
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert np.array_equal(load_signal(path), whole)
    path.write_bytes(content + content)
    assert load(path) == (6,)


@pytest.mark.parametrize("suffix", ["wav", "au", "flac", "ogg", "mp3", "aiff", "caf", "rf64"])
@pytest.mark.parametrize("rate", [22050, 16000])
def test_all_of_joined_recordings_is_read(tmp_path, suffix, rate, no_av):
    path, first = make_file(tmp_path / f"first.{suffix}")
    other, second = make_file(tmp_path / f"second.{suffix}", 2.0, rate)
    expected = np.concatenate([load_signal(path), load_signal(other)])
    path.write_bytes(first + second)
    assert load(path) == (5,)
    np.testing.assert_allclose(load_signal(path), expected, atol=1e-3)


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_mp3_that_does_not_tell_its_length_is_read_to_its_end(tmp_path, mode):
    if mode == "VARIABLE":  # libsndfile takes the rest to need as many bits as the beginning
        pytest.importorskip("av")
    path = make_mp3_without_info(tmp_path / "clip.mp3", mode)
    assert load(path)[0] == pytest.approx(3, abs=0.1)
    signal = load_signal(path)[-22050:]
    spectrum = np.abs(np.fft.rfft(signal))
    assert 90 <= spectrum.argmax() <= 130  # Hz: the tone of the clip's end
    assert np.abs(signal).max() < 0.5


def test_rest_of_an_mp3_that_only_pyav_reads_is_noted(tmp_path, no_av):
    constant = make_mp3_without_info(tmp_path / "constant.mp3", "CONSTANT")
    assert load(constant)[0] == pytest.approx(3, abs=0.1)
    seconds, note = load(make_mp3_without_info(tmp_path / "variable.mp3", "VARIABLE"), 1)
    assert seconds < 2
    assert note.startswith(f"only {seconds:.1f} of 3.")
    assert "pip install av" in note


def test_damaged_file_is_read_as_far_as_it_goes_and_noted(tmp_path):
    pytest.importorskip("av")
    path, content = make_file(tmp_path / "clip.flac")
    path.write_bytes(content[: len(content) // 2])
    seconds, note = load(path, 1)
    assert 1 < seconds < 2
    assert note == f"only {seconds:.1f} of 3.0 s could be read: it is cut off or damaged"


def test_joined_recording_that_cannot_be_read_is_noted(tmp_path):
    path, content = make_file(tmp_path / "clip.wav")
    path.write_bytes(content + content[:12] + b"no chunk of a WAV")
    assert "it is cut off or damaged" in load(path, 1)[1]


def test_junk_within_an_mp3_is_skipped_and_noted_without_a_line_on_stderr(tmp_path, capfd, no_av):
    path, content = make_file(tmp_path / "clip.mp3")
    path.write_bytes(content[:9000] + 300 * b"\n" + content[9000:])
    seconds, note = load(path, 1)
    assert seconds == 3
    assert note.startswith("damaged in places")
    assert capfd.readouterr().err == ""


def test_formats_that_soundfile_does_not_know_are_read_by_pyav(tmp_path):
    av = pytest.importorskip("av")
    signal = make_clip("hum", 0, 3.0).astype(np.float32)
    with av.open(tmp_path / "clip.m4a", "w") as container:
        stream = container.add_stream("aac", rate=22050, layout="mono")
        frame = av.AudioFrame.from_ndarray(signal[np.newaxis], "fltp", "mono")
        frame.rate = 22050
        container.mux([*stream.encode(frame), *stream.encode(None)])
    (tmp_path / "clip.m4a").rename(tmp_path / "clip.mp3")  # as some programs do
    assert load(tmp_path / "clip.mp3")[0] == pytest.approx(3, abs=0.1)
    spectra = [np.abs(np.fft.rfft(x, 66150)) for x in (load_signal(tmp_path / "clip.mp3"), signal)]
    assert np.corrcoef(*spectra)[0, 1] > 0.95


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT"])
def test_wav_that_says_it_is_empty_is_read_by_pyav(tmp_path, subtype):
    pytest.importorskip("av")
    path, content = make_file(tmp_path / "clip.wav", subtype=subtype)
    expected, start = load_signal(path), content.index(b"data") + 4
    content[start : start + 4] = bytes(4)
    path.write_bytes(content)
    assert np.array_equal(load_signal(path), expected)
