"""What a user may rely on about recordings that are unlike the training clips."""

import argparse
import dataclasses

import numpy as np
import pytest
import torch

from genre_features.frame import COLUMNS, N_FEATURES, FrameSettings
from genre_lstm import similarity
from genre_lstm.similarity import clip_statistics, fit_reference, is_unlike_training

SETTINGS = FrameSettings(hop_length=1709, frames=60)


def make_clips(n_clips, seed, scale=1.0, n_frames=60):
    """Return random features of some clips, whose MFCC wander."""
    rng = np.random.default_rng(seed)
    clips = rng.standard_normal((n_clips, n_frames, N_FEATURES)).astype(np.float32)
    clips += 3 * rng.standard_normal((n_clips, 1, N_FEATURES)).astype(np.float32)
    return scale * clips


def fit(clips):
    """Return the reference of some training clips."""
    return fit_reference(argparse.Namespace(inputs={"train": clips}, settings=SETTINGS))


@pytest.fixture(scope="module")
def reference():
    return fit(make_clips(200, seed=0))


def test_about_one_new_clip_in_twenty_is_unlike_the_training_clips(reference):
    unlike = [is_unlike_training(reference, clip, SETTINGS) for clip in make_clips(200, seed=1)]
    assert 0.01 < np.mean(unlike) < 0.12


@pytest.mark.parametrize("scale", [0.2, 3.0])
def test_clips_of_other_kinds_are_unlike_the_training_clips(reference, scale):
    clips = make_clips(20, seed=2, scale=scale)
    assert all(is_unlike_training(reference, clip, SETTINGS) for clip in clips)


def test_level_and_estimated_features_do_not_matter():
    clip = make_clips(1, seed=3)[0]
    changed = clip.copy()
    changed[:, 0] += 20  # MFCC 0, the level
    changed[:, COLUMNS["mfcc"].stop :] = 7
    statistics = [clip_statistics(features, SETTINGS) for features in (clip, changed)]
    np.testing.assert_allclose(*statistics, rtol=1e-4)


def test_statistics_hold_at_another_hop_length():
    seconds = np.arange(0, 20, 512 / 22050)
    sines = np.sin(2 * np.pi * 0.3 * seconds[:, None] + np.arange(N_FEATURES))
    fine = clip_statistics(sines, dataclasses.replace(SETTINGS, hop_length=512))
    coarse = clip_statistics(sines[::3], dataclasses.replace(SETTINGS, hop_length=1536))
    np.testing.assert_allclose(fine, coarse, atol=0.1)


@pytest.mark.parametrize("n_clips", [1, 2, 3])
def test_few_clips_and_single_frames_give_a_reference(n_clips):
    reference = fit(make_clips(n_clips, 0))
    assert all(torch.isfinite(tensor).all() for tensor in reference.values())
    assert is_unlike_training(reference, make_clips(1, 1, n_frames=1)[0], SETTINGS) in (True, False)


def test_reference_of_a_large_data_set_stays_small(monkeypatch):
    monkeypatch.setattr(similarity, "MAX_CLIPS", 50)
    assert len(fit(make_clips(80, 0))["clips"]) == 50


class GpuTensor(torch.Tensor):
    """A tensor that numpy can't read until it is copied to the CPU."""

    def __array__(self, dtype=None):
        raise TypeError("copy it to the CPU first")

    def cpu(self):
        return self.as_subclass(torch.Tensor)


def test_reference_is_the_same_for_training_clips_on_a_gpu():
    clips = make_clips(10, seed=4)
    either = [fit(inputs) for inputs in (clips, torch.from_numpy(clips).as_subclass(GpuTensor))]
    assert all(torch.equal(either[0][key], either[1][key]) for key in either[0])
