"""What a user may rely on about values read from files, and about input that can't be used."""

from pathlib import Path
from unittest import mock

import pytest

from common.errors import InputError, are_names, escape_controls, list_names, try_call


def test_names_are_distinct_strings_in_a_list():
    assert all(map(are_names, (["a"], ["a", "b"], [])))
    wrong = ["ab", ("a", "b"), ["a", "a"], ["a", 1], [None], None, {"a": 1}]
    assert not any(map(are_names, wrong))


def test_file_that_cannot_be_used_is_a_problem_of_its_own_and_a_bug_is_none(tmp_path):
    assert try_call((tmp_path / "missing").read_bytes)[0] is None
    problem = f"{tmp_path / 'missing'}: No such file or directory"  # without the error's number
    assert try_call((tmp_path / "missing").read_bytes)[1] == problem
    problem = f"{tmp_path}: "  # a file that can't take a folder's place
    (tmp_path / "temporary").touch()
    assert try_call((tmp_path / "temporary").replace, tmp_path)[1].startswith(problem)
    with pytest.raises(ZeroDivisionError):
        try_call(divmod, 1, 0)
    no_memory = mock.Mock(side_effect=MemoryError)
    assert try_call(no_memory, "a.mp3") == (None, "a.mp3 needs more memory than there is")


def test_messages_are_one_line_that_commands_no_terminal():
    name = "a\nb\r\x1b[2J\x85\u2028 Ñandú\xa0\\.wav"
    assert escape_controls(InputError(name)) == r"a\nb\r\x1b[2J\x85\u2028 Ñandú" + "\xa0\\.wav"
    assert try_call(Path(name).read_bytes)[1].count("\n") == 0


def test_long_list_names_five_and_counts_the_others():
    assert list_names(list("abcdefgh")) == "a, b, c, d, e and 3 others"
    assert list_names(list("abcde")) == "a, b, c, d, e"
