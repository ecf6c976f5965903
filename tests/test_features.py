"""What a user may rely on about the 33 features of a frame."""

import librosa
import numpy as np
import pytest
import soundfile
import soxr
from helpers import GENRES, make_clip, most_memory

from genre_features import decoding
from genre_features import features as module
from genre_features.audio import load_signal
from genre_features.features import extract_features, extract_file
from genre_features.frame import N_FEATURES, SAMPLE_RATE, FrameSettings


def noise(seconds=1.5, rate=SAMPLE_RATE):
    return 0.1 * np.random.default_rng(0).standard_normal(round(seconds * rate))


def chord(cents=0):
    """A chord that is so much higher than one of A440, over a little noise."""
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    pitches = np.array([220, 277.18, 329.63, 440]) * 2 ** (cents / 1200)
    return np.sin(2 * np.pi * np.outer(pitches, time)).sum(axis=0) / 8 + 0.001 * noise(2)


SILENCE = np.zeros(SAMPLE_RATE)
SIGNALS = {
    **{genre: lambda genre=genre: make_clip(genre, 0, seconds=3.0) for genre in GENRES},
    "noise": noise,
    "tone": lambda: np.sin(2 * np.pi * 440 / SAMPLE_RATE * np.arange(2 * SAMPLE_RATE)) / 2,
    **{f"detuned by {cents} cents": lambda cents=cents: chord(cents) for cents in (-49, -8, 0, 31)},
    "detuned in noise": lambda: chord(-23) + noise(2),
    "silence": lambda: SILENCE,
    "silent parts": lambda: np.concatenate([noise(), SILENCE, chord(), SILENCE]),
    "fading": lambda: noise(4) * np.exp(-8 * np.linspace(0, 4, 4 * SAMPLE_RATE)),
    **{f"{n} samples": lambda n=n: noise()[:n] for n in (1, 511, 2047, 2048, 5000)},
    # With nothing above half of a low sample rate
    "rate of 1000": lambda: soxr.resample(noise(rate=1000), 1000, SAMPLE_RATE),
    "rate of 16000": lambda: soxr.resample(noise(rate=16000), 16000, SAMPLE_RATE),
}


def assert_librosas(features, signal, hop_length):
    """Check features against those of librosa's functions."""
    options = {"y": signal, "sr": SAMPLE_RATE, "hop_length": hop_length}
    expected = [
        librosa.feature.mfcc(n_mfcc=13, **options),
        librosa.feature.spectral_centroid(**options),
        librosa.feature.chroma_stft(**options),
        librosa.feature.spectral_contrast(**options),
    ]
    assert features.dtype == np.float32
    # An MFCC near zero is a sum of 128 levels that cancel, but for rounding.
    np.testing.assert_allclose(features, np.concatenate(expected).T, rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Trying to estimate tuning", "ignore:n_fft=2048 is too large")
@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("hop_length", [512, 1709])
def test_features_equal_librosas_functions_called_one_by_one(name, hop_length):
    signal = SIGNALS[name]().astype(np.float32)
    features = extract_features(signal, FrameSettings(hop_length=hop_length))
    assert_librosas(features, signal, hop_length)


@pytest.fixture
def short_blocks(monkeypatch):
    """Files of more than two seconds are read in blocks."""
    monkeypatch.setattr(module, "LONG_SECONDS", 2)
    monkeypatch.setattr(decoding, "BLOCK_SAMPLES", 2 * SAMPLE_RATE)


@pytest.mark.usefixtures("short_blocks")
@pytest.mark.parametrize(
    ("hop_length", "rate", "cutoff"),
    [
        (512, 22050, None),
        (1709, 44100, None),
        (3000, 48000, None),
        (60_000, 48000, None),
        (512, 22050, 9000),
    ],
)
def test_features_of_a_long_file_are_those_of_the_whole_signal(hop_length, rate, cutoff, tmp_path):
    clips = [make_clip(genre, 3, seconds=2.3, rate=rate) for genre in GENRES]
    # Louder from clip to clip, and never silent: a band of rounding errors has no contrast.
    loudness = np.repeat([0.1, 0.3, 1.0], [len(clip) for clip in clips])
    signal = loudness * np.concatenate(clips) + 1e-2 * noise(len(loudness) / rate, rate)
    soundfile.write(tmp_path / "long.wav", signal, rate, "FLOAT")
    settings = FrameSettings(hop_length=hop_length, lowpass=cutoff)
    features, seconds, notes = extract_file(tmp_path / "long.wav", settings)
    whole = extract_features(load_signal(tmp_path / "long.wav"), settings)
    assert seconds == pytest.approx(6.9, abs=hop_length / SAMPLE_RATE)
    assert notes == []
    # Resampled audio holds next to nothing in the highest bands of contrast, as filtered audio.
    columns = slice(0, 33 if rate == SAMPLE_RATE and not cutoff else 26)
    np.testing.assert_allclose(features[:, columns], whole[:, columns], rtol=1e-3, atol=1e-2)


@pytest.mark.usefixtures("short_blocks")
@pytest.mark.parametrize("hop_length", [512, 1709])
def test_features_of_a_long_file_with_silent_parts_are_librosas(hop_length, tmp_path):
    # Some blocks hold only what is quieter than the whole by more than librosa's range of 80 dB.
    parts = (1e-5 * noise(3), SILENCE, chord(25), SILENCE, SILENCE, noise(3), 1e-6 * noise(3))
    signal = np.concatenate(parts).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", signal, SAMPLE_RATE, "FLOAT")
    features, *_ = extract_file(tmp_path / "long.wav", FrameSettings(hop_length=hop_length))
    assert_librosas(features, signal, hop_length)


def test_losses_of_a_long_file_are_noted_once(tmp_path, short_blocks):
    soundfile.write(tmp_path / "long.mp3", noise(5), SAMPLE_RATE)
    content = (tmp_path / "long.mp3").read_bytes()
    (tmp_path / "long.mp3").write_bytes(content[:9000] + 300 * b"\n" + content[9000:])
    assert len(extract_file(tmp_path / "long.mp3").notes) == 1


def test_features_of_a_clip_depend_on_its_first_seconds_alone(tmp_path):
    signal, rest = make_clip("blip", 0, seconds=2.0), make_clip("hiss", 0, seconds=9.0)
    soundfile.write(tmp_path / "short.wav", signal, 22050)
    soundfile.write(tmp_path / "long.wav", np.concatenate([signal, rest]), 22050)
    short, long = (
        extract_file(tmp_path / f"{name}.wav", FrameSettings(), 30).features
        for name in ("short", "long")
    )
    assert long.shape == (30, N_FEATURES)
    assert np.array_equal(long, short)


def test_memory_of_a_long_file_hardly_grows_with_its_length(tmp_path, short_blocks):
    most = []
    for seconds in (15, 60):
        soundfile.write(tmp_path / "noise.wav", noise(seconds), SAMPLE_RATE)
        most.append(most_memory(extract_file, tmp_path / "noise.wav"))
    assert most[1] - most[0] < 45 * 50_000  # bytes a second: 180 MB an hour
