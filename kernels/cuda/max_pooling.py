"""Max pooling.

    top[n, c, y, x] = maximum of bottom[n, c] over the window at (y, x) * stride - pad
    mask[n, c, y, x] = where that maximum is: row * W + column
    bottom_diff[n, c, i] = sum of top_diff over the outputs whose mask is i

bottom: (N, C, H, W), top: (N, C, PH, PW), float32; mask: as top, int32; kernel, pad, stride:
(vertical, horizontal). Of equal values the first wins. As in Caffe the search starts at the
lowest float32, above which a NaN never counts: a window of NaNs gives -3.4e38 and its first index.

Forward has one thread for each output. Backward has one for each value of the bottom, which looks
at the windows that it lies in: nobody else writes there, and the order of the sum is fixed.
"""

import functools
from typing import Any

import numpy as np
from numba import cuda

from .launch import kernel, launch_each
from .pooling_windows import make_windows_over, windows_of
from .window_values import divide

LOWEST = np.finfo(np.float32).min
Pair = tuple[int, int]


@functools.cache
def _make_forward(rows, columns):
    height, pooled_height, kernel_height, pad_y, stride_y = rows
    width, pooled_width, kernel_width, pad_x, stride_x = columns
    whole = rows.whole and columns.whole

    @kernel
    def forward(bottom, top, mask):
        output = cuda.grid(1)
        if output < top.size:
            row, x = divide(output, pooled_width)
            plane, y = divide(row, pooled_height)
            upper, left = y * stride_y - pad_y, x * stride_x - pad_x
            first = plane * (height * width)
            best, place = np.float32(LOWEST), max(upper, 0) * width + max(left, 0)
            for i in range(kernel_height):
                for j in range(kernel_width):
                    v, u = upper + i, left + j
                    if whole or (0 <= v < height and 0 <= u < width):
                        value = bottom[first + v * width + u]
                        if value > best:
                            best, place = value, v * width + u
            top[output], mask[output] = best, place

    return forward


@functools.cache
def _make_backward(rows, columns):
    rows_over, columns_over = make_windows_over(rows), make_windows_over(columns)
    height, pooled_height = rows[:2]
    width, pooled_width = columns[:2]
    most_rows, most_columns = rows.most, columns.most

    @kernel
    def backward(top_diff, mask, bottom_diff):
        value = cuda.grid(1)
        if value < bottom_diff.size:
            plane, place = divide(value, height * width)
            y, x = divide(place, width)
            upper, lower = rows_over(y)
            left, right = columns_over(x)
            first = plane * (pooled_height * pooled_width)
            total = np.float32(0)
            for i in range(most_rows):
                for j in range(most_columns):
                    r, c = upper + i, left + j
                    if r < lower and c < right:
                        output = first + r * pooled_width + c
                        if mask[output] == place:
                            total += top_diff[output]
            bottom_diff[value] = total

    return backward


def max_pooling_forward(
    bottom: Any, top: Any, mask: Any, kernel: Pair, pad: Pair, stride: Pair
) -> None:
    """Fill `top` and `mask`. Every window must overlap the plane."""
    windows = windows_of(bottom.shape, top.shape, kernel, pad, stride)
    launch_each(_make_forward(*windows), top.size, bottom, top, mask)


def max_pooling_backward(
    top_diff: Any, mask: Any, bottom_diff: Any, kernel: Pair, pad: Pair, stride: Pair
) -> None:
    """Overwrite `bottom_diff`: each output's gradient goes to where its maximum was."""
    windows = windows_of(bottom_diff.shape, top_diff.shape, kernel, pad, stride)
    launch_each(_make_backward(*windows), bottom_diff.size, top_diff, mask, bottom_diff)
