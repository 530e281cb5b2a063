"""Convolution over any number of axes: im2col and GEMM.

With the windows of image n and group g laid out as a matrix (im2col), W being the group's weights
as a matrix (M / group, C / group * prod(kernel)), all three products are GEMMs:

    forward           top[n, g]          = W  column(bottom[n, g])
    data gradient     bottom_diff[n, g]  = col2im(W^T top_diff[n, g])
    weight gradient   W_diff[g]         += top_diff[n, g] column(bottom[n, g])^T, summed over n

The images are dealt out to a number of shares that depends on the shapes only. Each share has its
own buffers and, for the weight gradient, its own sum; the sums are added up in order. So results
are the same to the bit for any number of threads. A kernel of one position with stride 1 and no
padding needs no column: the image is its own.

Source: Chellapilla et al., "High Performance Convolutional Neural Networks for Document
Processing", 2006.
"""

import math
from collections.abc import Sequence

import numpy as np

from .gemm import multiply, packed_size
from .im2col import add_column, fill_column, geometry
from .jit import jit
from .parallel import parallel_for
from .shares import share, share_count

MOST_SHARES = 16
MOST_COLUMN = 2**26  # floats in the columns of all shares together: 256 MB
FORWARD, DATA, WEIGHT = range(3)  # the three products


Form = tuple[Sequence[int], Sequence[int], Sequence[int], int]  # pad, stride, dilation, group


def workspace(
    bottom_shape: Sequence[int],
    weight_shape: Sequence[int],
    top_shape: Sequence[int],
    group: int,
) -> int:
    """How many floats of workspace `convolve` needs for these shapes."""
    shapes = _buffer_shapes(bottom_shape, weight_shape, top_shape, group)
    return sum(_round_up(math.prod(shape)) for shape in shapes)


def _buffer_shapes(
    bottom_shape: Sequence[int],
    weight_shape: Sequence[int],
    top_shape: Sequence[int],
    group: int,
) -> list[tuple[int, ...]]:
    """The buffers that the workspace is cut into: one entry a share."""
    rows, depth = weight_shape[0] // group, math.prod(weight_shape[1:])
    size = math.prod(top_shape[2:])
    shares = max(1, min(bottom_shape[0], MOST_SHARES, MOST_COLUMN // max(1, depth * size)))
    return [
        (shares, group, rows, depth),  # sums of the weight gradient
        (shares, depth, size),  # column
        (  # packed operands
            shares,
            max(
                packed_size(False, rows, size, depth),
                packed_size(True, depth, size, rows),
                packed_size(False, rows, depth, size),
            ),
        ),
    ]


def _round_up(count: int) -> int:
    return -(-count // 16) * 16  # so that each buffer starts at a cache line


def convolve(
    product: int,
    bottom: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    top: np.ndarray,
    form: Form,
    workspace: np.ndarray,
) -> None:
    """Compute one of the three products: FORWARD overwrites top, DATA overwrites bottom, and
    WEIGHT adds to weight."""
    pad, stride, dilation, group = form
    kernel = weight.shape[2:]
    buffers, start = [], 0
    for shape in _buffer_shapes(bottom.shape, weight.shape, top.shape, group):
        buffers.append(workspace[start : start + math.prod(shape)].reshape(shape))
        start += _round_up(math.prod(shape))
    own = set(kernel) <= {1} and set(stride) <= {1} and set(pad) <= {0}
    num, rows = len(top), len(weight) // group
    _convolve(
        product,
        own,
        geometry(bottom.shape[2:], kernel, pad, stride, dilation),
        bottom.reshape(num, group, bottom.shape[1] // group, math.prod(bottom.shape[2:])),
        weight.reshape(group, rows, math.prod(weight.shape[1:])),
        bias,
        top.reshape(num, group, rows, math.prod(top.shape[2:])),
        tuple(buffers),
    )
    if product == WEIGHT:
        sums = buffers[0]
        _add_up(sums.reshape(len(sums), -1), weight.reshape(-1))


@jit
def _convolve(product, own, table, images, weights, bias, outputs, buffers):
    """One of the three products, for all images and groups."""
    arguments = (product, own, table, images, weights, bias, outputs, buffers)
    parallel_for(_convolve_share, len(buffers[0]), arguments)


@jit
def _convolve_share(i, product, own, table, images, weights, bias, outputs, buffers):
    sums, columns, packed = buffers
    shares, groups, rows, _ = sums.shape
    num = len(outputs)
    start = np.float32(1 if product == WEIGHT or bias.size else 0)  # of what the product adds to
    sums[i] = 0
    for n in range(num * i // shares, num * (i + 1) // shares):
        for g in range(groups):
            column = images[n, g] if own else columns[i]
            if product != DATA and not own:
                fill_column(0, 1, images[n, g], table, column)
            left, right, result = weights[g], column, outputs[n, g]
            if product == FORWARD:
                for m in range(rows if bias.size else 0):
                    result[m] = bias[g * rows + m]
            elif product == DATA:
                right, result = result, right
            else:
                left, result = result, sums[i, g]
            multiply(
                product == DATA,
                left,
                product == WEIGHT,
                np.float32(1),
                right,
                start,
                result,
                packed[i],
            )
            if product == DATA and not own:
                add_column(0, 1, column, table, images[n, g])


@jit
def _add_up(sums, total):
    """total += the sums of all shares, in their order."""
    count = share_count(sums.size)
    parallel_for(_add_part, count, (count, sums, total))


@jit
def _add_part(i, count, sums, total):
    first, last = share(i, count, total.size)
    for s in range(len(sums)):
        part, whole = sums[s, first:last], total[first:last]
        for j in range(part.size):
            whole[j] += part[j]
