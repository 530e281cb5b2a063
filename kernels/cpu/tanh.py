"""Hyperbolic tangent.

    top = tanh(bottom)
    bottom_diff = top_diff * (1 - top^2)

All arrays are flat float32; bottom and top (and top_diff and bottom_diff) may be one array, since
the gradient needs the output only.
"""

import math

import numpy as np
from numba import prange

from .jit import jit

CHUNK = 1 << 12  # values a thread takes at a time; below two chunks a thread team costs too much


@jit
def _forward(bottom: np.ndarray, top: np.ndarray) -> None:
    for i in range(bottom.size):
        top[i] = math.tanh(bottom[i])


@jit(parallel=True)
def tanh_forward(bottom: np.ndarray, top: np.ndarray) -> None:
    """top = tanh(bottom)."""
    if bottom.size < 2 * CHUNK:
        _forward(bottom, top)
    else:
        for chunk in prange((bottom.size + CHUNK - 1) // CHUNK):
            part = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
            _forward(bottom[part], top[part])


@jit
def tanh_backward(top: np.ndarray, top_diff: np.ndarray, bottom_diff: np.ndarray) -> None:
    """bottom_diff = top_diff * (1 - top^2)."""
    for i in range(top.size):
        bottom_diff[i] = top_diff[i] * (np.float32(1) - top[i] * top[i])
