"""ReLU, with a slope for negative values.

    top = max(bottom, 0) + negative_slope * min(bottom, 0)
    bottom_diff = top_diff * (1 where bottom > 0, else negative_slope)

All arrays are flat float32. Each value depends on its own only, so that `bottom` and `top` may be
one array (and with it `top_diff` and `bottom_diff`): for a slope of 0 or more the sign of the
output is the sign of the input. A NaN stays a NaN.

Where they are one array the loops say so: of two that overlap LLVM would take the values one by
one.
"""

import numpy as np

from .jit import jit
from .parallel import parallel_for
from .shares import share, share_count


@jit
def relu_forward(bottom: np.ndarray, top: np.ndarray, negative_slope: float) -> None:
    """top = max(bottom, 0) + negative_slope * min(bottom, 0)."""
    count = share_count(bottom.size)
    parallel_for(_forward, count, (count, bottom, top, np.float32(negative_slope)))


@jit
def _forward(i, count, bottom, top, slope):
    first, last = share(i, count, top.size)
    x, y = bottom[first:last], top[first:last]
    if x.ctypes.data == y.ctypes.data:
        for j in range(y.size):
            y[j] = _rectify(y[j], slope)
    else:
        for j in range(y.size):
            y[j] = _rectify(x[j], slope)


@jit(inline=True)
def _rectify(x, slope):
    zero = np.float32(0)
    return (zero if x < zero else x) + slope * (zero if x > zero else x)


@jit
def relu_backward(
    bottom: np.ndarray, top_diff: np.ndarray, bottom_diff: np.ndarray, negative_slope: float
) -> None:
    """bottom_diff = top_diff * (1 where bottom > 0, else negative_slope)."""
    count = share_count(bottom.size)
    arguments = count, bottom, top_diff, bottom_diff, np.float32(negative_slope)
    parallel_for(_backward, count, arguments)


@jit
def _backward(i, count, bottom, top_diff, bottom_diff, slope):
    first, last = share(i, count, bottom.size)
    x, dy, dx = bottom[first:last], top_diff[first:last], bottom_diff[first:last]
    if dy.ctypes.data == dx.ctypes.data:
        for j in range(x.size):
            dx[j] *= np.float32(1) if x[j] > 0 else slope
    else:
        for j in range(x.size):
            dx[j] = dy[j] * (np.float32(1) if x[j] > 0 else slope)
