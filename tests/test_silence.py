"""What a user may rely on when silent stretches of a recording are left out."""

import numpy as np
import pytest
from helpers import make_clip

from genre_features.features import extract_features
from genre_features.frame import SAMPLE_RATE, FrameSettings
from genre_features.silence import silent_frames

SOUNDS = {
    "pulses": make_clip("blip", 0, 4.0),
    "noise": make_clip("hiss", 0, 4.0),
    "hum": make_clip("hum", 0, 4.0),
    "tone": 0.5 * np.sin(2 * np.pi * 8000 / SAMPLE_RATE * np.arange(4 * SAMPLE_RATE)),
}
NOISE = np.random.default_rng(0).standard_normal(4 * SAMPLE_RATE)


def find_silence(signal, hop_length=512, lowpass=None):
    """Return the marks of all frames of a signal, and their times (s)."""
    settings = FrameSettings(hop_length=hop_length, lowpass=lowpass)
    marks = silent_frames(extract_features(signal.astype(np.float32), settings), settings)
    return marks, np.arange(len(marks)) * settings.seconds_per_frame


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("level", [0, 6e-5])  # of noise: 60 dB below the softest sound
@pytest.mark.parametrize(("hop_length", "lowpass"), [(512, None), (1709, None), (512, 9000)])
def test_silent_stretch_is_marked_and_nothing_else(sound, level, hop_length, lowpass):
    signal = np.concatenate([SOUNDS[sound], level * NOISE[:SAMPLE_RATE], SOUNDS[sound]])
    marks, time = find_silence(signal, hop_length, lowpass)
    assert marks[(time > 4.1) & (time < 4.9)].all()
    assert not marks[(time < 3.9) | (time > 5.1)].any()


@pytest.mark.parametrize("sound", SOUNDS)
def test_quiet_passage_and_faint_music_are_no_silence(sound):
    assert not find_silence(np.concatenate([SOUNDS[sound], 0.01 * SOUNDS[sound]]))[0].any()
    assert not find_silence(1e-3 * SOUNDS["hum"])[0].any()


@pytest.mark.parametrize(("seconds", "is_silent"), [(0.4, False), (0.6, True)])
def test_pause_of_less_than_half_a_second_is_music(seconds, is_silent):
    pause = np.zeros(round(seconds * SAMPLE_RATE))
    marks, _ = find_silence(np.concatenate([SOUNDS["hum"], pause, SOUNDS["hum"]]))
    assert marks.any() == is_silent


@pytest.mark.parametrize("level", [0, 2**-16])
def test_recording_of_nothing_but_the_noise_of_16_bits_is_silent_all_through(level):
    assert find_silence(level * NOISE)[0].all()
