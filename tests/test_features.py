"""What a user may rely on about the 33 features of a frame."""

import numpy as np
import pytest
import soundfile
from helpers import GENRES, features_by_librosa, make_clip

from genre_features import audio
from genre_features.audio import load_signal
from genre_features.features import extract_clip, extract_features, extract_file
from genre_features.frame import COLUMNS, SAMPLE_RATE, FrameSettings


@pytest.mark.filterwarnings("ignore:Trying to estimate tuning")
@pytest.mark.parametrize("genre", GENRES)
@pytest.mark.parametrize("hop_length", [512, 1709])
def test_features_equal_librosas_functions_called_one_by_one(genre, hop_length):
    signal = make_clip(genre, 0, seconds=3.0).astype(np.float32)
    expected = features_by_librosa(signal, hop_length)
    found = extract_features(signal, FrameSettings(hop_length=hop_length))
    assert found.dtype == np.float32
    assert found.shape == (1 + len(signal) // hop_length, 33)
    for kind, columns in COLUMNS.items():
        np.testing.assert_allclose(
            # An MFCC near zero is a sum of 128 levels that cancel, but for rounding.
            found[:, columns].T,
            expected[kind],
            rtol=1e-4,
            atol=1e-5,
            err_msg=kind,
        )


@pytest.mark.parametrize(("hop_length", "rate"), [(512, 22050), (1709, 44100), (3000, 48000)])
def test_features_of_a_long_file_are_those_of_the_whole_signal(
    hop_length, rate, tmp_path, monkeypatch
):
    monkeypatch.setattr(audio, "BLOCK_SECONDS", 2)
    clips = [make_clip(genre, 3, seconds=2.3, rate=rate) for genre in GENRES]
    # Louder from clip to clip, and never silent: a band of rounding errors has no contrast.
    loud = np.repeat([0.1, 0.3, 1.0], [len(clip) for clip in clips])
    noise = 1e-3 * np.random.default_rng(0).standard_normal(len(loud))
    soundfile.write(tmp_path / "long.wav", loud * np.concatenate(clips) + noise, rate, "FLOAT")
    settings = FrameSettings(hop_length=hop_length)
    features, seconds = extract_file(tmp_path / "long.wav", settings)
    whole = extract_features(load_signal(tmp_path / "long.wav"), settings)
    assert seconds == pytest.approx(6.9, abs=hop_length / 22050)
    # The highest band of resampled audio holds next to nothing at its upper end.
    columns = slice(0, 32) if rate != 22050 else slice(0, 33)
    np.testing.assert_allclose(features[:, columns], whole[:, columns], rtol=1e-3, atol=1e-3)


def test_features_of_a_clip_depend_on_its_first_seconds_alone(tmp_path):
    signal = make_clip("blip", 0, seconds=2.0)
    for name, rest in (("short", []), ("long", make_clip("hiss", 0, seconds=9.0))):
        soundfile.write(tmp_path / f"{name}.wav", np.concatenate([signal, rest]), 22050)
    settings = FrameSettings(frames=30)
    found = extract_clip(tmp_path / "long.wav", settings)
    assert found.shape == (30, 33)
    assert np.array_equal(found, extract_clip(tmp_path / "short.wav", settings))


def test_silence_has_finite_features():
    found = extract_features(np.zeros(SAMPLE_RATE, np.float32))
    assert np.isfinite(found).all()
    assert not found[:, COLUMNS["spectral_centroid"]].any()
