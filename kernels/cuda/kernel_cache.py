"""The machine code of CUDA kernels, kept on disk: each is compiled once for a kind of GPU.

A kernel made for given sizes is found again by what it was made of: the functions, wherever they
are called from, and the numbers in them. Numba would look at a pickle of these, which differs from
process to process for functions that call others. What the functions say is in the folder's name.
"""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

import numba_cuda
from numba.cuda.core import config
from numba.cuda.core.caching import IndexDataCacheFile
from numba.cuda.dispatcher import CUDACache

from ...glog import logger
from ..cache import HashedFiles
from ..cache_folder import cache_folder

SOURCES = Path(__file__).parent


class _Files(HashedFiles, IndexDataCacheFile):
    pass


class KernelCache(CUDACache):
    """The cached machine code of one kernel, for any sizes that are constants in it."""

    def __init__(self, function: Callable):
        super().__init__(function)
        self._cache_file = _Files(
            self.cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp()
        )

    def _index_key(self, sig: Any, codegen: Any) -> tuple:
        words = repr(describe(self._py_func)).encode()
        version = numba_cuda.__version__
        return sig, codegen.magic_tuple(), version, hashlib.sha256(words).hexdigest()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The kernel compiled for the types `sig`; None where there is none, or a damaged one."""
        kernel = super().load_overload(sig, target_context)
        if kernel is None:
            _announce()
        return kernel


def describe(value: Any) -> Any:
    """What a function was made of: its place in the sources and what it takes from around it,
    functions and numbers; of a function from elsewhere, its code too. Equal in each process."""
    value = getattr(value, "py_func", value)  # of one that numba.cuda.jit made
    if isinstance(value, tuple):
        return tuple(map(describe, value))
    if isinstance(value, FunctionType):
        around = tuple(cell.cell_contents for cell in value.__closure__ or ())
        code = value.__code__
        is_ours = Path(code.co_filename).parent == SOURCES
        words = () if is_ours else (code.co_code, code.co_names, code.co_consts)
        return (
            value.__module__, value.__qualname__, code.co_firstlineno, words, describe(around)
        )  # fmt: skip
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
