"""tools.create_mnist: the two databases of the LeNet tutorial."""

import gzip
import importlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest

import caffe
from caffe.io.lmdb_reader import LmdbReader
from caffe.proto.caffe_pb2 import Datum
from caffe.tools import create_mnist

SIZES = {"train": 12, "t10k": 5}


@pytest.fixture
def data(tmp_path):
    """A small MNIST; half of it plain."""
    folder = tmp_path / "data"
    folder.mkdir()
    for part, number in SIZES.items():
        images = np.random.default_rng(number).integers(0, 256, (number, 28, 28), np.uint8)
        content = struct.pack(">4i", 2051, *images.shape) + images.tobytes()
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(content))
        labels = struct.pack(">2i", 2049, number) + bytes(range(number))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)
    return folder


def run(data, output):
    return create_mnist.main([f"--data={data}", "--output", str(output)])


def test_makes_both_databases(data, tmp_path):
    output = tmp_path / "examples" / "mnist"
    assert run(data, output) == 0
    assert sorted(os.listdir(output)) == ["mnist_test_lmdb", "mnist_train_lmdb"]
    for name, part in create_mnist.DATABASES.items():
        reader = LmdbReader(str(output / name))
        assert reader.count == SIZES[part]
        labels = [Datum.FromString(value).label for value in reader.read(reader.count).split()]
        assert labels == list(range(SIZES[part]))


def test_databases_that_are_there_are_left_alone(data, tmp_path, capsys):
    assert run(data, tmp_path) == 0
    files = [tmp_path / name / "data.mdb" for name in create_mnist.DATABASES]
    before = [file.stat() for file in files]
    capsys.readouterr()
    assert run(data, tmp_path) == 0
    assert [file.stat().st_mtime_ns for file in files] == [stat.st_mtime_ns for stat in before]
    log = capsys.readouterr().err
    for name, part in create_mnist.DATABASES.items():
        assert f"{tmp_path / name} is already there, with {SIZES[part]} records." in log


def last_line(capsys):
    return capsys.readouterr().err.splitlines()[-1].partition("] ")[2]


def test_database_that_is_not_whole(data, tmp_path, capsys):
    assert run(data, tmp_path) == 0
    path = data / "train-labels-idx1-ubyte"
    path.write_bytes(struct.pack(">2i", 2049, 13) + bytes(13))
    assert run(data, tmp_path) == 1
    assert "holds 12 records, not 13; remove it and start again" in last_line(capsys)
    (tmp_path / "mnist_train_lmdb" / "data.mdb").write_bytes(b"x" * 10000)
    assert run(data, tmp_path) == 1
    assert "is not an LMDB database, or is corrupt" in last_line(capsys)


def test_missing_files(data, tmp_path, capsys):
    (data / "t10k-images-idx3-ubyte.gz").unlink()
    assert run(data, tmp_path / "out") == 1
    assert last_line(capsys).startswith(
        f"there is no t10k-images-idx3-ubyte.gz in {data}; run python -m tools.create_mnist in a "
        "checkout of the project"
    )
    assert not (tmp_path / "out").exists()


def test_unexpected_argument_and_help(capsys):
    assert create_mnist.main(["x"]) == 1
    assert "unexpected argument 'x'" in last_line(capsys)
    assert create_mnist.main(["--help"]) == 0
    assert "example:\n  python -m tools.create_mnist" in capsys.readouterr().out


def test_defaults_are_folders_of_the_checkout_that_it_is_run_in(monkeypatch, tmp_path):
    """Also where `caffe` is a package installed elsewhere."""
    monkeypatch.setattr(caffe, "__file__", str(tmp_path / "caffe" / "__init__.py"))
    importlib.reload(create_mnist)
    assert Path(__file__).parents[2] == create_mnist.CHECKOUT
    assert (create_mnist.CHECKOUT / "data" / "mnist" / "train-images-idx3-ubyte.gz").is_file()
