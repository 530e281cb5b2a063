"""The copies of an image that make its convolution a product of matrices without a column matrix.

    copies[c, kx, line(Y), ox] = image[c, Y - pad_y, ox * stride_x + kx * dilation_x - pad_x]

with zeros outside the image, for each column kx of the kernel and each line Y of the padded image.
The windows' row (c, ky, kx), all outputs in their order, is then one run of memory: the lines of
copies[c, kx] from ky * dilation_y on. So there are kernel-width copies of the image in place of
im2col's kernel-size copies: for 5 x 5, a fifth of the memory, most of which stays in the nearest
cache. With a vertical stride, line(Y) puts lines together whose numbers leave the same remainder.

    image: (C, H * W)    copies: flat, `copies_size` floats    float32

Source: Cho and Brand, "MEC: Memory-efficient Convolution for Deep Neural Network", 2017.
"""

import numpy as np

from .im2col import DILATION, INPUT, KERNEL, OUTPUT, PAD, STRIDE, inside
from .jit import jit
from .line_copy import add_to_every, copy_every


@jit
def lines(geometry: np.ndarray) -> int:
    """How many lines of one copy leave the same remainder by the vertical stride."""
    padded = geometry[INPUT, 0] + 2 * geometry[PAD, 0]
    return (padded + geometry[STRIDE, 0] - 1) // geometry[STRIDE, 0]


@jit
def copies_size(geometry: np.ndarray, channels: int) -> int:
    """How many floats the copies of `channels` channels take."""
    copy = lines(geometry) * geometry[STRIDE, 0] * geometry[OUTPUT, 1]
    return channels * geometry[KERNEL, 1] * copy


def window_starts(geometry: np.ndarray, channels: int) -> np.ndarray:
    """Where the windows' row (c, ky, kx) begins in the copies: int64, in the order of weights."""
    y = np.arange(geometry[KERNEL, 0]) * geometry[DILATION, 0]
    stride, length = geometry[STRIDE, 0], geometry[OUTPUT, 1]
    first = y % stride * lines(geometry) + y // stride
    copy = np.arange(channels * geometry[KERNEL, 1]).reshape(channels, 1, -1)
    return (
        copy * copies_size(geometry, 1) // geometry[KERNEL, 1] + first[:, None] * length
    ).ravel()


def _make_walk(move_line, clear):
    """move_line(image, i, stride, copies, o, count) is called for each line of each copy, whose
    values, from copies[o] on, belong to image[i], image[i + stride], ..."""

    @jit
    def walk(image, first, geometry, copies, start, channels):
        height, width = geometry[INPUT]
        pad, y_stride, x_stride = geometry[PAD, 0], geometry[STRIDE, 0], geometry[STRIDE, 1]
        length = geometry[OUTPUT, 1]
        group = lines(geometry)
        for c in range(channels):
            for kx in range(geometry[KERNEL, 1]):
                shift, x_first, x_last = inside(geometry, 1, kx)
                if clear and (pad > 0 or y_stride > 1 or x_last - x_first < length):
                    copies[start : start + group * y_stride * length] = 0
                for y in range(height):
                    line = y + pad
                    if y_stride > 1:
                        line = line % y_stride * group + line // y_stride
                    i = first + (c * height + y) * width + x_first * x_stride + shift
                    o = start + line * length + x_first
                    move_line(image, i, x_stride, copies, o, x_last - x_first)
                start += group * y_stride * length

    return walk


# walk(image, first, geometry, copies, start, channels): the copies of the channels from
# image[first] on are those from copies[start] on; image and copies are flat.
make_copies = _make_walk(copy_every, clear=True)
add_copies = _make_walk(add_to_every, clear=False)
