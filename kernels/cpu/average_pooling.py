"""Average pooling.

    top[n, c, y, x] = sum of bottom[n, c] over the window / area of the window

The window starts at (y, x) * stride - pad and is cut off at the padded edge, height + pad; its
area counts the padding inside that, whose values are zeros. bottom: (N, C, H, W), top:
(N, C, PH, PW), float32; kernel, pad, stride: (vertical, horizontal). A thread takes whole planes.
Sums add in float64.
"""

import numpy as np
from numba import prange

from .jit import jit

Pair = tuple[int, int]


@jit
def _window(out: int, kernel: int, pad: int, stride: int, length: int) -> tuple[int, int, int]:
    """Along one axis: where the window starts and ends in the image, and its padded length."""
    start = out * stride - pad
    end = min(start + kernel, length + pad)
    return max(start, 0), min(end, length), end - start


@jit(parallel=True)
def average_pooling_forward(
    bottom: np.ndarray, top: np.ndarray, kernel: Pair, pad: Pair, stride: Pair
) -> None:
    """Fill `top` with the windows' averages."""
    batch, channels, height, width = bottom.shape
    for plane in prange(batch * channels):
        n, c = plane // channels, plane % channels
        for y in range(top.shape[2]):
            top_edge, bottom_edge, rows = _window(y, kernel[0], pad[0], stride[0], height)
            for x in range(top.shape[3]):
                left, right, columns = _window(x, kernel[1], pad[1], stride[1], width)
                total = 0.0
                for i in range(top_edge, bottom_edge):
                    for j in range(left, right):
                        total += bottom[n, c, i, j]
                top[n, c, y, x] = total / (rows * columns)


@jit(parallel=True)
def average_pooling_backward(
    top_diff: np.ndarray, bottom_diff: np.ndarray, kernel: Pair, pad: Pair, stride: Pair
) -> None:
    """Overwrite `bottom_diff`: each window's gradient is spread evenly over it."""
    batch, channels, height, width = bottom_diff.shape
    for plane in prange(batch * channels):
        n, c = plane // channels, plane % channels
        bottom_diff[n, c] = 0
        for y in range(top_diff.shape[2]):
            top_edge, bottom_edge, rows = _window(y, kernel[0], pad[0], stride[0], height)
            for x in range(top_diff.shape[3]):
                left, right, columns = _window(x, kernel[1], pad[1], stride[1], width)
                share = np.float32(top_diff[n, c, y, x] / np.float32(rows * columns))
                for i in range(top_edge, bottom_edge):
                    for j in range(left, right):
                        bottom_diff[n, c, i, j] += share
