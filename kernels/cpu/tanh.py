"""Hyperbolic tangent.

    top = tanh(bottom)
    bottom_diff = top_diff * (1 - top^2)

All arrays are flat float32; bottom and top (and top_diff and bottom_diff) may be one array, since
the gradient needs the output only.
"""

import math

import numpy as np

from .jit import jit
from .parallel import parallel_for
from .shares import share, share_count

COST = 64  # of a value, in shares.py's measure


@jit
def tanh_forward(bottom: np.ndarray, top: np.ndarray) -> None:
    """top = tanh(bottom)."""
    count = share_count(COST * bottom.size)
    parallel_for(_forward, count, (count, bottom, top))


@jit
def _forward(i, count, bottom, top):
    first, last = share(i, count, top.size)
    x, y = bottom[first:last], top[first:last]
    for j in range(y.size):
        y[j] = math.tanh(x[j])


@jit
def tanh_backward(top: np.ndarray, top_diff: np.ndarray, bottom_diff: np.ndarray) -> None:
    """bottom_diff = top_diff * (1 - top^2)."""
    for i in range(top.size):
        bottom_diff[i] = top_diff[i] * (np.float32(1) - top[i] * top[i])
