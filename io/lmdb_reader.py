"""Reading LMDB databases, the way Caffe reads them: in the order of their keys, round and round."""

import contextlib
import os
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path
from typing import NamedTuple

import lmdb

from ..errors import CaffeError
from ..glog import logger

_PATIENCE = 2.0  # seconds

# LMDB forbids opening a file twice in a process, and two nets may well read one database.
_environments: "weakref.WeakValueDictionary[tuple[int, int], lmdb.Environment]" = (
    weakref.WeakValueDictionary()
)


class Records(NamedTuple):
    """Records that follow each other in a database."""

    first: int  # the index of the first one
    values: bytes  # of all, one after the other
    lengths: list[int]

    def split(self) -> list[bytes]:
        """The values one by one."""
        ends = list(accumulate(self.lengths))
        return [self.values[end - n : end] for end, n in zip(ends, self.lengths, strict=True)]


class LmdbReader:
    """A position in an LMDB database, which never ends: after the last record comes the first.

    Attributes
        path: the database's folder, as given
        count: the number of records
        position: the index, in key order, of the record that comes next
    """

    def __init__(self, path: str):
        """Open the database at its first record.

        Raises CaffeError where there is none, it is empty, cut short or not LMDB.
        """
        self.path = path
        environment = _open(path)
        self._environment = environment
        with self._clear_errors():
            self.count = environment.stat()["entries"]
            self._transaction = environment.begin(buffers=True)
        if self.count == 0:
            raise CaffeError(f"the LMDB {path} is empty: it holds no records; make it again")
        logger.info("Opened lmdb %s", path)
        self.seek(0)

    def seek(self, position: int) -> None:
        """Go to the record with this index. Takes time in proportion to it."""
        with self._clear_errors():
            cursor = self._transaction.cursor()
            cursor.first()
            for _ in range(position):
                cursor.next()
            self._values: Iterator[memoryview] = cursor.iternext(keys=False)
        self.position = position

    def read(self, number: int) -> Records:
        """The next `number` records."""
        first = self.position
        views: list[memoryview] = []
        while len(views) < number:
            if self.position == self.count:
                logger.info("Restarting data prefetching from start.")
                self.seek(0)
            wanted = min(number - len(views), self.count - self.position)
            with self._clear_errors():
                taken = list(islice(self._values, wanted))
            if len(taken) < wanted:
                raise CaffeError(f"the LMDB {self.path} is corrupt: records are missing in it")
            views += taken
            self.position += wanted
        # One copy of all: what LMDB gives are views of its memory map, which do not keep it alive.
        return Records(first % self.count, b"".join(views), list(map(len, views)))

    def key(self, index: int) -> bytes:
        """The key of the record with this index, counted round and round. Takes time in proportion
        to it."""
        with self._clear_errors(), self._environment.begin() as transaction:
            keys = transaction.cursor().iternext(values=False)
            return next(islice(keys, index % self.count, None))

    @contextlib.contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except lmdb.Error as error:
            raise CaffeError(f"cannot read the LMDB {self.path}: {error}") from error


@dataclass(frozen=True)
class RecordName:
    """How messages name a record: its key is looked up when it is written into one."""

    reader: LmdbReader
    index: int

    def __str__(self) -> str:
        key = self.reader.key(self.index).decode("utf-8", "backslashreplace")
        return f"record '{key}' of {self.reader.path}"


def _open(path: str) -> lmdb.Environment:
    file = _data_file(path)
    status = file.stat()
    key = (status.st_dev, status.st_ino)
    deadline = time.monotonic() + _PATIENCE
    while (environment := _environments.get(key)) is None:
        try:
            # Without locks a folder that can't be written can be read; readers do not need them.
            environment = lmdb.open(path, readonly=True, lock=False, create=False)
            break
        except lmdb.InvalidError as error:
            raise CaffeError(
                f"{file} is not an LMDB database, or is corrupt; make it again"
            ) from error
        except lmdb.Error as error:
            # The thread of a net that was just deleted may be about to close it.
            if "already open" not in str(error) or time.monotonic() > deadline:
                raise CaffeError(f"cannot open the LMDB {path}: {error}") from error
            time.sleep(0.001)
    # Beyond the end of the file, its memory map would end the process with a bus error.
    size = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
    if status.st_size < size:
        raise CaffeError(
            f"{file} is cut short: it has {status.st_size} bytes where it should have {size}; "
            "copy or make it again"
        )
    _environments[key] = environment
    return environment


def _data_file(path: str) -> Path:
    folder = Path(path)
    relative = "" if folder.is_absolute() else f" (relative to {os.getcwd()})"
    if folder.is_file():
        if folder.name in ("data.mdb", "lock.mdb"):
            raise CaffeError(f"{path} is a file inside an LMDB; give its folder, {folder.parent}")
        raise CaffeError(f"{path} is a file; an LMDB is a folder with a data.mdb in it")
    if not folder.is_dir():
        raise CaffeError(f"there is no LMDB at {path}{relative}; {_advice(folder)}")
    file = folder / "data.mdb"
    if not file.is_file():
        if (folder / "CURRENT").exists():
            raise CaffeError(
                f"{path} is a LevelDB database, which is not supported; convert the data to LMDB"
            )
        raise CaffeError(f"{path} is no LMDB: there is no data.mdb in it; {_advice(folder)}")
    if file.stat().st_size == 0:
        raise CaffeError(f"{file} is an empty file; {_advice(folder)}")
    return file


def _advice(folder: Path) -> str:
    if folder.name in ("mnist_train_lmdb", "mnist_test_lmdb"):
        return "make it with python -m tools.create_mnist"
    return "check the path, or make the database first"
