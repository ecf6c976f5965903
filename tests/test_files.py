"""What a user may rely on about files that are written and folders that are locked."""

import contextlib
import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from helpers import ROOT, assert_one_line

from common.errors import InputError
from common.files import (
    atomic_write,
    check_file,
    lock_folders,
    read_table,
    warn_once,
    write_json,
    write_table,
)


def test_new_file_takes_the_place_of_the_old_one_when_it_is_whole(tmp_path):
    path = tmp_path / "new folder" / "file"
    for content in ("one", "two"):
        with atomic_write(path) as temporary, atomic_write(path) as other:
            temporary.write_text(content)
            other.write_text("of another writer")
            assert not path.exists() or path.read_text() == "one"
        assert path.read_text() == content
    for error in (ZeroDivisionError, KeyboardInterrupt, OSError):
        with pytest.raises(error), atomic_write(path) as temporary:
            temporary.write_text("half of the n")
            raise error
    assert path.read_text() == "two"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_full_disk_is_named_with_the_file_and_the_remedy(tmp_path, number):
    with (
        pytest.raises(InputError, match=r"file can't be written .*: make room"),
        atomic_write(tmp_path / "file"),
    ):
        raise OSError(number, os.strerror(number))


@pytest.mark.skipif(os.name != "posix", reason="folders are flushed on POSIX alone")
def test_file_is_on_the_disk_before_it_is_moved_and_its_name_after(tmp_path, monkeypatch):
    done, fsync, replace = [], os.fsync, os.replace

    def flush(descriptor):
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(os, "replace", lambda *call: done.append("move") or replace(*call))
    with atomic_write(tmp_path / "file") as temporary:
        temporary.write_text("new")
    assert done == ["file", "move", "folder"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EIO])
def test_disk_that_cannot_be_told_to_write_is_used_and_one_that_fails_is_an_error(
    tmp_path, monkeypatch, number
):
    monkeypatch.setattr(os, "fsync", mock.Mock(side_effect=OSError(number, "no")))
    fails = number == errno.EIO
    with pytest.raises(OSError, match="no") if fails else contextlib.nullcontext():
        write_json(tmp_path / "file", "text")
    assert (tmp_path / "file").exists() != fails


def test_link_is_kept_and_the_file_that_it_names_replaced(tmp_path):
    link, target = tmp_path / "link", tmp_path / "elsewhere" / "target"
    link.symlink_to(target)
    for content in ("one", "two"):
        write_json(link, content)
        assert target.read_text() == f'"{content}"\n'
    assert link.is_symlink()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")
def test_what_is_no_file_is_neither_read_nor_replaced(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    paths = {"FIFO": tmp_path / "fifo", "device": Path(os.devnull), "folder": tmp_path}
    for kind, path in paths.items():
        for function in (check_file, lambda path: write_json(path, "text")):
            with pytest.raises(InputError, match=f"^{path} is a .*{kind}"):
                function(path)
        assert not path.is_file()


def test_tables_are_read_as_they_were_written(tmp_path):
    rows = [{"a": "1", "b": "x, y"}, {"a": "Ñ", "b": ""}]
    write_table(tmp_path / "table.csv", ("a", "b"), rows)
    assert read_table(tmp_path / "table.csv") == rows
    assert (tmp_path / "table.csv").read_bytes().startswith(b"a,b\n")
    assert read_table(tmp_path / "missing.csv") == []


def test_json_never_holds_what_other_programs_cannot_read(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "file.json", {"loss": float("nan")})
    assert not list(tmp_path.iterdir())


def test_folder_is_refused_while_another_is_at_work_there_and_free_afterwards(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    with lock_folders(*folders):
        for folder in folders:
            message = f"^process {os.getpid()} .* is writing to {folder}"
            with pytest.raises(InputError, match=message), lock_folders(folder):
                pass
    (tmp_path / "link").symlink_to(tmp_path / "a", target_is_directory=True)
    # The same folder twice is no conflict.
    with lock_folders(*folders, *folders, tmp_path / "link"):
        pass


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_disk_without_locks_gets_one_warning(tmp_path, monkeypatch, capsys, number):
    fcntl = pytest.importorskip("fcntl", reason="Windows locks otherwise")
    monkeypatch.setattr(fcntl, "flock", mock.Mock(side_effect=OSError(number, "no")))
    warn_once.cache_clear()
    with lock_folders(tmp_path, tmp_path / "other"):
        write_json(tmp_path / "file", "text")
    assert_one_line(capsys.readouterr().err, "has no locks")


def test_folder_of_a_killed_run_is_free_and_its_unfinished_files_are_removed(tmp_path):
    code = (
        "import os, pathlib, sys\n"
        "from common.files import atomic_write, lock_folders\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "with lock_folders(folder), atomic_write(folder / 'file'): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT).returncode == 9
    assert list(tmp_path.glob(".part-*"))
    with lock_folders(tmp_path):
        assert not list(tmp_path.glob(".part-*"))
