"""ReLU, with a slope for negative values.

    top = max(bottom, 0) + negative_slope * min(bottom, 0)
    bottom_diff = top_diff * (1 where bottom > 0, else negative_slope)

All arrays are flat float32. Each value depends on its own only, so that `bottom` and `top` may be
one array (and with it `top_diff` and `bottom_diff`): for a slope of 0 or more the sign of the
output is the sign of the input. A NaN stays a NaN.
"""

import numpy as np
from numba import prange

from .jit import jit

CHUNK = 1 << 15  # values a thread takes at a time; below two chunks a thread team costs too much


@jit
def _forward(bottom: np.ndarray, top: np.ndarray, slope: np.float32) -> None:
    zero = np.float32(0)
    for i in range(bottom.size):
        x = bottom[i]
        top[i] = (zero if x < zero else x) + slope * (zero if x > zero else x)


@jit(parallel=True)
def relu_forward(bottom: np.ndarray, top: np.ndarray, negative_slope: float) -> None:
    """top = max(bottom, 0) + negative_slope * min(bottom, 0)."""
    slope = np.float32(negative_slope)
    if bottom.size < 2 * CHUNK:
        _forward(bottom, top, slope)
    else:
        for chunk in prange((bottom.size + CHUNK - 1) // CHUNK):
            part = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
            _forward(bottom[part], top[part], slope)


@jit
def _backward(
    bottom: np.ndarray, top_diff: np.ndarray, bottom_diff: np.ndarray, slope: np.float32
) -> None:
    for i in range(bottom.size):
        bottom_diff[i] = top_diff[i] * (np.float32(1) if bottom[i] > 0 else slope)


@jit(parallel=True)
def relu_backward(
    bottom: np.ndarray, top_diff: np.ndarray, bottom_diff: np.ndarray, negative_slope: float
) -> None:
    """bottom_diff = top_diff * (1 where bottom > 0, else negative_slope)."""
    slope = np.float32(negative_slope)
    if bottom.size < 2 * CHUNK:
        _backward(bottom, top_diff, bottom_diff, slope)
    else:
        for chunk in prange((bottom.size + CHUNK - 1) // CHUNK):
            part = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
            _backward(bottom[part], top_diff[part], bottom_diff[part], slope)
