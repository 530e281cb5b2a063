"""Rectified linear units: one thread a value.

    top         = bottom where it is positive, negative_slope * bottom elsewhere
    bottom_diff = top_diff * (1 where bottom is positive, else negative_slope)

All arrays are flat float32. A NaN stays one.
"""

from typing import Any

import numpy as np
from numba import cuda

from .launch import kernel, launch_each


@kernel
def _forward(bottom, top, negative_slope):
    i = cuda.grid(1)
    if i < bottom.size:
        value = bottom[i]
        top[i] = negative_slope * value if value <= np.float32(0) else value


@kernel
def _backward(bottom, top_diff, bottom_diff, negative_slope):
    i = cuda.grid(1)
    if i < bottom.size:
        slope = np.float32(1) if bottom[i] > np.float32(0) else negative_slope
        bottom_diff[i] = top_diff[i] * slope


def relu_forward(bottom: Any, top: Any, negative_slope: float) -> None:
    """Fill `top`, which may be `bottom`."""
    launch_each(_forward, bottom.size, bottom, top, np.float32(negative_slope))


def relu_backward(bottom: Any, top_diff: Any, bottom_diff: Any, negative_slope: float) -> None:
    """Overwrite `bottom_diff`, which may be `top_diff`. `bottom` may be the top: the same sign."""
    slope = np.float32(negative_slope)
    launch_each(_backward, bottom.size, bottom, top_diff, bottom_diff, slope)
