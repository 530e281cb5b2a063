"""Writing files so that a reader never meets half of one."""

import contextlib
import os
from pathlib import Path

from ..errors import CaffeError


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file whole or not at all.

    The bytes go to a temporary file in the same folder, which is synced to the disk and then
    renamed to `path`. Killed at any moment, `path` is what it was before or what it is to be.
    Raises CaffeError, with `path` as it was, where the disk is full or the folder can't be
    written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise CaffeError(
            f"cannot write {path}: {error.strerror}; files that were there are as they were. "
            "Free some space or choose another place"
        ) from error


def _sync_folder(folder: Path) -> None:
    # The rename itself is on the disk only once the folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
