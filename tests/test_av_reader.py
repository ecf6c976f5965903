"""What a user may rely on where PyAV is installed."""

import numpy as np
import pytest
from helpers import clip_file, make_clip, read_clip

from genre_features.audio import load_signal

av = pytest.importorskip("av")


def test_formats_that_soundfile_does_not_know_are_read_by_pyav(tmp_path):
    signal = make_clip("hum", 0, 3.0).astype(np.float32)
    with av.open(tmp_path / "clip.m4a", "w") as container:
        stream = container.add_stream("aac", rate=22050, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.stack([signal, signal]), "fltp", "stereo")
        frame.rate = 22050
        container.mux([*stream.encode(frame), *stream.encode(None)])
    (tmp_path / "clip.m4a").rename(tmp_path / "clip.mp3")  # as some programs do
    assert read_clip(tmp_path / "clip.mp3")[0] == pytest.approx(3, abs=0.1)
    spectra = [np.abs(np.fft.rfft(x, 66150)) for x in (load_signal(tmp_path / "clip.mp3"), signal)]
    assert np.corrcoef(*spectra)[0, 1] > 0.95


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT"])
def test_wav_that_says_it_is_empty_is_read_by_pyav(tmp_path, subtype):
    path, content = clip_file(tmp_path / "clip.wav", subtype=subtype)
    expected, start = load_signal(path), content.index(b"data") + 4
    content[start : start + 4] = bytes(4)
    path.write_bytes(content)
    assert np.array_equal(load_signal(path), expected)


def test_damaged_file_is_read_as_far_as_it_goes_and_noted(tmp_path):
    path, content = clip_file(tmp_path / "clip.flac")
    path.write_bytes(content[: len(content) // 2])
    seconds, note = read_clip(path, 1)
    assert 1 < seconds < 2
    assert note == f"only {seconds:.1f} of 3.0 s could be read: it is cut off or damaged"
