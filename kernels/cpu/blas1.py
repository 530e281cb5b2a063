"""Vector helpers on flat float32 arrays.

Sums add in float64. `reassoc` lets LLVM keep several partial sums in the lanes of a register: how
many is fixed when the function is compiled, so equal arrays give equal bits.
"""

import numpy as np

from .jit import jit
from .parallel import parallel_for
from .shares import share, share_count

SUM = {"reassoc", "nsz"}


@jit
def axpy(alpha: float, x: np.ndarray, y: np.ndarray) -> None:
    """y = alpha x + y."""
    factor = np.float32(alpha)
    for i in range(x.size):
        y[i] += factor * x[i]


@jit
def scale(alpha: float, x: np.ndarray) -> None:
    """x = alpha x."""
    factor = np.float32(alpha)
    for i in range(x.size):
        x[i] *= factor


@jit
def copy(x: np.ndarray, y: np.ndarray) -> None:
    """y = x."""
    for i in range(x.size):
        y[i] = x[i]


@jit
def fill(value: float, x: np.ndarray) -> None:
    """Set every value of x."""
    count = share_count(x.size)
    parallel_for(_fill, count, (count, np.float32(value), x))


@jit
def _fill(i, count, value, x):
    first, last = share(i, count, x.size)
    x[first:last] = value


@jit
def add(x: np.ndarray, y: np.ndarray, out: np.ndarray) -> None:
    """out = x + y; out may be either of them."""
    for i in range(x.size):
        out[i] = x[i] + y[i]


@jit(fastmath=SUM)
def asum(x: np.ndarray) -> float:
    """The sum of the magnitudes."""
    total = 0.0
    for i in range(x.size):
        total += abs(np.float64(x[i]))
    return total


@jit(fastmath=SUM)
def sum_of_squares(x: np.ndarray) -> float:
    """The sum of the squares."""
    total = 0.0
    for i in range(x.size):
        total += np.float64(x[i]) * np.float64(x[i])
    return total


@jit(fastmath=SUM)
def dot(x: np.ndarray, y: np.ndarray) -> float:
    """The sum of the products."""
    total = 0.0
    for i in range(x.size):
        total += np.float64(x[i]) * np.float64(y[i])
    return total
