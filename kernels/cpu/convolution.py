"""Convolution, and its gradients, as products of matrices.

    top[n, m, o] = bias[m] + sum over c, k of weight[m, c, k] * bottom[n, c, i]
        with i = o * stride + k * dilation - pad, c over the channels of m's group,
        and values outside the image taken as 0

    bottom: (N, C, *in)    weight: (M, C / group, *kernel)    bias: (M,)    top: (N, M, *out)
    float32, C-contiguous; any number of spatial axes.

With the windows of image n and group g laid out as a matrix (im2col), W being the group's weights
as a matrix (M / group, C / group * prod(kernel)), all three products are GEMMs:

    forward           top[n, g]          = W  column(bottom[n, g])
    data gradient     bottom_diff[n, g]  = col2im(W^T top_diff[n, g])
    weight gradient   W_diff            += top_diff[n, g] column(bottom[n, g])^T, summed over n

The images are dealt out to a number of shares that depends on the shapes only. Each share has its
own buffers and, for the weight gradient, its own sum; the sums are added up in order. So results
are the same to the bit for any number of threads. A kernel of one position with stride 1 and no
padding needs no column: the image is its own.

Source: Chellapilla et al., "High Performance Convolutional Neural Networks for Document
Processing", 2006.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numba
import numpy as np

from .gemm import multiply, pack, packed_size, panels_size
from .im2col import KERNEL, PAD, STRIDE, add_column, fill_column, geometry
from .jit import jit

MOST_SHARES = 16
MOST_COLUMN = 2**26  # floats in the columns of all shares together: 256 MB


def convolution_forward(
    bottom: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    top: np.ndarray,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
    workspace: np.ndarray,
) -> None:
    """Compute top. An empty bias means none. workspace: `convolution_workspace` floats."""
    images, weights, outputs = _matrices(bottom, weight, top, group)
    table = geometry(bottom.shape[2:], weight.shape[2:], pad, stride, dilation)
    buffers = _Buffers.carve(workspace, images.shape, weights.shape, outputs.shape)
    _forward(images, weights, bias, outputs, table, buffers.weights, *buffers.of_shares)


def convolution_backward_data(
    top_diff: np.ndarray,
    weight: np.ndarray,
    bottom_diff: np.ndarray,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
    workspace: np.ndarray,
) -> None:
    """Overwrite bottom_diff with the gradient by the bottom, given top_diff, that by the top."""
    images, weights, outputs = _matrices(bottom_diff, weight, top_diff, group)
    table = geometry(bottom_diff.shape[2:], weight.shape[2:], pad, stride, dilation)
    buffers = _Buffers.carve(workspace, images.shape, weights.shape, outputs.shape)
    _backward_data(outputs, weights, images, table, buffers.weights, *buffers.of_shares)


def convolution_backward_weight(
    bottom: np.ndarray,
    top_diff: np.ndarray,
    weight_diff: np.ndarray,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
    workspace: np.ndarray,
) -> None:
    """Add the gradient by the weights to weight_diff, given top_diff, that by the top."""
    images, weights, outputs = _matrices(bottom, weight_diff, top_diff, group)
    table = geometry(bottom.shape[2:], weight_diff.shape[2:], pad, stride, dilation)
    buffers = _Buffers.carve(workspace, images.shape, weights.shape, outputs.shape)
    _backward_weight(
        images, outputs, weights, table, buffers.sums, buffers.outputs, *buffers.of_shares
    )


def convolution_backward_bias(top_diff: np.ndarray, bias_diff: np.ndarray) -> None:
    """bias_diff[m] += sum over n, o of top_diff[n, m, o]"""
    _backward_bias(top_diff.reshape(*top_diff.shape[:2], -1), bias_diff)


def convolution_workspace(
    bottom_shape: Sequence[int],
    weight_shape: Sequence[int],
    top_shape: Sequence[int],
    group: int,
) -> int:
    """How many floats of workspace the functions of this file need for these shapes."""
    shapes = _Buffers.shapes(
        (bottom_shape[0], group, 0, 0),
        (group, weight_shape[0] // group, math.prod(weight_shape[1:])),
        (bottom_shape[0], group, weight_shape[0] // group, math.prod(top_shape[2:])),
    )
    return sum(_round_up(math.prod(shape)) for shape in shapes)


def _matrices(
    bottom: np.ndarray, weight: np.ndarray, top: np.ndarray, group: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same memory as images (N, G, C/G, in), weights (G, M/G, K) and outputs (N, G, M/G, S)."""
    num, channels = bottom.shape[:2]
    rows = weight.shape[0] // group
    return (
        bottom.reshape(num, group, channels // group, math.prod(bottom.shape[2:])),
        weight.reshape(group, rows, math.prod(weight.shape[1:])),
        top.reshape(num, group, rows, math.prod(top.shape[2:])),
    )


class _Buffers(NamedTuple):
    """The workspace, cut up; all but the first have one entry for each share of the images."""

    weights: np.ndarray  # the weights of each group, packed as left operand
    sums: np.ndarray  # (shares, G, M/G, K): weight gradients
    outputs: np.ndarray  # one group of one image's top_diff, packed as left operand
    columns: np.ndarray  # (shares, K, S)
    panels: np.ndarray  # of the right operand

    @property
    def of_shares(self) -> tuple[np.ndarray, np.ndarray]:
        """What all three products need."""
        return self.columns, self.panels

    @staticmethod
    def shapes(
        images: Sequence[int], weights: Sequence[int], outputs: Sequence[int]
    ) -> list[tuple[int, ...]]:
        """The shape of each buffer."""
        group, rows, depth = weights
        size = outputs[-1]
        most = MOST_COLUMN // max(1, depth * size)
        shares = max(1, min(images[0], MOST_SHARES, most))
        return [
            (group, max(packed_size(rows, depth), packed_size(depth, rows))),
            (shares, group, rows, depth),
            (shares, packed_size(rows, size)),
            (shares, depth, size),
            (shares, max(panels_size(size, max(rows, depth)), panels_size(depth, size))),
        ]

    @classmethod
    def carve(
        cls,
        workspace: np.ndarray,
        images: Sequence[int],
        weights: Sequence[int],
        outputs: Sequence[int],
    ) -> "_Buffers":
        """The buffers, one after the other in `workspace`, each from a cache line on."""
        parts, start = [], 0
        for shape in cls.shapes(images, weights, outputs):
            count = math.prod(shape)
            parts.append(workspace[start : start + count].reshape(shape))
            start += _round_up(count)
        return cls(*parts)


def _round_up(count: int) -> int:
    return -(-count // 16) * 16


@jit
def _share(num, shares, share):
    """The images of a share."""
    return range(num * share // shares, num * (share + 1) // shares)


@jit
def _is_its_own_column(table):
    plain = True
    for axis in range(table.shape[1]):
        plain = plain and table[KERNEL, axis] == 1
        plain = plain and table[STRIDE, axis] == 1 and table[PAD, axis] == 0
    return plain


@jit(parallel=True)
def _forward(images, weights, bias, outputs, table, packed, columns, panels):
    num, groups, rows, _ = outputs.shape
    own = _is_its_own_column(table)
    one = np.float32(1)
    for g in range(groups):
        pack(False, weights[g], packed[g])
    for s in numba.prange(len(columns)):
        for n in _share(num, len(columns), s):
            for g in range(groups):
                column = images[n, g] if own else columns[s]
                if not own:
                    fill_column(images[n, g], table, column)
                for m in range(rows if bias.size else 0):
                    outputs[n, g, m] = bias[g * rows + m]
                beta = one if bias.size else np.float32(0)
                multiply(packed[g], False, one, column, beta, outputs[n, g], panels[s])


@jit(parallel=True)
def _backward_data(outputs, weights, images, table, packed, columns, panels):
    num, groups = outputs.shape[:2]
    own = _is_its_own_column(table)
    one, zero = np.float32(1), np.float32(0)
    for g in range(groups):
        pack(True, weights[g], packed[g])
    for s in numba.prange(len(columns)):
        for n in _share(num, len(columns), s):
            for g in range(groups):
                column = images[n, g] if own else columns[s]
                multiply(packed[g], False, one, outputs[n, g], zero, column, panels[s])
                if not own:
                    add_column(column, table, images[n, g])


@jit(parallel=True)
def _backward_weight(images, outputs, weights, table, sums, packed, columns, panels):
    num, groups, rows, _ = outputs.shape
    own = _is_its_own_column(table)
    one = np.float32(1)
    for s in numba.prange(len(columns)):
        sums[s] = 0
        for n in _share(num, len(columns), s):
            for g in range(groups):
                column = images[n, g] if own else columns[s]
                if not own:
                    fill_column(images[n, g], table, column)
                pack(False, outputs[n, g], packed[s])
                multiply(packed[s], True, one, column, one, sums[s, g], panels[s])
    for row in numba.prange(groups * rows):
        g, m = row // rows, row % rows
        for s in range(len(sums)):
            for k in range(weights.shape[2]):
                weights[g, m, k] += sums[s, g, m, k]


@jit(parallel=True, fastmath={"reassoc", "nsz"})
def _backward_bias(top_diff, bias_diff):
    for m in numba.prange(bias_diff.size):
        total = 0.0
        for n in range(top_diff.shape[0]):
            image = np.float32(0)
            for value in top_diff[n, m]:
                image += value
            total += image
        bias_diff[m] += np.float32(total)
