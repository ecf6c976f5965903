"""What a user may rely on when scripts are killed at random moments: see crash.py."""

import os

import pytest
from crash import disturb_renames, disturb_scripts

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks")


def test_scripts_killed_at_any_moment_go_on_and_end_as_if_never_killed(tmp_path, undrawn):
    n_ended = disturb_scripts(tmp_path, kills=1)
    assert all(n >= 1 for n in n_ended.values())


def test_extraction_killed_at_any_rename_keeps_the_old_features_or_is_completed_at_once(
    corpus, features, tmp_path
):
    assert disturb_renames(corpus, features, tmp_path) == 7
