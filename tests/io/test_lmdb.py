"""Reading and writing LMDB databases."""

import os
import re
import shutil
from pathlib import Path

import lmdb
import pytest

from caffe.errors import CaffeError
from caffe.io.lmdb_reader import LmdbReader, RecordName
from caffe.io.lmdb_writer import LmdbWriter

GOLDEN = Path(__file__).parents[1] / "golden" / "data" / "mnist_100_lmdb"


def write(path, number, size=10):
    with LmdbWriter(str(path)) as database:
        for i in range(number):
            database.put(b"%08d" % i, bytes([i % 256]) * size)
    return str(path)


@pytest.mark.parametrize("number", [1, 999, 1000, 1001, 2500])
def test_what_was_written_is_read_in_key_order(tmp_path, number):
    reader = LmdbReader(write(tmp_path / "db", number))
    assert reader.count == number
    records = reader.read(number)
    assert records.split() == [bytes([i % 256]) * 10 for i in range(number)]
    assert b"".join(records.split()) == records.values
    assert reader.key(number - 1) == b"%08d" % (number - 1)
    assert os.listdir(tmp_path) == ["db"]


def test_map_grows_while_writing(tmp_path):
    path = write(tmp_path / "db", 300, size=200_000)  # 60 MB, several times the first map
    records = LmdbReader(path).read(300)
    assert [value[0] for value in records.split()] == [i % 256 for i in range(300)]
    assert records.lengths == [200_000] * 300


@pytest.mark.parametrize("count", [1, 2, 5, 7])
@pytest.mark.parametrize("batch", [1, 3, 5, 17])
def test_reading_goes_round(tmp_path, count, batch, capsys):
    reader = LmdbReader(write(tmp_path / "db", count))
    batches = [reader.read(batch) for _ in range(4)]
    values = [value[0] for records in batches for value in records.split()]
    assert values == [i % count for i in range(4 * batch)]
    assert [records.first for records in batches] == [i * batch % count for i in range(4)]
    restarts = capsys.readouterr().err.count("] Restarting data prefetching from start.\n")
    assert restarts == (4 * batch - 1) // count


@pytest.mark.parametrize("position", [0, 1, 42, 99])
def test_seek(position):
    reader = LmdbReader(str(GOLDEN))
    values = reader.read(101).split()
    reader.seek(position)
    assert reader.read(2).split() == values[position : position + 2]


def test_a_record_is_named_by_its_key():
    reader = LmdbReader(str(GOLDEN))
    reader.read(7)
    assert str(RecordName(reader, 142)) == f"record '00000042' of {GOLDEN}"
    assert reader.read(1).first == 7


def test_two_readers_of_one_database_keep_their_own_positions(tmp_path):
    path = write(tmp_path / "db", 5)
    (tmp_path / "link").symlink_to(path)
    first, second = LmdbReader(path), LmdbReader(str(tmp_path / "link"))
    assert [first.read(3).first, second.read(1).first, first.read(1).first] == [0, 0, 3]


def test_database_made_anew_at_the_same_path_is_read_anew(tmp_path):
    old = LmdbReader(write(tmp_path / "db", 5))
    shutil.rmtree(tmp_path / "db")
    assert LmdbReader(write(tmp_path / "db", 7)).count == 7
    assert len(old.read(6).lengths) == 6


def test_read_only_folder(tmp_path):
    path = tmp_path / "db"
    shutil.copytree(GOLDEN, path)
    (path / "data.mdb").chmod(0o444)
    path.chmod(0o555)
    try:
        assert LmdbReader(str(path)).count == 100
        assert os.listdir(path) == ["data.mdb"]
    finally:
        path.chmod(0o755)


def test_log(capsys):
    LmdbReader(str(GOLDEN))
    assert f"] Opened lmdb {GOLDEN}\n" in capsys.readouterr().err


def test_missing_database(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = (
        f"there is no LMDB at somewhere/mnist_train_lmdb (relative to {tmp_path}); make it with "
        "python -m tools.create_mnist"
    )
    with pytest.raises(CaffeError, match=f"^{re.escape(expected)}$"):
        LmdbReader("somewhere/mnist_train_lmdb")
    with pytest.raises(CaffeError, match=f"there is no LMDB at {tmp_path}/x; check the path"):
        LmdbReader(f"{tmp_path}/x")


def test_unfit_databases(tmp_path):
    def error(path):
        with pytest.raises(CaffeError) as caught:
            LmdbReader(str(path))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    path = Path(write(tmp_path / "db", 50, size=3000))
    assert error(path / "data.mdb").endswith(f"is a file inside an LMDB; give its folder, {path}")

    file = tmp_path / "file"
    file.write_bytes(b"")
    assert "is a file; an LMDB is a folder" in error(file)

    assert "is no LMDB: there is no data.mdb in it" in error(tmp_path)
    (tmp_path / "CURRENT").touch()
    assert "is a LevelDB database, which is not supported" in error(tmp_path)

    other = tmp_path / "other"
    other.mkdir()
    (other / "data.mdb").write_bytes(b"not a database" * 1000)
    assert "other/data.mdb is not an LMDB database, or is corrupt" in error(other)
    (other / "data.mdb").write_bytes(b"")
    assert "other/data.mdb is an empty file" in error(other)
    (other / "data.mdb").write_bytes((path / "data.mdb").read_bytes()[:50000])
    assert "other/data.mdb is cut short: it has 50000 bytes where it should have" in error(other)

    empty = tmp_path / "empty"
    lmdb.open(str(empty)).close()
    assert error(empty) == f"the LMDB {empty} is empty: it holds no records; make it again"


def test_database_that_the_user_has_open(tmp_path):
    path = write(tmp_path / "db", 3)
    with lmdb.open(path, readonly=True, lock=False):
        try:
            lmdb.open(path, readonly=True, lock=False).close()
        except lmdb.Error:
            pass
        else:
            pytest.skip("this version of lmdb lets a database be opened twice")
        with pytest.raises(CaffeError, match=f"cannot open the LMDB {path}: .* already open in"):
            LmdbReader(path)


def test_an_existing_database_is_not_overwritten(tmp_path):
    path = write(tmp_path / "db", 3)
    with pytest.raises(CaffeError, match=f"^{path} already exists; remove it first"):
        LmdbWriter(path)
    assert LmdbReader(path).count == 3


def test_failure_while_writing_leaves_nothing(tmp_path):
    def fail_halfway():
        with LmdbWriter(str(tmp_path / "db")) as database:
            for i in range(1500):
                database.put(b"%08d" % i, b"value")
            assert not (tmp_path / "db").exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_halfway()
    assert os.listdir(tmp_path) == []


def test_folder_that_can_not_be_written(tmp_path):
    def write_to_nowhere():
        with LmdbWriter(str(tmp_path / "missing" / "db")):
            pass

    with pytest.raises(CaffeError, match=r"cannot write the LMDB .*missing/db: No such file"):
        write_to_nowhere()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (lmdb.DiskError("No space left on device"), "No space left on device"),
        (
            lmdb.Error("mdb_txn_commit: Input/output error"),
            r"mdb_txn_commit: Input/output error \(the disk may be full\)",
        ),
    ],
)
def test_full_disk_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, error, message):
    class Full:
        def begin(self, write):
            raise error

        def close(self):
            pass

    def write_to_a_full_disk():
        with LmdbWriter(str(tmp_path / "db")) as database:
            monkeypatch.setattr(database, "_environment", Full())
            database.put(b"key", b"value")

    with pytest.raises(CaffeError, match=f"db: {message}; nothing was left there"):
        write_to_a_full_disk()
    assert os.listdir(tmp_path) == []
