"""im2col lays out every window of an image as a column, so that a convolution becomes a product
of matrices; col2im is its transpose, which adds the windows back into the image.

    column[(c, k), o] = image[c, o * stride + k * dilation - pad]      0 outside the image
    image[c, i]       = sum of column[(c, k), o] over o * stride + k * dilation - pad = i

c counts channels, k positions in the kernel and o positions of the output: tuples with one entry
for each spatial axis, in row-major order.

    image: (C, *in)    column: (C * prod(kernel), prod(out))    float32

One thread a value, which lies beside its neighbour's: col2im gathers what belongs to a value of the
image rather than adding up what columns spread, so it needs no atomics and has one order of sums.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import cuda

from .launch import kernel as gpu_kernel  # `kernel` is a parameter here
from .launch import launch_each
from .window_values import Axes, divide, make_axes, make_input_values, make_output_values, sizes


def im2col(
    image: Any,
    kernel: Sequence[int],
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    column: Any,
) -> None:
    """Fill `column` with the windows of `image`."""
    axes = make_axes(image.shape[1:], kernel, pad, stride, dilation)
    launch_each(_make_im2col(image.shape[0], axes), column.size, image, column)


def col2im(
    column: Any,
    kernel: Sequence[int],
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    image: Any,
) -> None:
    """Overwrite `image` with the sum of the windows in `column`."""
    channels = image.shape[0]
    axes = make_axes(image.shape[1:], kernel, pad, stride, dilation)
    add_windows(1, channels, channels, axes, column, image)


def add_windows(
    num: int, channels: int, all_channels: int, axes: Axes, column: Any, images: Any
) -> None:
    """col2im of several images at once. Of each, the first `channels` are overwritten.

    column: (channels * prod(kernel), num * prod(out)), images: (num, all_channels, *in)
    """
    add = _make_col2im(num, channels, all_channels, axes)
    launch_each(add, num * channels * sizes(axes).plane, column, images)


@functools.cache
def _make_im2col(channels: int, axes: Axes) -> Any:
    window, plane, positions = sizes(axes)
    size = channels * window * positions
    input_values = make_input_values(axes)

    @gpu_kernel
    def fill_column(image, column):
        at = cuda.grid(1)
        if at < size:
            row, o = divide(at, positions)
            c, k = divide(row, window)
            column[at] = input_values(image, c * plane, k, o)

    return fill_column


@functools.cache
def _make_col2im(num: int, channels: int, all_channels: int, axes: Axes) -> Any:
    window, plane, positions = sizes(axes)
    size = num * channels * plane
    output_values = make_output_values(axes)

    @gpu_kernel
    def add_columns(column, images):
        at = cuda.grid(1)
        if at < size:
            n, rest = divide(at, channels * plane)
            c, i = divide(rest, plane)
            total = np.float32(0)
            for k in range(window):
                row = c * window + k
                total += output_values(column, (row * num + n) * positions, k, i)
            images[np.uint32((n * all_channels + c) * plane + i)] = total

    return add_columns
