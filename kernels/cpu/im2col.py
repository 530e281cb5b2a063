"""im2col lays out every window of an image as a column, so that a convolution becomes a product
of matrices; col2im is its transpose, which adds the windows back into the image.

    column[(c, k), o] = image[c, o * stride + k * dilation - pad]      0 outside the image
    image[c, i]       = sum of column[(c, k), o] over o * stride + k * dilation - pad = i

c counts channels, k positions in the kernel and o positions of the output: tuples with one entry
for each spatial axis, in row-major order.

    image: (C, *in)    column: (C * prod(kernel), prod(out))    float32

A row of the column is the image moved by a constant, so it is copied line by line: which outputs
lie inside the image is known beforehand, and the copy has no test inside. All spatial axes but
the last two are walked by division, once for each plane of lines.
"""

from collections.abc import Sequence

import numpy as np

from .jit import jit
from .line_copy import add_to_every, copy_every
from .parallel import parallel_for
from .shares import share_count

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
    _im2col(image.reshape(image.shape[0], -1), shape, column)


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
    _col2im(column, shape, image.reshape(image.shape[0], -1))


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
def inside(geometry, axis, k):
    """Along an axis, for the kernel's position k: the shift of input against output, and the first
    and last + 1 of the outputs whose input lies inside the image."""
    stride, outputs = geometry[STRIDE, axis], geometry[OUTPUT, axis]
    shift = k * geometry[DILATION, axis] - geometry[PAD, axis]
    first, last = -shift, geometry[INPUT, axis] - shift
    if stride > 1:  # divisions are slow, and this runs for each row of the column
        first, last = -(-first // stride), -(-last // stride)
    first = min(max(0, first), outputs)
    return shift, first, max(first, min(last, outputs))


@jit
def _plane_start(geometry, k, plane):
    """Where the input plane begins that the plane of outputs number `plane` is read from, for
    position number k in the kernel's outer axes; -1 outside the image."""
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


def _make_walk(move_line):
    """The walk over one channel's windows: move_line(channel, i, stride, column, o, count) is
    called for each line of outputs, from column[o] on, whose inputs, from channel[i] on, lie
    inside the image."""

    @jit
    def walk(channel, geometry, column):
        windows, size = column.shape
        height, width = geometry[KERNEL, -2], geometry[KERNEL, -1]
        lines, length = geometry[OUTPUT, -2], geometry[OUTPUT, -1]
        y_stride, x_stride = geometry[STRIDE, -2], geometry[STRIDE, -1]
        pitch = geometry[INPUT, -1]
        planes = size // max(1, lines * length)
        flat = column.reshape(-1)
        target = 0
        for k in range(windows // (height * width)):
            for ky in range(height):
                y_shift, y_first, y_last = inside(geometry, -2, ky)
                for kx in range(width):
                    x_shift, x_first, x_last = inside(geometry, -1, kx)
                    for plane in range(planes):
                        start = _plane_start(geometry, k, plane)
                        for y in range(y_first, y_last if start >= 0 else y_first):
                            i = start + (y * y_stride + y_shift) * pitch + x_first * x_stride
                            o = target + y * length + x_first
                            move_line(channel, i + x_shift, x_stride, flat, o, x_last - x_first)
                        target += lines * length

    return walk


_fill = _make_walk(copy_every)
_add = _make_walk(add_to_every)


@jit
def fill_column(i, count, image, geometry, column):
    """im2col of share i of `count` of the channels. image: (C, all positions)."""
    rows = len(column) // len(image)
    padded = geometry[PAD].any()
    for c in range(len(image) * i // count, len(image) * (i + 1) // count):
        part = column[c * rows : (c + 1) * rows]
        if padded:  # else every input lies inside
            part[:] = 0
        _fill(image[c], geometry, part)


@jit
def add_column(i, count, column, geometry, image):
    """col2im of share i of `count` of the channels. image: (C, all positions)."""
    rows = len(column) // len(image)
    for c in range(len(image) * i // count, len(image) * (i + 1) // count):
        image[c] = 0
        _add(image[c], geometry, column[c * rows : (c + 1) * rows])


@jit
def _im2col(image, geometry, column):
    count = min(share_count(column.size), len(image))
    parallel_for(fill_column, count, (count, image, geometry, column))


@jit
def _col2im(column, geometry, image):
    count = min(share_count(column.size), len(image))
    parallel_for(add_column, count, (count, column, geometry, image))
