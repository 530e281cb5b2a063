"""Writing an LMDB database, as Caffe's converters do."""

import errno
import os
import shutil
from pathlib import Path
from types import TracebackType

import lmdb

from ..errors import CaffeError
from ..glog import logger

RECORDS_PER_TRANSACTION = 1000
_FIRST_MAP_SIZE = 1 << 24  # bytes; doubled whenever the database outgrows it


class LmdbWriter:
    """Writes a new database: `with LmdbWriter(path) as database: database.put(key, value)`.

    The records go to a temporary folder beside `path`, which is renamed to `path` at the end of
    the `with` block. Until then there is nothing at `path`, so that a conversion that failed or
    was killed leaves nothing that looks whole.

    Raises CaffeError where something is at `path` already, or the disk is full or read-only.
    """

    def __init__(self, path: str):
        self.path = Path(path)
        if self.path.exists():
            raise CaffeError(
                f"{path} already exists; remove it first, or give the name of a new database"
            )
        self._folder = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        self._pending: list[tuple[bytes, bytes]] = []

    def __enter__(self) -> "LmdbWriter":
        try:
            self._folder.mkdir()
            # Synced once, at the end: nobody sees the database before.
            self._environment = lmdb.open(
                str(self._folder), map_size=_FIRST_MAP_SIZE, sync=False, lock=False
            )
        except (OSError, lmdb.Error) as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise self._error(error) from error
        logger.info("Opened lmdb %s", self.path)
        return self

    def put(self, key: bytes, value: bytes) -> None:
        """Add a record. Every thousand go to the file in one transaction."""
        self._pending.append((key, value))
        if len(self._pending) == RECORDS_PER_TRANSACTION:
            self._commit()

    def _commit(self) -> None:
        while True:
            try:
                with self._environment.begin(write=True) as transaction:
                    for key, value in self._pending:
                        transaction.put(key, value)
                break
            except lmdb.MapFullError:
                self._environment.set_mapsize(2 * self._environment.info()["map_size"])
            except lmdb.Error as error:
                raise self._error(error) from error
        self._pending.clear()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._commit()
                self._environment.sync(True)
            self._environment.close()
            if kind is None:
                os.rename(self._folder, self.path)
        except (OSError, lmdb.Error) as problem:
            raise self._error(problem) from problem
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _error(self, error: Exception) -> CaffeError:
        reason = str(error.strerror if isinstance(error, OSError) else error)
        if os.strerror(errno.EIO) in reason:  # LMDB's word for a page written in part
            reason += " (the disk may be full)"
        return CaffeError(
            f"cannot write the LMDB {self.path}: {reason}; nothing was left there. Free some "
            "space or choose another place, and start again"
        )
