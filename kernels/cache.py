"""Numba's cache of machine code, proof against damaged files and full disks.

For each kernel Numba writes an index (.nbi) and a file for each set of argument types (.nbc), and
renames them into place when they are whole. It does not wait until they are on the disk, so a
power cut may leave them cut or empty; and it runs whatever it can read. Here each file ends with
the SHA-256 of what stands before: a damaged one is found before it is run, and made anew.
"""

import contextlib
import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from numba.core.caching import FunctionCache, IndexDataCacheFile

from ..glog import logger
from .threads import start_layer


class KernelCache(FunctionCache):
    """The cached machine code of one kernel, in a folder below numba.config.CACHE_DIR."""

    def __init__(self, function: Callable):
        super().__init__(function)
        self._cache_file = _HashedFiles(
            self.cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp()
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The kernel compiled for the types `sig`; None where there is none, or a damaged one."""
        start_layer()  # machine code that is loaded looks for its symbols at once
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # from any depth of pickle, Numba or LLVM
            _warn_once(
                "Compiled kernels in %s are damaged; compiling again (%s)", self.cache_path, error
            )
            self._cache_file.forget()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the kernel compiled for the types `sig`, if the folder can be written."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _warn_once(
                "Cannot keep compiled kernels in %s (%s): those are compiled anew in each run",
                self.cache_path,
                error,
            )


class _HashedFiles(IndexDataCacheFile):
    """A kernel's index and data files. Unpickling stops before the hash at their end."""

    def forget(self) -> None:
        """Remove the index: the data files are then overwritten."""
        with contextlib.suppress(OSError):
            Path(self._index_path).unlink()

    def _load_index(self) -> Any:
        with contextlib.suppress(FileNotFoundError):
            _check(Path(self._index_path))
        return super()._load_index()

    def _load_data(self, name: str) -> Any:
        _check(Path(self._data_path(name)))
        return super()._load_data(name)

    @contextlib.contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[io.BytesIO]:
        content = io.BytesIO()
        yield content
        with super()._open_for_write(filepath) as file:
            file.write(content.getvalue() + hashlib.sha256(content.getvalue()).digest())


def _check(path: Path) -> None:
    content = path.read_bytes()
    size = hashlib.sha256().digest_size
    if content[-size:] != hashlib.sha256(content[:-size]).digest():
        raise ValueError(f"the hash of {path.name} is wrong")


_warned: set[str] = set()


def _warn_once(message: str, *values: Any) -> None:
    if message not in _warned:
        _warned.add(message)
        logger.warning(message, *values)
