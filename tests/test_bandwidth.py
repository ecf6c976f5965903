"""What a user may rely on about the bandwidth of recordings."""

import re

import numpy as np
import pytest
import soundfile
from helpers import FRAMES, run, write_clip

from genre_features.audio import load_signal
from genre_features.bandwidth import (
    FULL,
    bandwidth_baseline,
    effective_bandwidth,
)
from genre_features.frame import SAMPLE_RATE
from genre_features.genres import SIX_GENRES
from genre_features.lowpass import lowpass


def music(seconds=3, slope=6):
    """Noise that falls off by so many dB an octave, as music does."""
    noise = np.random.default_rng(0).standard_normal(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(noise)
    hz = np.fft.rfftfreq(len(noise), 1 / SAMPLE_RATE)
    signal = np.fft.irfft(spectrum * np.maximum(hz, 50) ** (-slope / 6.02))
    return (0.3 * signal / np.abs(signal).max()).astype(np.float32)


@pytest.mark.parametrize("cutoff", [4000, 7500, 9600])
def test_cut_is_found_to_within_200_hz(cutoff):
    assert effective_bandwidth(lowpass(music(), cutoff)) == pytest.approx(cutoff, abs=200)


@pytest.mark.parametrize("slope", [0, 6, 12])
def test_music_that_falls_off_by_itself_is_not_called_cut(slope):
    assert effective_bandwidth(music(slope=slope)) == FULL


def test_cut_is_found_behind_clipped_peaks_across_the_band():
    signal = lowpass(music(), 9600)
    signal[::9973] = 1  # a click in some of the frames
    assert np.abs(signal).max() == 1
    assert effective_bandwidth(signal) == pytest.approx(9600, abs=200)


def test_silence_and_single_samples_have_some_bandwidth():
    for signal in (np.zeros(SAMPLE_RATE), np.ones(1), np.zeros(100)):
        assert 0 < effective_bandwidth(signal) <= FULL


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_noise_at_other_rates_is_cut_at_their_own_limit_alone(tmp_path, rate):
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


def check(folder, cut, *arguments):
    """Write clips of two genres, those of the ones in `cut` low-passed at 6 kHz; check them."""
    for genre in ("metal", "pop"):
        for number in (0, 1, 10, 11, *range(30, 38)):
            path = folder / genre / f"{genre}.{number:05}.wav"
            is_cut = genre in cut or path.stem in cut
            seed, rate = 100 * (genre == "pop") + number, 12000 if is_cut else SAMPLE_RATE
            write_clip(path, "hiss", seed, rate=rate)
    options = ("--check", "--frames", FRAMES, "--jobs", 1, *arguments)
    return run("GenreFeatureData.py", "--dataset", folder, *options)[0]


def test_check_warns_where_the_bandwidth_predicts_the_genre_and_plots_it(tmp_path):
    stdout = check(tmp_path, ["metal"], "--plot", tmp_path / "bandwidth.png")
    assert re.search(r"metal +8 of 8, (5.9|6.0) kHz", stdout)
    assert re.search(r"pop +0 of 8 ", stdout)
    assert "Warning: bandwidth alone predicts the genre of 100% of the clips" in stdout
    assert "--lowpass" in stdout
    assert (tmp_path / "bandwidth.png").read_bytes().startswith(b"\x89PNG")
    _, stderr = run("GenreFeatureData.py", "--plot", "x.png", cwd=tmp_path, status=2)
    assert "--check" in stderr.splitlines()[-1]


@pytest.mark.parametrize("cut", [["pop.00037"], ["metal", "pop"]])
def test_check_does_not_warn_where_genres_are_alike_and_names_single_clips(tmp_path, cut):
    stdout = check(tmp_path, cut)
    assert "Warning" not in stdout
    assert ("cut off: pop/pop.00037.wav (" in stdout) == (cut == ["pop.00037"])
