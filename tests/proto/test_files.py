"""Binary files: whole, cut short, damaged, of another kind."""

import contextlib
import random
from pathlib import Path

import pytest

from caffe.errors import CaffeError
from caffe.proto import prototxt, upgrade
from caffe.proto.caffe_pb2 import NetParameter

FILES = Path(__file__).parent.parent / "golden" / "files"


def test_binary_files_that_are_none(tmp_path):
    path = tmp_path / "net.caffemodel"
    whole = (FILES / "tiny_sgd_iter_4.caffemodel").read_bytes()
    for content, expected in [
        (b"", "is empty, where a binary NetParameter was expected"),
        (whole[:-1], "is not a whole binary NetParameter"),
        (b"name: 'text'", "is not a whole binary NetParameter"),
        (NetParameter(name="ab").SerializeToString().replace(b"a", b"\xff"), "is not a whole"),
        (b"\xb8\x3e\x01", "holds nothing of a NetParameter"),
    ]:
        path.write_bytes(content)
        with pytest.raises(CaffeError) as caught:
            upgrade.read_net_param_binary(path)
        assert str(caught.value).startswith(f"{path}: {expected}")
    with pytest.raises(CaffeError, match="no such file"):
        upgrade.read_net_param_binary(tmp_path / "none")


def test_a_relative_path_is_said_to_be_one(tmp_path, monkeypatch):
    def error(path):
        with pytest.raises(CaffeError) as caught:
            upgrade.read_net_param(path)
        return str(caught.value)

    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    missing = "examples/net.prototxt: no such file (the path is relative to the current folder, "
    assert error("examples/net.prototxt") == f"{missing}{folder})"
    assert error(tmp_path / "net.prototxt") == f"{tmp_path}/net.prototxt: no such file"
    folder.rmdir()
    assert error("examples/net.prototxt") == f"{missing}which has been removed)"


def test_damaged_binary_files_raise_nothing_else(tmp_path):
    path = tmp_path / "net.caffemodel"
    chance = random.Random(1)
    old = prototxt.read_prototxt(FILES / "v0.in.prototxt", NetParameter()).SerializeToString()
    for _ in range(300):
        content = bytearray(old)
        content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content[: chance.randrange(1, len(content))])
        with contextlib.suppress(CaffeError):
            prototxt.format_message(upgrade.read_net_param_binary(path))
