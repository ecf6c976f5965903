"""What a user may rely on when audio files are decoded."""

import numpy as np
import pytest
import soundfile
import soxr
from helpers import clip_file, make_clip, most_memory, read_clip

from common.errors import InputError
from genre_features import decoding
from genre_features.audio import load_signal, stream_signal


@pytest.mark.parametrize("suffix", ["wav", "au", "flac", "ogg", "mp3", "aiff"])
def test_samples_are_those_that_soundfile_reads_and_none_is_missing(tmp_path, suffix, no_av):
    path, _ = clip_file(tmp_path / f"clip.{suffix}")
    assert read_clip(path) == (3,)
    with soundfile.SoundFile(path) as file:
        assert np.array_equal(load_signal(path), file.read(dtype="float32"))
    assert np.array_equal(load_signal(path, 0.5), load_signal(path)[:11025])


def test_any_rate_and_channel_count_is_brought_to_mono_at_22050_hz(tmp_path):
    signal = make_clip("hum", 0, rate=44100)
    soundfile.write(tmp_path / "stereo.flac", np.stack([0 * signal, 2 * signal], axis=1), 44100)
    stereo = load_signal(tmp_path / "stereo.flac")
    np.testing.assert_allclose(stereo, soxr.resample(signal, 44100, 22050), atol=2**-15)


@pytest.mark.parametrize("suffix, rate", [("wav", 22050), ("wav", 16000), ("mp3", 44100)])
def test_blocks_of_a_stream_make_up_the_whole_signal(tmp_path, monkeypatch, suffix, rate):
    monkeypatch.setattr(decoding, "BLOCK_SAMPLES", rate)
    path, _ = clip_file(tmp_path / f"clip.{suffix}", 99_999 / rate, rate)
    pieces, whole = list(stream_signal(path)), load_signal(path)
    assert max(map(len, pieces)) < 1.1 * 22050
    assert len(whole) == np.ceil(99_999 * 22050 / rate)  # soxr makes one less at 16 kHz
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("text.wav", b"not audio", "Format not recognised"),
        ("empty.wav", b"", "it is empty"),
        ("pointer.wav", b"version https://git-lfs.github.com/spec/v1\noid", "run git lfs pull"),
        ("page.mp3", b"\n<!DOCTYPE html><html>", "it is a web page"),
        ("video.mp4", b"\0\0\0\x20ftypisom", "ffmpeg -i video.mp4 song.flac, or pip install av"),
    ],
)
def test_file_that_is_no_audio_is_refused_with_the_remedy(tmp_path, no_av, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"^.*{name} can't be read as audio: .*{reason}.*$"):
        load_signal(tmp_path / name)


def test_folder_and_audio_without_samples_are_refused(tmp_path):
    soundfile.write(tmp_path / "none.wav", [], 22050)
    for path, reason in ((tmp_path, "is a folder"), (tmp_path / "none.wav", "holds no samples")):
        with pytest.raises(InputError, match=reason):
            load_signal(path)


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2**31 - 1])
def test_rate_that_no_recording_has_is_refused(tmp_path, rate):
    path, content = clip_file(tmp_path / "clip.wav")
    content[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"^.*clip.wav can't be used: its rate of {rate} Hz.*$"):
        load_signal(path)


def test_header_that_claims_gigabytes_costs_no_memory_and_is_noted(tmp_path, no_av):
    path, content = clip_file(tmp_path / "clip.flac")
    content[21] |= 0x0F  # the number of samples has 36 bits
    content[22:26] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert most_memory(load_signal, path) < 2**28
    assert "only 3.0 of 3116529.6 s could be read" in read_clip(path, 1)[1]


@pytest.mark.parametrize(
    "suffix, subtype, n_channels",
    [("flac", "PCM_16", 2), ("wav", "PCM_U8", 1), ("wav", "PCM_24", 12), ("wav", "FLOAT", 1)],
)
def test_file_whose_header_tells_no_length_is_read_to_its_end(
    tmp_path, suffix, subtype, n_channels
):
    pytest.importorskip("av")
    path = tmp_path / f"clip.{suffix}"
    soundfile.write(path, np.stack(n_channels * [make_clip("hum", 0)], axis=1), 22050, subtype)
    content = bytearray(path.read_bytes())
    expected = load_signal(path)
    if suffix == "flac":
        content[21:26] = bytes([content[21] & 0xF0, 0, 0, 0, 0])
    else:
        start = content.index(b"data") + 4
        content[start : start + 4] = bytes(4)
    path.write_bytes(content)
    assert np.array_equal(load_signal(path), expected)


def make_mp3_without_length(path, mode):
    """Write an MP3 of 10 s behind a tag, without its first frame, in which the length stands."""
    signal = make_clip("hum", 0, 10.0, 44100)
    signal[:88200] += 0.3 * make_clip("hiss", 0, 2.0, 44100)  # needs more bits than the rest
    soundfile.write(path, signal, 44100, bitrate_mode=mode, compression_level=0.5)
    content = path.read_bytes()
    tag = b"ID3\x04\0\0" + bytes([0, 0, 39, 8]) + bytes(5000)
    path.write_bytes(tag + content[content.index(content[:2], 100) :])
    return path


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_mp3_that_does_not_tell_its_length_is_read_to_its_end(tmp_path, mode):
    if mode == "VARIABLE":  # libsndfile takes the rest to need as many bits as the beginning
        pytest.importorskip("av")
    path, notes = make_mp3_without_length(tmp_path / "clip.mp3", mode), []
    assert read_clip(path)[0] == pytest.approx(10, abs=0.1)
    assert len(load_signal(path, 9.5, notes)) == 209475
    assert not notes  # on the rest, which wasn't asked for
    signal = load_signal(path)[-22050:]
    assert 90 <= np.abs(np.fft.rfft(signal)).argmax() <= 130  # Hz: the tone of the clip's end
    assert np.abs(signal).max() < 0.5


