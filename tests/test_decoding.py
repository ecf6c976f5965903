"""What a user may rely on when audio files are decoded."""

import numpy as np
import pytest
import soundfile
from helpers import clip_file, most_memory, read_clip

from common.errors import InputError
from genre_features.audio import load_signal


@pytest.mark.parametrize("suffix", ["wav", "au", "flac", "ogg", "mp3", "aiff"])
def test_samples_are_those_that_soundfile_reads_and_none_is_missing(tmp_path, suffix, no_av):
    path, _ = clip_file(tmp_path / f"clip.{suffix}")
    assert read_clip(path) == (3,)
    with soundfile.SoundFile(path) as file:
        assert np.array_equal(load_signal(path), file.read(dtype="float32"))
    assert np.array_equal(load_signal(path, 0.5), load_signal(path)[:11025])


def test_header_that_claims_gigabytes_costs_no_memory_and_is_noted(tmp_path, no_av):
    path, content = clip_file(tmp_path / "clip.flac")
    content[21] |= 0x0F  # the number of samples has 36 bits
    content[22:26] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert most_memory(load_signal, path) < 2**28
    assert "only 3.0 of 3116529.6 s could be read" in read_clip(path, 1)[1]


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2**31 - 1])
def test_rate_that_no_recording_has_is_refused(tmp_path, rate):
    path, content = clip_file(tmp_path / "clip.wav")
    content[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"^.*clip.wav can't be used: its rate of {rate} Hz.*$"):
        load_signal(path)


def test_flac_of_unknown_length_is_read_to_its_end(tmp_path, no_av):
    path, content = clip_file(tmp_path / "clip.flac")
    whole = load_signal(path)
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert np.array_equal(load_signal(path), whole)
    path.write_bytes(content + content)
    assert read_clip(path) == (6,)


@pytest.mark.parametrize("suffix", ["wav", "au", "flac", "ogg", "mp3", "aiff", "caf", "rf64"])
@pytest.mark.parametrize("rate", [22050, 16000])
def test_all_of_joined_recordings_is_read(tmp_path, suffix, rate, no_av):
    path, first = clip_file(tmp_path / f"first.{suffix}")
    other, second = clip_file(tmp_path / f"second.{suffix}", 2.0, rate)
    expected = np.concatenate([load_signal(path), load_signal(other)])
    path.write_bytes(first + second)
    assert read_clip(path) == (5,)
    np.testing.assert_allclose(load_signal(path), expected, atol=1e-3)


def test_joined_recording_that_cannot_be_read_is_noted(tmp_path):
    path, content = clip_file(tmp_path / "clip.wav")
    path.write_bytes(content + content[:12] + b"no chunk of a WAV")
    assert "it is cut off or damaged" in read_clip(path, 1)[1]


def test_junk_within_an_mp3_is_skipped_and_noted_without_a_line_on_stderr(tmp_path, capfd, no_av):
    path, content = clip_file(tmp_path / "clip.mp3")
    path.write_bytes(content[:9000] + 300 * b"\n" + content[9000:])
    seconds, note = read_clip(path, 1)
    assert seconds == 3
    assert note.startswith("damaged in places")
    assert capfd.readouterr().err == ""
