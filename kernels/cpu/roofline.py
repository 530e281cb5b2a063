"""What this machine can do at most, to judge kernels by: multiply-adds and bytes a second.

No kernel can multiply faster than registers do, nor move data faster than memory does; whichever
limit is the lower for its ratio of operations to bytes is its roof (Williams, Waterman and
Patterson, "Roofline: an insightful visual performance model", 2009).

Both are measured, not looked up: clocks vary, and some cores run wide vectors at half speed. Take
the best of several rounds, since whatever else runs on the machine only slows them down.
"""

import time
from collections.abc import Callable

import numba
import numpy as np

from ...errors import CaffeError
from .jit import jit
from .micro_kernel import host_tile, make_micro_kernel
from .parallel import parallel_for

SECONDS = 0.2  # that each measurement lasts, in as many rounds as fit
DEPTH = 4096  # of each product: starting it and writing its tile take no time beside it
PRODUCTS = 12  # of each thread in a round: 0.3 ms, so short that some meet no other process
COPIED = 2**25  # floats, 128 MB: far more than a cache holds

ROWS, COLUMNS = host_tile().rows, host_tile().columns

_micro_kernel = make_micro_kernel(host_tile())


def multiply_add_peak(threads: int) -> float:
    """The most float32 operations a second that `threads` threads reach together, in GFLOP/s.

    A multiply-add counts as two. The register tile of all matrix products runs on one row of each
    operand over and over, so that everything stays in the L1 cache. Takes about 0.2 s.

    Raises CaffeError where there are not so many threads.
    """
    _check(threads)
    a, b = np.ones(ROWS, np.float32), np.ones(COLUMNS, np.float32)
    c = np.empty(threads * ROWS * COLUMNS, np.float32)
    seconds = _best(threads, lambda: _multiply(threads, a, b, c))
    return 2e-9 * threads * PRODUCTS * DEPTH * ROWS * COLUMNS / seconds


def memory_bandwidth(threads: int) -> float:
    """The most bytes a second that `threads` threads move by copying, in GB/s (10^9 bytes).

    From one array of 128 MB to another; counted are each byte read and each byte written. Takes
    under a second.

    Raises CaffeError where there are not so many threads.
    """
    _check(threads)
    source, target = np.ones(COPIED, np.float32), np.zeros(COPIED, np.float32)
    seconds = _best(threads, lambda: _copy(threads, source, target))
    copied = source.nbytes // threads * threads
    return 2e-9 * copied / seconds


def _check(threads: int) -> None:
    most = numba.config.NUMBA_NUM_THREADS
    if not 1 <= threads <= most:
        raise CaffeError(f"cannot measure {threads} threads: give a number from 1 to {most}")


def _best(threads: int, work: Callable[[], None]) -> float:
    """The seconds of the fastest round; one more comes first, since it may compile."""
    users = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        work()
        best, end = _seconds(work), time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            best = min(best, _seconds(work))
        return best
    finally:
        numba.set_num_threads(users)


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@jit
def _multiply_on_one(thread, a, b, c):
    one, zero = np.float32(1), np.float32(0)
    for _ in range(PRODUCTS):
        _micro_kernel(
            DEPTH, a, 0, 1, 0, b, 0, 0, one, zero,
            c, thread * ROWS * COLUMNS, COLUMNS, ROWS, COLUMNS,
        )  # fmt: skip


@jit
def _multiply(threads, a, b, c):
    parallel_for(_multiply_on_one, threads, (a, b, c))


@jit
def _copy_on_one(thread, threads, source, target):
    part = source.size // threads
    first = thread * part
    source, target = source[first : first + part], target[first : first + part]
    for i in range(part):
        target[i] = source[i]


@jit
def _copy(threads, source, target):
    parallel_for(_copy_on_one, threads, (threads, source, target))
