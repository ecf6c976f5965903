"""What a user may rely on when files are damaged or hostile, and options wrong."""

import pytest

pytest.importorskip("resource", reason="Windows limits no memory")
from fuzz import KINDS, fuzz


def test_damaged_and_hostile_input_is_read_or_refused_in_one_line(tmp_path):
    n_cases = dict.fromkeys(KINDS, 2) | {"model": 8, "checkpoint": 8}  # these can be hostile
    cases = [(kind, number) for kind in KINDS for number in range(n_cases[kind])]
    ends = dict(zip(cases, fuzz(cases, seed=1, failures=tmp_path), strict=True))
    assert not {case: end for case, end in ends.items() if end not in (0, 2)}
    # Number 0 is undamaged.
    assert not any(ends[kind, 0] for kind in KINDS if kind != "options")
