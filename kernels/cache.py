"""Numba's cache of machine code, proof against damaged files, full disks and other processes.

For each kernel Numba writes an index (.nbi) and a file for each set of argument types (.nbc), and
renames them into place when they are whole. It does not wait until they are on the disk, so a
power cut may leave them cut or empty; and it runs whatever it can read. Here each file ends with
the SHA-256 of what stands before: a damaged one is found before it is run, and made anew.

Numba numbers the data files, and two processes may take the same number for different code. Here
they are named by a hash of what they hold the code for.
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


class HashedFiles:
    """Mixed into Numba's class of a kernel's index and data files. Unpickling stops before the hash
    at their end."""

    _cache_path: str
    _index_path: str
    _index_name: str

    def load(self, key: Any) -> Any:
        """The machine code for `key`; None where there is none, or a damaged one."""
        try:
            return super().load(key)  # type: ignore[misc]
        except Exception as error:  # from any depth of pickle and Numba
            _warn_once(
                "Compiled kernels in %s are damaged; compiling again (%s)", self._cache_path, error
            )
            with contextlib.suppress(OSError):
                Path(self._index_path).unlink()
            return None

    def save(self, key: Any, data: Any) -> None:
        """Keep the machine code for `key`, if the folder can be written."""
        try:
            overloads = self._load_index()
            digest = hashlib.sha256(self._dump(key)).hexdigest()  # type: ignore[attr-defined]
            name = f"{Path(self._index_name).stem}.{digest[:16]}.nbc"
            if overloads.get(key) != name:
                overloads[key] = name
                self._save_index(overloads)  # type: ignore[attr-defined]
            self._save_data(name, data)  # type: ignore[attr-defined]
        except OSError as error:
            _warn_once(
                "Cannot keep compiled kernels in %s (%s): those are compiled anew in each run",
                self._cache_path,
                error,
            )

    def _load_index(self) -> Any:
        with contextlib.suppress(FileNotFoundError):
            _check(Path(self._index_path))
        return super()._load_index()  # type: ignore[misc]

    def _load_data(self, name: str) -> Any:
        _check(Path(self._cache_path, name))
        return super()._load_data(name)  # type: ignore[misc]

    @contextlib.contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[io.BytesIO]:
        content = io.BytesIO()
        yield content
        with super()._open_for_write(filepath) as file:  # type: ignore[misc]
            file.write(content.getvalue() + hashlib.sha256(content.getvalue()).digest())


class _Files(HashedFiles, IndexDataCacheFile):
    pass


class KernelCache(FunctionCache):
    """The cached machine code of one kernel, in a folder below numba.config.CACHE_DIR."""

    def __init__(self, function: Callable):
        super().__init__(function)
        self._cache_file = _Files(
            self.cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp()
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The kernel compiled for the types `sig`; None where there is none, or a damaged one."""
        start_layer()  # machine code that is loaded looks for its symbols at once
        return super().load_overload(sig, target_context)


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
