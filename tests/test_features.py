"""What a user may rely on about the 33 features of a frame."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile
import soxr
from helpers import (
    GENRES,
    ROOT,
    extraction_line,
    features_by_librosa,
    make_clip,
    most_memory,
)

from genre_features import audio
from genre_features.audio import load_signal
from genre_features.features import extract_clip, extract_features, extract_file
from genre_features.frame import COLUMNS, SAMPLE_RATE, FrameSettings


def noise(seconds=1.5, rate=SAMPLE_RATE):
    return 0.1 * np.random.default_rng(0).standard_normal(round(seconds * rate))


def chord(cents=0):
    """A chord that is so much higher than one of A440, over a little noise."""
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    pitches = np.array([220, 277.18, 329.63, 440]) * 2 ** (cents / 1200)
    return np.sin(2 * np.pi * np.outer(pitches, time)).sum(axis=0) / 8 + 0.001 * noise(2)


def from_rate(rate):
    """Noise of a low sample rate, with nothing above half of it."""
    return soxr.resample(noise(rate=rate), rate, SAMPLE_RATE)


SILENCE = np.zeros(SAMPLE_RATE)
SIGNALS = {
    **{genre: lambda genre=genre: make_clip(genre, 0, seconds=3.0) for genre in GENRES},
    "noise": noise,
    "tone": lambda: np.sin(2 * np.pi * 440 / SAMPLE_RATE * np.arange(2 * SAMPLE_RATE)) / 2,
    **{f"detuned by {cents} cents": lambda cents=cents: chord(cents) for cents in (-49, -8, 0, 31)},
    "silence": lambda: SILENCE,
    "silence in subsets": lambda: np.concatenate([noise(), SILENCE, chord(), SILENCE]),
    "fading": lambda: noise(4) * np.exp(-8 * np.linspace(0, 4, 4 * SAMPLE_RATE)),
    **{f"{n} samples": lambda n=n: noise()[:n] for n in (1, 511, 2047, 2048, 5000)},
    **{f"rate of {rate}": lambda rate=rate: from_rate(rate) for rate in (1000, 8000, 16000)},
}


def assert_librosas(features, signal, hop_length):
    """Check features against those of librosa's own functions."""
    for kind, expected in features_by_librosa(signal, hop_length).items():
        np.testing.assert_allclose(
            # An MFCC near zero is a sum of 128 levels that cancel, but for rounding.
            features[:, COLUMNS[kind]].T,
            expected,
            rtol=1e-4,
            atol=1e-5,
            err_msg=kind,
        )


@pytest.mark.filterwarnings("ignore:Trying to estimate tuning", "ignore:n_fft=2048 is too large")
@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("hop_length", [512, 1709])
def test_features_equal_librosas_functions_called_one_by_one(name, hop_length):
    signal = SIGNALS[name]().astype(np.float32)
    found = extract_features(signal, FrameSettings(hop_length=hop_length))
    assert found.dtype == np.float32
    assert found.shape == (1 + len(signal) // hop_length, 33)
    assert_librosas(found, signal, hop_length)


@pytest.mark.parametrize("script", ["GenreFeatureData.py", "predict.py"])
def test_neither_librosa_nor_scipy_is_waited_for(script, corpus, tmp_path):
    lines = {
        "GenreFeatureData.py": extraction_line(corpus, tmp_path, "--lowpass", 9000),
        "predict.py": ["predict.py", str(corpus / "hum" / "hum.00000.wav")],
    }
    code = "import runpy, sys; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", f"{code}; print(*sys.modules)", *lines[script]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    modules = done.stdout.splitlines()[-1].split()
    assert "soundfile" in modules
    assert not {"librosa", "scipy", "sklearn", "numba", "matplotlib"} & set(modules)


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


@pytest.mark.parametrize("hop_length", [512, 1709])
def test_features_of_a_long_file_with_silent_parts_are_librosas(hop_length, tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "BLOCK_SECONDS", 2)
    # Some blocks hold only what is quieter than the whole by more than librosa's range of 80 dB.
    subsets = (1e-5 * noise(3), SILENCE, chord(25), SILENCE, SILENCE, noise(3), 1e-6 * noise(3))
    signal = np.concatenate(subsets).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", signal, SAMPLE_RATE, "FLOAT")
    features, _ = extract_file(tmp_path / "long.wav", FrameSettings(hop_length=hop_length))
    assert_librosas(features, signal, hop_length)


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


def test_memory_of_a_long_file_hardly_grows_with_its_length(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "BLOCK_SECONDS", 1)
    most = []
    for seconds in (15, 60):
        soundfile.write(tmp_path / "noise.wav", noise(seconds), SAMPLE_RATE)
        most.append(most_memory(extract_file, tmp_path / "noise.wav"))
    assert most[1] - most[0] < 45 * 50_000  # bytes a second: 180 MB an hour
