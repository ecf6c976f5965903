"""What a user may rely on when scripts are killed; `make fuzz` kills them more often: crash.py."""

import os

import pytest
from crash import disturb_renames, ended, start, trained, training, work
from helpers import run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no forks")


def test_training_killed_at_some_renames_goes_on_and_ends_as_if_never_killed(
    features, tmp_path, undrawn
):
    run(*training(features, tmp_path / "whole"))
    for n_renames in (0, 5, 20):  # before the first checkpoint, between two, at the end
        assert not ended(start(work, training(features, tmp_path / "killed"), n_renames))
    run(*training(features, tmp_path / "killed"))
    assert trained(tmp_path / "killed") == trained(tmp_path / "whole")


def test_extraction_killed_at_its_last_renames_keeps_the_old_features_or_is_completed_at_once(
    corpus, features, tmp_path
):
    n_clips = len(list(corpus.glob("*/*")))
    assert disturb_renames(corpus, features, tmp_path, first=n_clips - 1) > 1
