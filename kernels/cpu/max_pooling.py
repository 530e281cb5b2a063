"""Max pooling.

    top[n, c, y, x] = maximum of bottom[n, c] over the window at (y, x) * stride - pad
    mask[n, c, y, x] = where that maximum is: row * W + column
    bottom_diff[n, c, i] = sum of top_diff over the outputs whose mask is i

bottom: (N, C, H, W), top: (N, C, PH, PW), float32; mask: as top, int32; kernel, pad, stride:
(vertical, horizontal). Of equal values the first wins. As in Caffe the search starts at the
lowest float32, above which a NaN never counts: a window of NaNs gives -3.4e38 and its first index.

A thread takes whole planes. The 2 x 2 windows of LeNet have a path of their own without inner
loops, which LLVM vectorises: it reads the two rows with stride 2.
"""

import numpy as np
from numba import prange

from .jit import jit

Pair = tuple[int, int]
LOWEST = np.finfo(np.float32).min


@jit
def _planes(array: np.ndarray) -> np.ndarray:
    n, c, height, width = array.shape
    return array.reshape((n * c, height, width))


@jit
def _plane_2x2(bottom: np.ndarray, top: np.ndarray, mask: np.ndarray) -> None:
    """Windows of 2 x 2 with stride 2 that all lie inside the plane."""
    width = bottom.shape[1]
    for y in range(top.shape[0]):
        upper, lower = bottom[2 * y], bottom[2 * y + 1]
        for x in range(top.shape[1]):
            best = LOWEST
            index = np.int32(2 * y * width + 2 * x)
            first = index
            for_lower = np.int32(first + width)
            if upper[2 * x] > best:
                best = upper[2 * x]
            if upper[2 * x + 1] > best:
                best, index = upper[2 * x + 1], np.int32(first + 1)
            if lower[2 * x] > best:
                best, index = lower[2 * x], for_lower
            if lower[2 * x + 1] > best:
                best, index = lower[2 * x + 1], np.int32(for_lower + 1)
            top[y, x] = best
            mask[y, x] = index


@jit
def _plane(
    bottom: np.ndarray, top: np.ndarray, mask: np.ndarray, kernel: Pair, pad: Pair, stride: Pair
) -> None:
    height, width = bottom.shape
    for y in range(top.shape[0]):
        start_y = y * stride[0] - pad[0]
        rows = range(max(start_y, 0), min(start_y + kernel[0], height))
        for x in range(top.shape[1]):
            start_x = x * stride[1] - pad[1]
            columns = range(max(start_x, 0), min(start_x + kernel[1], width))
            best, index = LOWEST, rows.start * width + columns.start
            for i in rows:
                for j in columns:
                    if bottom[i, j] > best:
                        best, index = bottom[i, j], i * width + j
            top[y, x] = best
            mask[y, x] = index


@jit(parallel=True)
def max_pooling_forward(
    bottom: np.ndarray, top: np.ndarray, mask: np.ndarray, kernel: Pair, pad: Pair, stride: Pair
) -> None:
    """Fill `top` and `mask`. Every window must overlap the plane."""
    images, outputs, masks = _planes(bottom), _planes(top), _planes(mask)
    fits = 2 * top.shape[2] <= bottom.shape[2] and 2 * top.shape[3] <= bottom.shape[3]
    plain = kernel == (2, 2) and stride == (2, 2) and pad == (0, 0) and fits
    for p in prange(images.shape[0]):
        if plain:
            _plane_2x2(images[p], outputs[p], masks[p])
        else:
            _plane(images[p], outputs[p], masks[p], kernel, pad, stride)


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