def test_rest_that_only_pyav_reads_is_noted_with_the_remedy(tmp_path, no_av):
    seconds, note = read_clip(make_mp3_without_length(tmp_path / "clip.mp3", "VARIABLE"), 1)
    assert 1 < seconds < 8
    assert note.startswith(f"only {seconds:.1f} of ") and "pip install av" in note


@pytest.mark.parametrize("suffix", ["au", "flac", "ogg", "mp3", "wav", "aiff", "caf"])
def test_all_of_joined_recordings_is_read_or_the_loss_is_noted(tmp_path, suffix):
    pytest.importorskip("av")
    path, content = clip_file(tmp_path / f"first.{suffix}")
    _, rest = clip_file(tmp_path / f"second.{suffix}", 6.0)
    path.write_bytes(content + rest)
    if suffix in ("wav", "aiff", "caf"):  # no decoder reads on
        assert read_clip(path, 1)[0] == 3
    else:
        assert read_clip(path)[0] == pytest.approx(9, abs=0.1)  # MP3 and OGG pad each recording


@pytest.mark.parametrize("suffix", ["m4a", "mka"])
def test_formats_that_soundfile_does_not_know_are_read_by_pyav(tmp_path, suffix):
    av = pytest.importorskip("av")
    signal = make_clip("hum", 0, 3.0).astype(np.float32)
    with av.open(tmp_path / f"clip.{suffix}", "w") as container:
        container.metadata["comment"] = 100_000 * "x"  # behind the audio, as a picture would be
        stream = container.add_stream("aac", rate=22050, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.stack([signal, signal]), "fltp", "stereo")
        frame.rate = 22050
        container.mux([*stream.encode(frame), *stream.encode(None)])
    path = (tmp_path / f"clip.{suffix}").rename(tmp_path / "clip.mp3")  # as some programs do
    assert read_clip(path) == (pytest.approx(3, abs=0.1),)
    spectra = [np.abs(np.fft.rfft(x, 66150)) for x in (load_signal(path), signal)]
    assert np.corrcoef(*spectra)[0, 1] > 0.95
    if suffix == "mka":  # cut off, an M4A lacks its index
        content = path.read_bytes()
        path.write_bytes(content[: len(content) * 9 // 10])
        assert "s could be read" in read_clip(path, 1)[1]


def test_tag_that_is_not_unicode_costs_nothing_of_a_file_that_pyav_reads(tmp_path):
    pytest.importorskip("av")
    path, content = clip_file(tmp_path / "clip.wav")
    info = b"INFOINAM" + (6).to_bytes(4, "little") + b"Caf\xe9s\0"
    head = content[:36] + b"LIST" + len(info).to_bytes(4, "little") + info
    path.write_bytes(head + content[36 : len(content) // 2])
    assert "only 1." in read_clip(path, 1)[1]


def test_mp3_with_an_odd_tag_is_whole(tmp_path, no_av):
    path, content = clip_file(tmp_path / "clip.mp3")
    comment = b"COMM" + bytes([0, 0, 0, 5, 0, 0]) + b"\0engx"  # without the end of its description
    path.write_bytes(b"ID3\x03\0\0" + bytes([0, 0, 0, len(comment)]) + comment + content)
    assert read_clip(path) == (3,)


@pytest.mark.parametrize("suffix", ["flac", "wav", "aiff", "au"])
def test_damaged_file_is_read_as_far_as_it_goes_and_noted(tmp_path, suffix):
    pytest.importorskip("av")
    path, content = clip_file(tmp_path / f"clip.{suffix}")
    path.write_bytes(content[: len(content) // 2])
    seconds, note = read_clip(path, 1)
    assert 1 < seconds < 2
    assert note == f"only {seconds:.1f} of 3.0 s could be read: it is cut off or damaged"


def test_mp3_that_is_cut_off_behind_a_picture_is_noted(tmp_path, no_av):
    path, content = clip_file(tmp_path / "clip.mp3")
    tag = b"ID3\x04\0\0" + bytes([0, 6, 0, 0]) + bytes(6 << 14)
    path.write_bytes(tag + content)
    assert read_clip(path) == (3,)
    path.write_bytes(tag + content[: len(content) // 2])
    assert "of 3.0 s could be read" in read_clip(path, 1)[1]


@pytest.mark.parametrize("suffix, order", [("wav", "little"), ("aiff", "big")])
def test_picture_in_a_chunk_behind_the_audio_is_no_loss(tmp_path, suffix, order, no_av):
    path, content = clip_file(tmp_path / f"clip.{suffix}")
    content += b"ID3 " + (100_000).to_bytes(4, order) + bytes(100_000)
    content[4:8] = (len(content) - 8).to_bytes(4, order)
    path.write_bytes(content)
    assert read_clip(path) == (3,)


@pytest.mark.parametrize("size", [2**32 - 1, 2**31 - 4060])
def test_wav_written_to_a_pipe_is_read_to_its_end(tmp_path, size, no_av):
    path, content = clip_file(tmp_path / "clip.wav")
    content[4:8] = content[40:44] = size.to_bytes(4, "little")
    path.write_bytes(content)
    assert read_clip(path) == (3,)


def test_junk_within_an_mp3_is_skipped_and_noted_without_a_line_on_stderr(tmp_path, capfd, no_av):
    path, content = clip_file(tmp_path / "clip.mp3")
    path.write_bytes(content[:9000] + 300 * b"\n" + content[9000:])
    seconds, note = read_clip(path, 1)
    assert seconds == 3
    assert note.startswith("damaged in places")
    assert capfd.readouterr().err == ""
