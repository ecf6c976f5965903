"""What a user may rely on when audio files are decoded."""

import numpy as np
import pytest
import soundfile
from helpers import make_clip, most_memory, write_clip

from common.errors import InputError
from genre_features import audio
from genre_features.audio import load_signal, stream_signal


def test_any_rate_and_channel_count_is_brought_to_mono_at_22050_hz(tmp_path):
    signal = make_clip("hum", 0, rate=44100)
    soundfile.write(tmp_path / "stereo.flac", np.stack([signal, signal], axis=1), 44100)
    soundfile.write(tmp_path / "mono.wav", make_clip("hum", 0), 22050, subtype="FLOAT")
    stereo, mono = load_signal(tmp_path / "stereo.flac"), load_signal(tmp_path / "mono.wav")
    assert stereo.shape == mono.shape == (22050,)
    # Both hold the same tone; only their noise was drawn at different rates.
    assert np.corrcoef(stereo, mono)[0, 1] > 0.99


@pytest.mark.parametrize("suffix", ["wav", "au", "flac", "ogg", "mp3"])
def test_every_format_that_is_promised_is_read(tmp_path, suffix):
    write_clip(tmp_path / f"clip.{suffix}", "hum", 0)
    signal = load_signal(tmp_path / f"clip.{suffix}")
    expected = make_clip("hum", 0)
    # MP3 pads a clip, and OGG and MP3 lose some of the noise.
    assert len(signal) == pytest.approx(len(expected), abs=2500)
    spectra = [np.abs(np.fft.rfft(samples, 22050))[:300] for samples in (signal, expected)]
    assert np.corrcoef(*spectra)[0, 1] > 0.95


def test_no_more_of_a_file_is_read_than_asked_for(tmp_path):
    write_clip(tmp_path / "clip.wav", "hum", 0, seconds=2.0)
    whole, start = load_signal(tmp_path / "clip.wav"), load_signal(tmp_path / "clip.wav", 0.5)
    assert len(start) == 11025
    assert np.array_equal(start, whole[:11025])


@pytest.mark.parametrize("rate", [22050, 44100, 16000])
def test_a_file_read_bit_by_bit_is_the_file_read_at_once(tmp_path, monkeypatch, rate):
    monkeypatch.setattr(audio, "BLOCK_SECONDS", 1)
    write_clip(tmp_path / "clip.wav", "hiss", 0, seconds=3.3, rate=rate)
    pieces = list(stream_signal(tmp_path / "clip.wav"))
    whole = load_signal(tmp_path / "clip.wav")
    assert len(pieces) == 4
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-4)


@pytest.mark.parametrize("name", ["missing.wav", "folder.wav", "text.wav", "empty.wav", "none.wav"])
def test_what_is_no_audio_is_refused_in_one_line(tmp_path, name):
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "text.wav").write_text("not audio")
    (tmp_path / "empty.wav").touch()
    soundfile.write(tmp_path / "none.wav", [], 22050)
    with pytest.raises(InputError, match=rf"^.*{name} can't be read as audio: .+$"):
        load_signal(tmp_path / name)


def test_audio_that_is_not_a_file_is_not_called_missing(tmp_path):
    with pytest.raises(InputError, match="it isn't a file"):
        load_signal(tmp_path)
    with pytest.raises(InputError, match="there is no such file"):
        load_signal(tmp_path / "missing.wav")


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
