"""im2col lays out every window of an image as a column, so that a convolution becomes a product
of matrices; col2im is its transpose, which adds the windows back into the image.

    column[(c, k), o] = image[c, o * stride + k * dilation - pad]      0 outside the image
    image[c, i]       = sum of column[(c, k), o] over o * stride + k * dilation - pad = i

c counts channels, k positions in the kernel and o positions of the output: tuples with one entry
for each spatial axis, in row-major order.

    image: (C, *in)    column: (C * prod(kernel), prod(out))    float32

A row of the column is the image moved by a constant, so it is copied line by line: for each line
the part that lies inside the image is known beforehand, and the copy has no test inside. All
spatial axes but the last two are walked by division, once for each plane of lines.
"""

from collections.abc import Sequence

import numba
import numpy as np

from .jit import jit
from .vector import add_line, copy_line

INPUT, KERNEL, PAD, STRIDE, DILATION, OUTPUT = range(6)  # the rows of `geometry`


def im2col(
    image: np.ndarray,
    kernel: Sequence[int],
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    column: np.ndarray,
) -> None:
    """Fill `column` with the windows of `image`."""
    shape = geometry(image.shape[1:], kernel, pad, stride, dilation)
    _im2col_parallel(image.reshape(image.shape[0], -1), shape, column)


def col2im(
    column: np.ndarray,
    kernel: Sequence[int],
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    image: np.ndarray,
) -> None:
    """Overwrite `image` with the sum of the windows in `column`."""
    shape = geometry(image.shape[1:], kernel, pad, stride, dilation)
    _col2im_parallel(column, shape, image.reshape(image.shape[0], -1))


def geometry(
    inputs: Sequence[int],
    kernel: Sequence[int],
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> np.ndarray:
    """The sizes of a convolution as a table: int64, one row for each of INPUT ... OUTPUT, one
    column for each spatial axis. Axes of length 1 are put in front to make at least two."""
    outputs = [
        (i + 2 * p - (d * (k - 1) + 1)) // s + 1
        for i, k, p, s, d in zip(inputs, kernel, pad, stride, dilation, strict=True)
    ]
    missing = max(0, 2 - len(inputs))
    neutral = (1, 1, 0, 1, 1, 1)
    rows = (inputs, kernel, pad, stride, dilation, outputs)
    table = [[n] * missing + list(row) for n, row in zip(neutral, rows, strict=True)]
    return np.array(table, np.int64)


@jit
def _inside(geometry, axis, k):
    """The shift of input against output along an axis for the kernel's position k, and the range
    of outputs whose input lies inside the image."""
    stride, size = geometry[STRIDE, axis], geometry[INPUT, axis]
    shift = k * geometry[DILATION, axis] - geometry[PAD, axis]
    first = min(max(0, -(shift // stride)), geometry[OUTPUT, axis])
    last = min((size - 1 - shift) // stride + 1, geometry[OUTPUT, axis])
    return shift, first, max(first, last)


@jit
def _plane_start(geometry, k, plane):
    """Where the input plane begins that the plane of output number `plane` is read from, for the
    position k in the kernel's outer axes; -1 outside the image."""
    start = 0
    size = geometry[INPUT, -1] * geometry[INPUT, -2]
    for axis in range(geometry.shape[1] - 3, -1, -1):
        o = plane % geometry[OUTPUT, axis]
        i = o * geometry[STRIDE, axis] - geometry[PAD, axis]
        i += k % geometry[KERNEL, axis] * geometry[DILATION, axis]
        if not 0 <= i < geometry[INPUT, axis]:
            return -1
        start += i * size
        size *= geometry[INPUT, axis]
        plane //= geometry[OUTPUT, axis]
        k //= geometry[KERNEL, axis]
    return start


@jit
def _fill_row(channel, geometry, k, row):
    """row[o] = channel[o * stride + k * dilation - pad], 0 outside."""
    width = geometry[INPUT, -1]
    lines, length = geometry[OUTPUT, -2], geometry[OUTPUT, -1]
    y_stride, x_stride = geometry[STRIDE, -2], geometry[STRIDE, -1]
    x_shift, x_first, x_last = _inside(geometry, -1, k % geometry[KERNEL, -1])
    k //= geometry[KERNEL, -1]
    y_shift, y_first, y_last = _inside(geometry, -2, k % geometry[KERNEL, -2])
    k //= geometry[KERNEL, -2]
    if x_first > 0 or x_last < length or y_first > 0 or y_last < lines or len(geometry[0]) > 2:
        row[:] = 0
    x_input = x_first * x_stride + x_shift
    for plane in range(row.size // max(1, lines * length)):
        start = _plane_start(geometry, k, plane)
        if start < 0:
            continue
        for y in range(y_first, y_last):
            target = (plane * lines + y) * length + x_first
            source = start + (y * y_stride + y_shift) * width + x_input
            if x_stride == 1:
                copy_line(channel, source, row, target, x_last - x_first)
            else:
                for x in range(x_last - x_first):
                    row[target + x] = channel[source + x * x_stride]


@jit
def _add_row(row, geometry, k, channel):
    """channel[o * stride + k * dilation - pad] += row[o], for the o that lie inside."""
    width = geometry[INPUT, -1]
    lines, length = geometry[OUTPUT, -2], geometry[OUTPUT, -1]
    y_stride, x_stride = geometry[STRIDE, -2], geometry[STRIDE, -1]
    x_shift, x_first, x_last = _inside(geometry, -1, k % geometry[KERNEL, -1])
    k //= geometry[KERNEL, -1]
    y_shift, y_first, y_last = _inside(geometry, -2, k % geometry[KERNEL, -2])
    k //= geometry[KERNEL, -2]
    x_input = x_first * x_stride + x_shift
    for plane in range(row.size // max(1, lines * length)):
        start = _plane_start(geometry, k, plane)
        if start < 0:
            continue
        for y in range(y_first, y_last):
            source = (plane * lines + y) * length + x_first
            target = start + (y * y_stride + y_shift) * width + x_input
            if x_stride == 1:
                add_line(row, source, channel, target, x_last - x_first)
            else:
                for x in range(x_last - x_first):
                    channel[target + x * x_stride] += row[source + x]


def _im2col(image, geometry, column):
    window = column.shape[0] // image.shape[0]
    for row in numba.prange(column.shape[0]):
        _fill_row(image[row // window], geometry, row % window, column[row])


def _col2im(column, geometry, image):
    window = column.shape[0] // image.shape[0]
    for channel in numba.prange(image.shape[0]):
        image[channel] = 0
        for k in range(window):
            _add_row(column[channel * window + k], geometry, k, image[channel])


# For use inside the parallel loops of other kernels: the same code on one thread.
fill_column = jit(_im2col)
add_column = jit(_col2im)

_im2col_parallel = jit(parallel=True)(_im2col)
_col2im_parallel = jit(parallel=True)(_col2im)
