"""Hyperbolic tangent: one thread a value.

    top = tanh(bottom)
    bottom_diff = top_diff * (1 - top^2)

All arrays are flat float32; bottom and top (and top_diff and bottom_diff) may be one array, since
the gradient needs the output only.
"""

import math
from typing import Any

import numpy as np
from numba import cuda

from .launch import kernel, launch_each


@kernel
def _forward(bottom, top):
    i = cuda.grid(1)
    if i < top.size:
        top[i] = math.tanh(bottom[i])


@kernel
def _backward(top, top_diff, bottom_diff):
    i = cuda.grid(1)
    if i < top.size:
        bottom_diff[i] = top_diff[i] * (np.float32(1) - top[i] * top[i])


def tanh_forward(bottom: Any, top: Any) -> None:
    """top = tanh(bottom)."""
    launch_each(_forward, bottom.size, bottom, top)


def tanh_backward(top: Any, top_diff: Any, bottom_diff: Any) -> None:
    """bottom_diff = top_diff * (1 - top^2)."""
    launch_each(_backward, top.size, top, top_diff, bottom_diff)
