"""Where the machine code of kernels is kept.

Numba looks for it by the file of the jitted function only, so an edit to a module that this
function calls would go unnoticed: the folder is therefore named by a hash of all kernel sources.

It is $NUMBA_CACHE_DIR/HASH, or numba-caffe/HASH in $XDG_CACHE_HOME (~/.cache); where that cannot be
written, one in the system's temporary folder, with one warning.
"""

import functools
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from ..glog import logger


def source_hash(sources: Path) -> str:
    """A short hash of every source file in the folder `sources`."""
    digest = hashlib.sha256()
    for path in sorted(sources.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@functools.cache
def cache_folder(sources: Path) -> Path | None:
    """The folder for the machine code of the kernels in `sources`, made if need be; None where no
    folder can be written."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    wanted = (Path(given) if given else Path(home) / "numba-caffe") / source_hash(sources)
    if _writable(wanted):
        return wanted
    # Cached code is executed, so only a folder that nobody else can write will do.
    temporary = Path(tempfile.gettempdir()) / f"numba-caffe-{os.getuid()}"
    folder = temporary / source_hash(sources)
    if _writable(temporary, mode=0o700) and _private(temporary) and _writable(folder):
        logger.warning("Cannot write to %s: compiled kernels are cached in %s", wanted, folder)
        return folder
    logger.warning(
        "Cannot write to %s: kernels are compiled anew in each run. Set NUMBA_CACHE_DIR to a "
        "folder that you can write",
        wanted,
    )
    return None


def _writable(folder: Path, mode: int = 0o777) -> bool:
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _private(folder: Path) -> bool:
    status = folder.lstat()
    others = stat.S_IWGRP | stat.S_IWOTH
    return (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == os.getuid()
        and not (status.st_mode & others)
    )
