"""Max pooling, by definition. bottom: (N, C, H, W), top and mask: (N, C, PH, PW)."""

import numpy as np

Pair = tuple[int, int]


def max_pooling_forward(
    bottom: np.ndarray, top: np.ndarray, mask: np.ndarray, kernel: Pair, pad: Pair, stride: Pair
) -> None:
    """top = maximum of the window at output * stride - pad, cut off at the edges of the plane;
    mask = row * W + column of its first occurrence."""
    height, width = bottom.shape[2:]
    for n, c, y, x in np.ndindex(top.shape):
        rows = np.arange(y * stride[0] - pad[0], y * stride[0] - pad[0] + kernel[0])
        columns = np.arange(x * stride[1] - pad[1], x * stride[1] - pad[1] + kernel[1])
        rows = rows[(rows >= 0) & (rows < height)]
        columns = columns[(columns >= 0) & (columns < width)]
        window = bottom[n, c][np.ix_(rows, columns)]
        # Comparisons with a NaN are false, and nothing below the lowest float is ever reached.
        window = np.fmax(window, np.finfo(np.float32).min)
        i, j = np.unravel_index(window.argmax(), window.shape)
        top[n, c, y, x] = window[i, j]
        mask[n, c, y, x] = rows[i] * width + columns[j]


def max_pooling_backward(
    top_diff: np.ndarray,
    mask: np.ndarray,
    bottom_diff: np.ndarray,
    kernel: Pair,
    pad: Pair,
    stride: Pair,
) -> None:
    """bottom_diff = sum of top_diff over the outputs whose maximum was there. kernel, pad, stride:
    forward's, which tell no more than the mask does."""
    n, c, height, width = bottom_diff.shape
    total = np.zeros((n, c, height * width))
    for image, channel, y, x in np.ndindex(mask.shape):
        total[image, channel, mask[image, channel, y, x]] += top_diff[image, channel, y, x]
    bottom_diff[:] = total.reshape(bottom_diff.shape)
