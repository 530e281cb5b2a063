"""The machine code of CUDA kernels, kept on disk: each is compiled once for a kind of GPU.

A kernel made for given sizes is found again by what it was made of: the functions, wherever they
are called from, and the numbers in them. Numba would look at a pickle of these, which differs from
process to process for functions that call others. What the functions say is in the folder's name.
"""

import functools
import hashlib
from pathlib import Path
from types import FunctionType
from typing import Any

import numba_cuda
from numba.cuda.core import config
from numba.cuda.dispatcher import CUDACache

from ...glog import logger
from ..cache_folder import cache_folder

SOURCES = Path(__file__).parent


class KernelCache(CUDACache):
    """The cached machine code of one kernel, for any sizes that are constants in it."""

    def _index_key(self, sig: Any, codegen: Any) -> tuple:
        words = repr(describe(self._py_func)).encode()
        version = numba_cuda.__version__
        return sig, codegen.magic_tuple(), version, hashlib.sha256(words).hexdigest()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The kernel compiled for the types `sig`; None where there is none, or a damaged one."""
        try:
            kernel = super().load_overload(sig, target_context)
        except Exception as error:  # from any depth of pickle, Numba or the driver
            logger.warning(
                "Compiled kernels in %s are damaged; compiling again (%s)", self.cache_path, error
            )
            self.flush()
            kernel = None
        if kernel is None:
            _announce()
        return kernel

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the kernel compiled for the types `sig`, if the folder can be written."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _warn_of_writing(self.cache_path, error)


def describe(value: Any) -> Any:
    """What a function was made of: its place in the sources and what it takes from around it,
    functions and numbers. Equal in each process."""
    value = getattr(value, "py_func", value)  # of one that numba.cuda.jit made
    if isinstance(value, tuple):
        return tuple(map(describe, value))
    if isinstance(value, FunctionType):
        around = tuple(cell.cell_contents for cell in value.__closure__ or ())
        line = value.__code__.co_firstlineno
        return value.__module__, value.__qualname__, line, describe(around)
    return getattr(value, "__qualname__", None) or getattr(value, "__name__", None) or repr(value)


def keep_on_disk(kernel: Any) -> None:
    """Have a kernel of numba.cuda.jit look for its machine code in the cache folder."""
    folder = cache_folder(SOURCES)
    if folder is None:
        return
    # Numba reads its global setting while a cache is made; other users of Numba keep theirs.
    users_folder = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        kernel._cache = KernelCache(kernel.py_func)
    finally:
        config.CACHE_DIR = users_folder


@functools.cache
def _announce() -> None:
    """Tell the user, once, why the first run starts slowly."""
    logger.info(
        "Compiling kernels for this GPU; this happens once and takes about a minute. Cached in %s.",
        cache_folder(SOURCES),
    )


@functools.cache
def _warn_of_writing(path: str, error: OSError) -> None:
    logger.warning("Cannot keep compiled kernels in %s (%s)", path, error)
