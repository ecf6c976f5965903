"""What a user may rely on about every script's command line."""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from helpers import ROOT, SCRIPTS, run

from common.cli import number_in, run_script
from common.errors import InputError


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_has_examples_and_defaults_and_an_unknown_option_is_named(script, tmp_path):
    text, _ = run(script, "--help", cwd=tmp_path)
    assert f"\n    python {script}" in text  # a line of its own, as in the docstring
    assert "(default: " in text
    assert "default: None" not in text and "default: False" not in text
    _, stderr = run(script, "--no-such-option", cwd=tmp_path, status=2)
    assert "--no-such-option" in stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("error", "path", "name"),
    [
        (InputError("no\nmusic"), "a/b/play.py", "play.py"),
        (OSError(28, "no\nmusic"), "a/b/play.py", "play.py"),
        (MemoryError("no\nmusic"), "a/b/__main__.py", "b"),
    ],
)
def test_error_that_the_user_can_mend_prints_one_line_after_the_scripts_name(
    monkeypatch, capsys, error, path, name
):
    monkeypatch.setattr(sys, "argv", [path])
    with pytest.raises(SystemExit) as stop:
        run_script(mock.Mock(side_effect=error))
    assert stop.value.code == 2
    assert re.fullmatch(rf"{name}: .*no\\nmusic\n", capsys.readouterr().err)


def test_ctrl_c_ends_in_status_130_without_a_word_and_a_bug_is_not_hidden(capsys):
    with pytest.raises(SystemExit) as stop:
        run_script(mock.Mock(side_effect=KeyboardInterrupt))
    assert stop.value.code == 130
    assert capsys.readouterr() == ("", "")
    with pytest.raises(ZeroDivisionError):
        run_script(divmod, 1, 0)


# Opens a file, which mustn't get the number of a stream; prints much; and opens what isn't there.
SCRIPT = """
import sys
from common.cli import run_script
def main(path):
    with open(path, "w") as file:
        assert file.fileno() > 2
        for stream in (sys.stdout, sys.stderr):
            stream.writelines(f"{number}\\n" for number in range(100_000))
        sys.stdin.read()
        file.write("done")
    open(path + "/missing")
run_script(main, sys.argv[1])
"""


@pytest.mark.skipif(os.name != "posix", reason="Windows closes no streams")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_not_taken_for_files(closed, tmp_path):
    path = tmp_path / "file"
    command = ["sh", "-c", f'exec "$0" -c "$1" "$2" {closed}', sys.executable, SCRIPT, path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, input="")
    assert done.returncode == 2
    assert bool(done.stdout) == (" >&-" not in f" {closed}")
    assert ("missing" in done.stderr) == ("2>" not in closed)
    assert path.read_text() == "done"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_script_whose_output_nobody_reads_does_its_work(kind, unbuffered, tmp_path):
    reader, writer = os.pipe() if kind == "pipe" else os.openpty()
    os.close(reader)
    command = [sys.executable, "-c", SCRIPT, tmp_path / "file"]
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    streams = {"stdin": subprocess.DEVNULL, "stdout": writer, "stderr": writer}
    assert subprocess.run(command, cwd=ROOT, env=environment, **streams).returncode == 2
    os.close(writer)
    assert (tmp_path / "file").read_text() == "done"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has such a device")
def test_output_that_does_not_fit_on_the_disk_is_an_error(tmp_path):
    command = [sys.executable, "-c", SCRIPT, tmp_path / "file"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize(
    ("least", "good", "bad"),
    [
        (1, ["1", "7", "1000000000"], ["0", "-1", "1.5", "x", "", "1000000001"]),
        (0.5, ["0.5", "2", "1e3"], ["0.4", "nan", "inf", "x", "1e10"]),
    ],
)
def test_numbers_are_of_the_type_of_the_least_one_and_in_range(least, good, bad):
    numbers = [number_in(least)(text) for text in good]
    assert numbers == [type(least)(text) for text in good]
    assert {type(number) for number in numbers} == {type(least)}
    for text in bad:
        with pytest.raises(argparse.ArgumentTypeError, match=f"isn't a number from {least} to"):
            number_in(least)(text)
