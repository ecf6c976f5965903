"""What a user may rely on about the bandwidth of recordings."""

import re

import numpy as np
import pytest
import soundfile
from helpers import FRAMES, is_drawn, run, write_clip

from genre_features.audio import load_signal
from genre_features.bandwidth import FULL, bandwidth_baseline, effective_bandwidth
from genre_features.frame import SAMPLE_RATE
from genre_features.genres import SIX_GENRES
from genre_features.lowpass import lowpass


def music(slope=6):
    """Noise that falls off by so many dB an octave, as music does."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(3 * SAMPLE_RATE))
    hz = np.fft.rfftfreq(3 * SAMPLE_RATE, 1 / SAMPLE_RATE)
    signal = np.fft.irfft(spectrum * np.maximum(hz, 50) ** (-slope / 6.02))
    return (0.3 * signal / np.abs(signal).max()).astype(np.float32)


@pytest.mark.parametrize("cutoff", [4000, 7500, 9600])
def test_cutoff_is_measured_to_within_200_hz_even_behind_clipped_peaks(cutoff):
    signal = lowpass(music(), cutoff)
    assert effective_bandwidth(signal) == pytest.approx(cutoff, abs=200)
    signal[::9973] = 1  # a click in some of the frames
    assert effective_bandwidth(signal) == pytest.approx(cutoff, abs=200)


@pytest.mark.parametrize("slope", [0, 6, 12])
def test_music_that_falls_off_by_itself_is_not_called_band_limited(slope):
    assert effective_bandwidth(music(slope)) == FULL
    assert 0 < effective_bandwidth(music(slope)[:1]) <= FULL


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_noise_at_other_rates_is_limited_by_their_nyquist_frequency_only(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", 0.1 * np.random.default_rng(0).normal(size=3 * rate), rate)
    bandwidth = effective_bandwidth(load_signal(tmp_path / "a.wav"))
    assert bandwidth == pytest.approx(8000, abs=200) if rate == 16000 else bandwidth == FULL


def test_recording_chains_are_noticed_in_few_clips_of_equally_frequent_genres():
    genres = [genre for genre in SIX_GENRES for _ in range(5)]
    n_full = {"pop": 5, "jazz": 2}
    cut = [FULL if i % 5 < n_full.get(genre, 0) else 9600 for i, genre in enumerate(genres)]
    accuracy, chance, limit = bandwidth_baseline(cut, genres)
    assert chance < limit < accuracy
    nothing = ([FULL] * 30, [500 * i for i in range(30)], np.random.default_rng(0).permutation(cut))
    for bandwidths in nothing:  # tells nothing of the genres
        accuracy, _, limit = bandwidth_baseline(bandwidths, genres)
        assert accuracy <= limit


@pytest.mark.parametrize("limited", ["metal pop.00037", "metal pop"])
def test_check_warns_where_the_bandwidth_predicts_the_genre_and_names_single_clips(
    tmp_path, limited
):
    differ = "pop" not in limited.split()  # the genres
    for genre, first in (("metal", 0), ("pop", 100)):
        for number in (0, 1, 10, 11, *range(30, 38)):
            path = tmp_path / genre / f"{genre}.{number:05}.wav"
            rate = 12000 if {genre, path.stem} & {*limited.split()} else SAMPLE_RATE
            write_clip(path, "hiss", first + number, rate=rate)
    options = ("--check", "--frames", FRAMES, "--jobs", 1, "--plot", tmp_path / "bandwidth.png")
    stdout, _ = run("GenreFeatureData.py", "--dataset", tmp_path, *options)
    warning = "Warning: bandwidth alone predicts the genre of 96% of the clips"
    assert (warning in stdout) == ("--lowpass" in stdout) == differ
    assert ("genre: pop/pop.00037.wav (" in stdout) == differ
    assert re.search(r"metal +8 +2 +2 +12 \((5.9|6.0) kHz\)", stdout)
    assert is_drawn(tmp_path / "bandwidth.png")
