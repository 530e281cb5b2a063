"""Writing files whole or not at all."""

import errno
import os
import threading

import pytest

from caffe.errors import CaffeError
from caffe.io.files import remove_leftovers, write_atomically, write_together


def test_a_new_file_and_one_that_is_replaced(tmp_path):
    path = tmp_path / "file"
    for data in (b"old", b"new"):
        write_atomically(path, data)
        assert path.read_bytes() == data
    assert os.listdir(tmp_path) == ["file"]


def test_a_replaced_file_keeps_its_mode(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_atomically(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_symbolic_link_stays_one(tmp_path):
    target, link = tmp_path / "there" / "file", tmp_path / "link"
    target.parent.mkdir()
    link.symlink_to("there/file")
    for data in (b"old", b"new"):  # at first the link points at nothing
        write_atomically(link, data)
        assert link.is_symlink()
        assert target.read_bytes() == data
    assert os.listdir(target.parent) == ["file"]


def test_a_pipe_is_written_to(tmp_path):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        got = []
        reader = threading.Thread(target=lambda got=got: got.append(pipe.read_bytes()))
        reader.start()
        write_atomically(path, b"data")
        reader.join()
        assert got == [b"data"]
        assert pipe.is_fifo()


def test_a_device_stays_one(tmp_path):
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    write_atomically(link, b"data")
    assert link.is_symlink()
    assert link.is_char_device()
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    with pytest.raises(CaffeError, match=f"cannot write {full}: No space left on device; files"):
        write_atomically(full, b"data")


def test_what_cannot_be_written(tmp_path):
    for path, reason in (
        (tmp_path, "Is a directory"),
        (tmp_path / "none" / "file", "No such file or directory"),
    ):
        with pytest.raises(CaffeError, match=f"cannot write {path}: {reason}"):
            write_atomically(path, b"data")
    assert os.listdir(tmp_path) == []


def contents(tmp_path, data):
    return {tmp_path / name: data + name.encode() for name in ("first", "second")}


def read(tmp_path):
    return {path: path.read_bytes() for path in tmp_path.iterdir()}


def test_files_that_belong_together(tmp_path):
    for data in (b"old", b"new"):
        write_together(contents(tmp_path, data))
        assert read(tmp_path) == contents(tmp_path, data)


def test_trouble_with_the_second_keeps_both(tmp_path, monkeypatch):
    write_together(contents(tmp_path, b"old"))
    calls = []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CaffeError, match="second: No space left on device; files that were there"):
        write_together(contents(tmp_path, b"new"))
    assert read(tmp_path) == contents(tmp_path, b"old")


def test_trouble_amid_the_renaming_leaves_the_first_alone(tmp_path, monkeypatch):
    write_together(contents(tmp_path, b"old"))
    old = read(tmp_path)

    def fail(source, target):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(CaffeError, match="first: Operation not permitted. Free"):
        write_together(contents(tmp_path, b"new"))
    assert read(tmp_path) == {tmp_path / "first": old[tmp_path / "first"]}


def test_leftovers_of_living_processes_stay(tmp_path):
    names = [f".file.{pid}.tmp" for pid in (os.getpid(), 1)] + [".file.tmp", "file", ".file.x.tmp"]
    for name in names:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path, "file")
    assert sorted(os.listdir(tmp_path)) == sorted(names)
