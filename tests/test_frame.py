"""What a user may rely on about the settings of a frame."""

import pytest

from genre_features.frame import COLUMNS, N_FEATURES, FrameSettings, frames_per_clip

SAVED = {"sample_rate": 22050, "n_fft": 2048, "hop_length": 1709, "frames": 387, "lowpass": None}


def test_columns_of_the_kinds_are_next_to_each_other_and_all_there_are():
    columns = [i for kind in COLUMNS.values() for i in range(kind.start, kind.stop)]
    assert columns == list(range(N_FEATURES))
    assert (COLUMNS["chroma"].start, COLUMNS["spectral_contrast"].stop) == (14, 33)


@pytest.mark.parametrize("name", SAVED)
@pytest.mark.parametrize("value", [0, -1, 512.0, float("nan"), "512", True, 10**10])
def test_impossible_setting_is_refused(name, value):
    with pytest.raises(ValueError, match="impossible"):
        FrameSettings.read(SAVED | {name: value})


def test_frames_of_a_clip_are_those_of_the_shortest_of_gtzan_at_any_hop_length():
    assert frames_per_clip() == FrameSettings().frames == 1290
    for hop_length in (1, 512, 1709, 660_000, 700_000):
        frames = frames_per_clip(hop_length)
        assert (frames - 1) * hop_length <= 660_000 < frames * hop_length


def test_seconds_are_the_nearest_number_of_frames_and_at_least_one():
    for hop_length, seconds, n_frames in ((512, 1, 43), (1709, 1, 13), (512, 0, 1)):
        assert FrameSettings(hop_length=hop_length).frames_in(seconds) == n_frames
    assert [FrameSettings(hop_length=22050).frames_in(seconds) for seconds in (2.4, 2.6)] == [2, 3]
