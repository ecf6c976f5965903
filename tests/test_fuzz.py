"""What a user may rely on when a file is damaged, or was made to do harm."""

import pytest

pytest.importorskip("resource", reason="Windows limits no memory")
from fuzz import fuzz, list_cases


def test_damaged_and_hostile_files_are_read_or_refused_in_one_line(tmp_path):
    cases = list_cases(n_audio=160, n_arrays=60)
    outcomes = zip(cases, fuzz(cases, seed=1, kept=tmp_path), strict=True)
    assert not {case: found for case, found in outcomes if found not in ("read", "refused")}
