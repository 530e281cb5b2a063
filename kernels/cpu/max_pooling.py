"""Max pooling.

    top[n, c, y, x] = maximum of bottom[n, c] over the window at (y, x) * stride - pad
    mask[n, c, y, x] = where that maximum is: row * W + column
    bottom_diff[n, c, i] = sum of top_diff over the outputs whose mask is i

bottom: (N, C, H, W), top: (N, C, PH, PW), float32; mask: as top, int32; kernel, pad, stride:
(vertical, horizontal). Of equal values the first wins. As in Caffe the search starts at the
lowest float32, above which a NaN never counts: a window of NaNs gives -3.4e38 and its first index.

A thread takes whole planes. Windows of 2 x 2 and 3 x 3 with stride 2, those of most nets, are
searched by functions that know their size: LLVM unrolls the window and vectorises over x, which
is six times as fast as the loop for any window. That one does the rest, and their cut-off edges.
"""

from typing import Any

import numpy as np
from numba import prange

from .jit import jit

Pair = tuple[int, int]
LOWEST = np.finfo(np.float32).min


def _make_search(size: int) -> Any:
    """A function for windows of size x size with stride 2 that lie inside the plane."""

    @jit
    def search(
        bottom: np.ndarray, top: np.ndarray, mask: np.ndarray, rows: int, columns: int
    ) -> None:
        """Fill the first `rows` and `columns` of top (PH, PW) and mask from bottom (H, W)."""
        width = bottom.shape[1]
        for y in range(rows):
            for x in range(columns):
                best, index = LOWEST, np.int32(2 * y * width + 2 * x)
                for i in range(2 * y, 2 * y + size):
                    for j in range(2 * x, 2 * x + size):
                        if bottom[i, j] > best:
                            best, index = bottom[i, j], np.int32(i * width + j)
                top[y, x] = best
                mask[y, x] = index

    return search


_search_2x2 = _make_search(2)
_search_3x3 = _make_search(3)


@jit
def _search_any(
    bottom: np.ndarray,
    top: np.ndarray,
    mask: np.ndarray,
    kernel: Pair,
    pad: Pair,
    stride: Pair,
    done: Pair,
) -> None:
    """Fill top and mask, but for the rows and columns that are `done`."""
    height, width = bottom.shape
    for y in range(top.shape[0]):
        row = max(y * stride[0] - pad[0], 0)
        last_row = min(y * stride[0] - pad[0] + kernel[0], height)
        for x in range(done[1] if y < done[0] else 0, top.shape[1]):
            column = max(x * stride[1] - pad[1], 0)
            last_column = min(x * stride[1] - pad[1] + kernel[1], width)
            best, index = LOWEST, row * width + column
            for i in range(row, last_row):
                for j in range(column, last_column):
                    if bottom[i, j] > best:
                        best, index = bottom[i, j], i * width + j
            top[y, x] = best
            mask[y, x] = index


@jit
def max_pool_planes(
    bottom, bottom_first, planes, height, width, top, mask, top_first, ph, pw, kernel, pad, stride
):
    size = kernel[0]
    rows, columns = 0, 0
    if kernel == (size, size) and 2 <= size <= 3 and stride == (2, 2) and pad == (0, 0):
        rows = max(min((height - size) // 2 + 1, ph), 0)
        columns = max(min((width - size) // 2 + 1, pw), 0)
    for p in range(planes):
        b = bottom[
            bottom_first + p * height * width : bottom_first + (p + 1) * height * width
        ].reshape((height, width))
        t = top[top_first + p * ph * pw : top_first + (p + 1) * ph * pw].reshape((ph, pw))
        m = mask[top_first + p * ph * pw : top_first + (p + 1) * ph * pw].reshape((ph, pw))
        if size == 2:
            _search_2x2(b, t, m, rows, columns)
        elif size == 3:
            _search_3x3(b, t, m, rows, columns)
        _search_any(b, t, m, kernel, pad, stride, (rows, columns))


@jit
def _planes(array: np.ndarray) -> np.ndarray:
    n, c, height, width = array.shape
    return array.reshape((n * c, height, width))


@jit(parallel=True)
def max_pooling_forward(
    bottom: np.ndarray, top: np.ndarray, mask: np.ndarray, kernel: Pair, pad: Pair, stride: Pair
) -> None:
    """Fill `top` and `mask`. Every window must overlap the plane."""
    images, outputs, masks = _planes(bottom), _planes(top), _planes(mask)
    size = kernel[0]
    rows, columns = 0, 0
    if kernel == (size, size) and 2 <= size <= 3 and stride == (2, 2) and pad == (0, 0):
        rows = max(min((bottom.shape[2] - size) // 2 + 1, top.shape[2]), 0)
        columns = max(min((bottom.shape[3] - size) // 2 + 1, top.shape[3]), 0)
    for p in prange(images.shape[0]):
        if size == 2:
            _search_2x2(images[p], outputs[p], masks[p], rows, columns)
        elif size == 3:
            _search_3x3(images[p], outputs[p], masks[p], rows, columns)
        _search_any(images[p], outputs[p], masks[p], kernel, pad, stride, (rows, columns))


@jit
def _scatter(top_diff: np.ndarray, mask: np.ndarray, bottom_diff: np.ndarray) -> None:
    bottom_diff[:] = 0
    for i in range(mask.size):
        bottom_diff[np.uint32(mask[i])] += top_diff[i]


@jit(parallel=True)
def max_pooling_backward(top_diff: np.ndarray, mask: np.ndarray, bottom_diff: np.ndarray) -> None:
    """Overwrite `bottom_diff`: each output's gradient goes to where its maximum was."""
    targets, gradients, masks = _planes(bottom_diff), _planes(top_diff), _planes(mask)
    for p in prange(targets.shape[0]):
        _scatter(gradients[p].reshape(-1), masks[p].reshape(-1), targets[p].reshape(-1))
