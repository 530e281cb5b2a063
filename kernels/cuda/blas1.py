"""Vector helpers on flat arrays: one thread a value.

The sums add in float64: each thread adds up every so many values, a block what its threads have,
and the host what the blocks have. How many blocks there are depends on the size only, so equal
arrays give equal bits. The host waits for them.
"""

from typing import Any

import numpy as np
from numba import cuda

from .launch import SIMULATED, THREADS, blocks_for, device, kernel, launch, launch_each, scratch
from .teams import add as plus
from .teams import make_reduce

MOST_BLOCKS = 4 if SIMULATED else 512  # of a sum: a few for each multiprocessor
_sum_of_block = make_reduce(THREADS, 1, plus)


@kernel
def _axpy(alpha, x, y):
    i = cuda.grid(1)
    if i < x.size:
        y[i] += alpha * x[i]


def axpy(alpha: float, x: Any, y: Any) -> None:
    """y = alpha x + y."""
    launch_each(_axpy, x.size, np.float32(alpha), x, y)


@kernel
def _scale(alpha, x):
    i = cuda.grid(1)
    if i < x.size:
        x[i] *= alpha


def scale(alpha: float, x: Any) -> None:
    """x = alpha x."""
    launch_each(_scale, x.size, np.float32(alpha), x)


@kernel
def _copy(x, y):
    i = cuda.grid(1)
    if i < x.size:
        y[i] = x[i]


def copy(x: Any, y: Any) -> None:
    """y = x."""
    launch_each(_copy, x.size, x, y)


@kernel
def _fill(value, x):
    i = cuda.grid(1)
    if i < x.size:
        x[i] = value


def fill(value: float, x: Any) -> None:
    """Set every value of x."""
    launch_each(_fill, x.size, np.float32(value), x)


@kernel
def _add(x, y, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = x[i] + y[i]


def add(x: Any, y: Any, out: Any) -> None:
    """out = x + y; out may be either of them."""
    launch_each(_add, x.size, x, y, out)


@device
def _magnitude(x, y):
    return abs(x)


@device
def _product(x, y):
    return x * y


def _make_sum(term: Any) -> Any:
    """The kernel that sums term(x, y) over all pairs of values, a sum for each block."""

    @kernel
    def sum_up(x, y, sums):
        shared = cuda.shared.array(THREADS, np.float64)
        thread = cuda.threadIdx.x
        total = np.float64(0)
        for i in range(cuda.grid(1), x.size, cuda.gridsize(1)):
            total += term(np.float64(x[i]), np.float64(y[i]))
        total = _sum_of_block(shared, thread, thread, total)
        if thread == 0:
            sums[cuda.blockIdx.x] = total

    return sum_up


_sum_magnitudes, _sum_products = _make_sum(_magnitude), _make_sum(_product)


def _sum(sum_up: Any, x: Any, y: Any) -> float:
    if x.size == 0:
        return 0.0
    blocks = min(blocks_for(x.size, 4 * THREADS), MOST_BLOCKS)
    sums = scratch(2 * blocks).view(np.float64)
    launch(sum_up, blocks, THREADS, x, y, sums)
    return float(sums.copy_to_host().sum())


def asum(x: Any) -> float:
    """The sum of the magnitudes."""
    return _sum(_sum_magnitudes, x, x)


def sum_of_squares(x: Any) -> float:
    """The sum of the squares."""
    return _sum(_sum_products, x, x)


def dot(x: Any, y: Any) -> float:
    """The sum of the products."""
    return _sum(_sum_products, x, y)
