"""Average pooling.

    top[n, c, y, x] = sum of bottom[n, c] over the window / area of the window

The window starts at (y, x) * stride - pad and is cut off at the padded edge, height + pad; its
area counts the padding inside that, whose values are zeros. bottom: (N, C, H, W), top:
(N, C, PH, PW), float32; kernel, pad, stride: (vertical, horizontal).

Forward has one thread for each output. Backward has one for each value of the bottom, which sums
its share of the windows that it lies in.
"""

import functools
from typing import Any

import numpy as np
from numba import cuda

from .launch import kernel, launch_each
from .pooling_windows import make_extent, make_windows_over, windows_of
from .window_values import divide

Pair = tuple[int, int]


@functools.cache
def _make_forward(rows, columns):
    row_extent, column_extent = make_extent(rows), make_extent(columns)
    height, pooled_height, kernel_height, pad_y, stride_y = rows
    width, pooled_width, kernel_width, pad_x, stride_x = columns
    whole = rows.whole and columns.whole

    @kernel
    def forward(bottom, top):
        output = cuda.grid(1)
        if output < top.size:
            row, x = divide(output, pooled_width)
            plane, y = divide(row, pooled_height)
            upper, left = y * stride_y - pad_y, x * stride_x - pad_x
            first = plane * (height * width)
            total = np.float32(0)
            for i in range(kernel_height):
                for j in range(kernel_width):
                    v, u = upper + i, left + j
                    if whole or (0 <= v < height and 0 <= u < width):
                        total += bottom[first + v * width + u]
            top[output] = total / np.float32(row_extent(y) * column_extent(x))

    return forward


@functools.cache
def _make_backward(rows, columns):
    row_extent, column_extent = make_extent(rows), make_extent(columns)
    rows_over, columns_over = make_windows_over(rows), make_windows_over(columns)
    height, pooled_height = rows[:2]
    width, pooled_width = columns[:2]
    most_rows, most_columns = rows.most, columns.most

    @kernel
    def backward(top_diff, bottom_diff):
        value = cuda.grid(1)
        if value < bottom_diff.size:
            row, x = divide(value, width)
            plane, y = divide(row, height)
            upper, lower = rows_over(y)
            left, right = columns_over(x)
            first = plane * (pooled_height * pooled_width)
            total = np.float32(0)
            for i in range(most_rows):
                for j in range(most_columns):
                    r, c = upper + i, left + j
                    if r < lower and c < right:
                        area = np.float32(row_extent(r) * column_extent(c))
                        total += top_diff[first + r * pooled_width + c] / area
            bottom_diff[value] = total

    return backward


def average_pooling_forward(bottom: Any, top: Any, kernel: Pair, pad: Pair, stride: Pair) -> None:
    """Fill `top` with the windows' averages."""
    windows = windows_of(bottom.shape, top.shape, kernel, pad, stride)
    launch_each(_make_forward(*windows), top.size, bottom, top)


def average_pooling_backward(
    top_diff: Any, bottom_diff: Any, kernel: Pair, pad: Pair, stride: Pair
) -> None:
    """Overwrite `bottom_diff`: each window's gradient is spread evenly over it."""
    windows = windows_of(bottom_diff.shape, top_diff.shape, kernel, pad, stride)
    launch_each(_make_backward(*windows), bottom_diff.size, top_diff, bottom_diff)
