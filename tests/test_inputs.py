"""What a user may rely on about values that are read from files."""

import pytest

from plumbing.inputs import LARGEST, are_lengths, are_names


@pytest.mark.parametrize("values", [["a"], ["a", "b"], []])
def test_distinct_strings_are_names(values):
    assert are_names(values)


@pytest.mark.parametrize("values", ["ab", ("a", "b"), ["a", "a"], ["a", 1], [None], None, {"a": 1}])
def test_anything_else_is_no_list_of_names(values):
    assert not are_names(values)


def test_lengths_are_whole_numbers_from_one_to_the_limit():
    assert are_lengths([1, 512, LARGEST])
    for value in (0, -1, LARGEST + 1, 1.0, True, "1", None, float("nan")):
        assert not are_lengths([1, value])
