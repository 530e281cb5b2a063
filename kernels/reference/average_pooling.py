"""Average pooling, by definition. bottom: (N, C, H, W), top: (N, C, PH, PW)."""

import numpy as np

Pair = tuple[int, int]


def _windows(
    shape: tuple[int, ...], out: tuple[int, ...], kernel: Pair, pad: Pair, stride: Pair
) -> np.ndarray:
    """(PH, PW, H, W): the weight of each value in each average. The padded plane ends at
    height + pad: a window's area counts the padding inside it, but nothing beyond."""
    sides = []
    for axis in (0, 1):
        start = np.arange(out[axis])[:, None] * stride[axis] - pad[axis]
        end = np.minimum(start + kernel[axis], shape[axis] + pad[axis])
        index = np.arange(shape[axis])
        sides.append(((index >= start) & (index < end)) / (end - start))
    return np.einsum("yi,xj->yxij", *sides)


def average_pooling_forward(
    bottom: np.ndarray, top: np.ndarray, kernel: Pair, pad: Pair, stride: Pair
) -> None:
    """top = sum of the window, the padding being zeros, over the window's area."""
    weights = _windows(bottom.shape[2:], top.shape[2:], kernel, pad, stride)
    top[:] = np.einsum("ncij,yxij->ncyx", bottom.astype(np.float64), weights)


def average_pooling_backward(
    top_diff: np.ndarray, bottom_diff: np.ndarray, kernel: Pair, pad: Pair, stride: Pair
) -> None:
    """bottom_diff = each output's gradient times the weight that the value had in it."""
    weights = _windows(bottom_diff.shape[2:], top_diff.shape[2:], kernel, pad, stride)
    bottom_diff[:] = np.einsum("ncyx,yxij->ncij", top_diff.astype(np.float64), weights)
