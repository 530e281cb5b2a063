"""How CUDA kernels are compiled and started.

A kernel is written for given sizes: a function of the sizes, remembered by functools.cache, makes
it, so that the sizes are constants of the machine code (an integer division by a number that is
only known at run time costs some thirty instructions). Arrays reach it flat, with one axis.

Without a GPU the same code runs in Numba's simulator (NUMBA_ENABLE_CUDASIM=1), a Python thread for
each GPU thread: correct, and very slow.
"""

import contextlib
import functools
import gc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numba import cuda
from numba.cuda.cudadrv.driver import CudaAPIError

SIMULATED = bool(cuda.config.ENABLE_CUDASIM)
THREADS = 32 if SIMULATED else 256  # of a block, where nothing asks for another number
if not SIMULATED:
    from numba.cuda.core import config

    from .kernel_cache import keep_on_disk

    config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # a graph has small kernels among large ones

OUT_OF_MEMORY = 2  # cuda.h: CUDA_ERROR_OUT_OF_MEMORY

# Where launches go: called with the kernel, blocks, threads and the flat arguments.
Start = Callable[[Any, Any, Any, tuple], None]


def kernel(function: Callable) -> Any:
    """Decorator: a function that runs on the GPU, in each thread of a launch."""
    return _kept(cuda.jit(function))


def _kept(kernel: Any) -> Any:
    if not SIMULATED:
        keep_on_disk(kernel)
    return kernel


def bounded_kernel(threads: int, blocks: int) -> Callable[[Callable], Any]:
    """As `kernel`, for launches of `threads` threads a block, with so few registers that a
    multiprocessor holds `blocks` blocks."""
    options = {} if SIMULATED else {"launch_bounds": (threads, blocks)}
    return lambda function: _kept(cuda.jit(**options)(function))


def device(function: Callable) -> Any:
    """Decorator: a function that kernels call."""
    options = {} if SIMULATED else {"forceinline": True}
    return cuda.jit(device=True, **options)(function)


def launch(kernel: Any, blocks: Any, threads: Any, *arguments: Any) -> None:
    """Start a kernel on `blocks` times `threads` threads (numbers, or tuples for several axes).

    Arrays are passed flat. It returns before the GPU is done; launches run one after the other.
    """
    _start(kernel, blocks, threads, tuple(map(_argument, arguments)))


def _argument(value: Any) -> Any:
    if getattr(value, "ndim", 0) == 0:
        return value
    if value.size == 0:  # NumPy's, for what is not wanted: the host's memory is not for kernels
        return _nothing(value.dtype)
    return value.reshape(-1) if value.ndim > 1 else value


@functools.cache
def _nothing(dtype: Any) -> Any:
    return empty(0, dtype)


def launch_each(kernel: Any, count: int, *arguments: Any) -> None:
    """Start a kernel with at least `count` threads, one for each of so many values; none for none.

    Its blocks have THREADS threads.
    """
    if count > 0:
        launch(kernel, blocks_for(count, THREADS), THREADS, *arguments)


def _start_now(kernel: Any, blocks: Any, threads: Any, arguments: tuple) -> None:
    kernel[blocks, threads](*arguments)


_start: Start = _start_now


@contextlib.contextmanager
def redirected(start: Start) -> Iterator[None]:
    """Have `start` take all launches meanwhile: to put them into a graph, or only to look."""
    global _start
    before, _start = _start, start
    try:
        yield
    finally:
        _start = before


_scratches: list[Any] = []  # the last is the largest; graphs may still point into the others


def scratch(count: int) -> Any:
    """A device array of `count` float32, whatever they are, for what a kernel hands to the next
    one within an operation. The next call gives the same memory again."""
    if not _scratches or _scratches[-1].size < count:
        _scratches.append(empty(count, np.float32))
    return _scratches[-1][:count]


def empty(shape: Any, dtype: Any) -> Any:
    """A new array in the GPU's memory. Raises MemoryError where that is full."""
    try:
        return cuda.device_array(shape, dtype)
    except CudaAPIError as error:
        if error.code != OUT_OF_MEMORY:
            raise
    gc.collect()  # nets that nobody uses any more refer to themselves
    try:
        return cuda.device_array(shape, dtype)
    except CudaAPIError as error:
        if error.code != OUT_OF_MEMORY:
            raise
        size = np.prod(shape) * np.dtype(dtype).itemsize / 2**20
        free = cuda.current_context().get_memory_info().free / 2**20
        raise MemoryError(
            f"the GPU has {free:.0f} MiB left, but {size:.0f} MiB are needed; use a smaller "
            "batch_size"
        ) from None


def synchronize() -> None:
    """Wait until the GPU has done all that was launched."""
    cuda.synchronize()


def blocks_for(count: int, threads: int) -> int:
    """How many blocks of `threads` threads cover `count` values; at least one."""
    return max(-(-count // threads), 1)
