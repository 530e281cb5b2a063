"""tools.convert_mnist_data: MNIST's files to Caffe's records."""

import gzip
import os
import re
import struct
from pathlib import Path

import lmdb
import pytest

from caffe.tools import convert_mnist_data

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "data" / "mnist_100_lmdb"


def records(path):
    with (
        lmdb.open(str(path), readonly=True, lock=False) as environment,
        environment.begin() as transaction,
    ):
        return list(transaction.cursor())


@pytest.fixture
def hundred(tmp_path):
    """The first hundred test images and labels."""
    paths = []
    for kind, header, item in (("images-idx3", 16, 784), ("labels-idx1", 8, 1)):
        name = f"t10k-{kind}-ubyte"
        with gzip.open(ROOT / "data" / "mnist" / f"{name}.gz") as file:
            content = file.read(header + 100 * item)
        path = tmp_path / name
        path.write_bytes(content[:4] + struct.pack(">i", 100) + content[8:])
        paths.append(str(path))
    return paths


@pytest.mark.parametrize("backend", [[], ["--backend=lmdb"], ["-backend", "lmdb"]])
def test_records_are_those_of_caffes_converter(hundred, tmp_path, capsys, backend):
    database = tmp_path / "db"
    assert convert_mnist_data.main([*backend, *hundred, str(database)]) == 0
    assert records(database) == records(GOLDEN)
    log = re.findall(r"\] (.*)", capsys.readouterr().err)
    assert log == [
        "A total of 100 items.",
        "Rows: 28 Cols: 28",
        f"Opened lmdb {database}",
        "Processed 100 files.",
    ]


def error(capsys, *arguments):
    assert convert_mnist_data.main(list(arguments)) == 1
    [line] = capsys.readouterr().err.splitlines()
    return line.partition("] ")[2]


def test_errors_in_one_line(hundred, tmp_path, capsys):
    images, labels = hundred
    database = str(tmp_path / "db")
    assert "give IMAGES, LABELS and DB, not 2 names" in error(capsys, images, labels)
    assert "--backend=leveldb is not supported" in error(
        capsys, "--backend=leveldb", images, labels, database
    )
    assert "unknown command line flag 'x'" in error(capsys, "--x", images, labels, database)
    assert error(capsys, "nowhere", labels, database).startswith("nowhere: no such file (")
    assert "Incorrect image file magic: 2049" in error(capsys, labels, images, database)
    fewer = tmp_path / "fewer"
    fewer.write_bytes(struct.pack(">2i", 2049, 3) + b"abc")
    assert "holds 100 images, but" in error(capsys, images, str(fewer), database)
    none = tmp_path / "none"
    none.write_bytes(struct.pack(">4i", 2051, 0, 28, 28))
    fewer.write_bytes(struct.pack(">2i", 2049, 0))
    assert "none holds no images" in error(capsys, str(none), str(fewer), database)
    assert not os.path.exists(database)

    assert convert_mnist_data.main([images, labels, database]) == 0
    before = records(database)
    assert convert_mnist_data.main([images, labels, database]) == 1
    assert f"{database} already exists" in capsys.readouterr().err
    assert records(database) == before


def test_help(capsys):
    assert convert_mnist_data.main(["--help"]) == 0
    assert "example:\n  python -m tools.convert_mnist_data" in capsys.readouterr().out
