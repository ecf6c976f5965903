"""What a user may rely on about the signal of an audio file."""

import numpy as np
import pytest
import soundfile
from helpers import clip_file, make_clip

from genre_features import audio
from genre_features.audio import load_signal, stream_signal


def test_any_rate_and_channel_count_is_brought_to_mono_at_22050_hz(tmp_path):
    signal = make_clip("hum", 0, rate=44100)
    soundfile.write(tmp_path / "stereo.flac", np.stack([0 * signal, 2 * signal], axis=1), 44100)
    soundfile.write(tmp_path / "mono.wav", make_clip("hum", 0), 22050, subtype="FLOAT")
    stereo, mono = load_signal(tmp_path / "stereo.flac"), load_signal(tmp_path / "mono.wav")
    assert stereo.shape == mono.shape == (22050,)
    # Both hold the same tone; only their noise was drawn at different rates.
    assert np.corrcoef(stereo, mono)[0, 1] > 0.99


@pytest.mark.parametrize(
    ("suffix", "rate"), [("wav", 22050), ("wav", 44100), ("wav", 16000), ("mp3", 22050)]
)
def test_blocks_of_a_stream_make_up_the_whole_signal(tmp_path, monkeypatch, suffix, rate):
    monkeypatch.setattr(audio, "BLOCK_SECONDS", 1)
    path, _ = clip_file(tmp_path / f"clip.{suffix}", 99_999 / rate, rate)
    pieces = list(stream_signal(path))
    assert max(map(len, pieces)) < 1.1 * 22050
    whole = load_signal(path)
    assert len(whole) == np.ceil(99_999 * 22050 / rate)  # soxr makes one less at 16 kHz
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-4)
