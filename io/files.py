"""Writing files so that a reader never meets half of one."""

import contextlib
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from ..errors import CaffeError

_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<pid>\d{1,9})\.tmp")


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file whole or not at all: `write_together` for one file."""
    write_together({path: data})


def write_together(contents: Mapping[str | os.PathLike[str], bytes]) -> None:
    """Write files that belong together, each whole or not at all.

    All bytes go to temporary files in the same folders, which are synced to the disk. Then files
    of an earlier writing are removed, except at the first path, and each temporary file is renamed
    to its path, in order. Killed at any moment, the first path is what it was before or what it is
    to be, and a file at another path belongs to the first one, but may be missing.

    A file that is replaced keeps its mode, and a symbolic link its place. What is no regular file,
    such as a device or a pipe, is simply written to.

    Raises CaffeError where the disk is full or a folder can't be written, and says whether all
    files are as they were.
    """
    temporaries: dict[Path, Path] = {}  # of each target
    path: str | os.PathLike[str] = ""
    unchanged = "; files that were there are as they were"
    try:
        for path, data in contents.items():
            if os.path.exists(path) and not os.path.isfile(path):
                Path(path).write_bytes(data)
                continue
            target = Path(os.path.realpath(path))
            temporaries[target] = target.with_name(f".{target.name}.{os.getpid()}.tmp")
            _write_synced(temporaries[target], data, target)
        unchanged = ""
        for path in list(temporaries)[1:]:
            path.unlink(missing_ok=True)
            _sync_folder(path.parent)
        for path, temporary in temporaries.items():
            os.replace(temporary, path)
            _sync_folder(path.parent)
    except OSError as error:
        raise CaffeError(
            f"cannot write {path}: {error.strerror}{unchanged}. Free some space or choose another "
            "place"
        ) from error
    finally:
        for temporary in temporaries.values():
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def remove_leftovers(folder: str | os.PathLike[str], beginning: str) -> None:
    """Remove the temporary files of killed processes, for files whose name begins so."""
    for path in Path(folder).iterdir():
        match = _TEMPORARY.fullmatch(path.name)
        if match and match["name"].startswith(beginning) and not _is_alive(int(match["pid"])):
            with contextlib.suppress(OSError):
                path.unlink()


def _write_synced(path: Path, data: bytes, replaced: Path) -> None:
    with open(path, "wb") as file:
        if replaced.exists():
            os.fchmod(file.fileno(), stat.S_IMODE(replaced.stat().st_mode))
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    # A rename is on the disk only once its folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
