"""Average pooling.

    top[n, c, y, x] = sum of bottom[n, c] over the window / area of the window

The window starts at (y, x) * stride - pad and is cut off at the padded edge, height + pad; its
area counts the padding inside that, whose values are zeros. bottom: (N, C, H, W), top:
(N, C, PH, PW), float32; kernel, pad, stride: (vertical, horizontal).

Windows of 3 x 3 with stride 2 and no padding are pooled by vectors (average_strips.py), in float32;
all others by a loop over the window, whose sums add in float64.
"""

import numpy as np

from .average_strips import make_average_gather, make_average_strip
from .jit import jit
from .parallel import parallel_for
from .pooling_plan import (
    covers,
    fits,
    plane_shares,
    planes_at_once,
    prefetch_distance,
    strips,
)
from .vector import host_width

Pair = tuple[int, int]
LANES = min(host_width(), 8)  # windows in a vector
_average_3x3, _gather_3x3 = make_average_strip(LANES), make_average_gather(LANES)


@jit
def average_pooling_forward(
    bottom: np.ndarray, top: np.ndarray, kernel: Pair, pad: Pair, stride: Pair
) -> None:
    """Fill `top` with the windows' averages."""
    num, channels, height, width = bottom.shape
    planes, count = num * channels, plane_shares(num * channels, bottom.size)
    arguments = (
        count, bottom.reshape(-1), top.reshape(-1), planes, height, width, top.shape[2],
        top.shape[3], kernel, pad, stride,
    )  # fmt: skip
    parallel_for(_forward, count, arguments)


@jit
def _forward(
    i, count, bottom, top, planes, height, width, pooled_height, pooled_width, kernel, pad, stride
):
    """Share i of `count` of the planes."""
    last, area = planes * (i + 1) // count, height * width
    pooled_area = pooled_height * pooled_width
    by_vectors = kernel == (3, 3) and stride == (2, 2) and pad == (0, 0)
    by_vectors = by_vectors and fits(height, pooled_height, 3) and fits(width, pooled_width, 3)
    block = planes_at_once(pooled_width, LANES, area) if by_vectors else 1
    ahead = prefetch_distance(pooled_width, LANES, bottom.size)
    for p in range(planes * i // count, last, block):
        first, output = p * area, p * pooled_area
        for x in strips(pooled_width if by_vectors else 0, LANES):
            _average_3x3(
                bottom, first, top, output,
                min(block, last - p), height, width, pooled_height, pooled_width, x, ahead,
            )  # fmt: skip
        if not by_vectors:
            _average_any(
                bottom, first, height, width, top, output, pooled_height, pooled_width,
                kernel, pad, stride,
            )  # fmt: skip


@jit
def _average_any(
    bottom, first, height, width, top, output, pooled_height, pooled_width, kernel, pad, stride
):
    for y in range(pooled_height):
        upper, lower, rows = _window(y, kernel[0], pad[0], stride[0], height)
        for x in range(pooled_width):
            left, right, columns = _window(x, kernel[1], pad[1], stride[1], width)
            total = 0.0
            for i in range(upper, lower):
                for j in range(left, right):
                    total += bottom[first + i * width + j]
            top[output + y * pooled_width + x] = total / (rows * columns)


@jit
def _window(out, kernel, pad, stride, length):
    """Along one axis: where the window starts and ends in the image, and its padded length."""
    start = out * stride - pad
    end = min(start + kernel, length + pad)
    return max(start, 0), min(end, length), end - start


@jit
def average_pooling_backward(
    top_diff: np.ndarray, bottom_diff: np.ndarray, kernel: Pair, pad: Pair, stride: Pair
) -> None:
    """Overwrite `bottom_diff`: each window's gradient is spread evenly over it."""
    num, channels, height, width = bottom_diff.shape
    planes, count = num * channels, plane_shares(num * channels, bottom_diff.size)
    arguments = (
        count, top_diff.reshape(-1), bottom_diff.reshape(-1), planes, height, width,
        top_diff.shape[2], top_diff.shape[3], kernel, pad, stride,
    )  # fmt: skip
    parallel_for(_backward, count, arguments)


@jit
def _backward(
    i, count, top_diff, bottom_diff, planes, height, width, pooled_height, pooled_width,
    kernel, pad, stride,
):  # fmt: skip
    """Share i of `count` of the planes."""
    last, area = planes * (i + 1) // count, height * width
    pooled_area = pooled_height * pooled_width
    by_vectors = kernel == (3, 3) and stride == (2, 2) and pad == (0, 0)
    by_vectors = by_vectors and covers(height, pooled_height, 3) and covers(width, pooled_width, 3)
    block = planes_at_once((width + 1) // 2, LANES, area) if by_vectors else 1
    ahead = prefetch_distance((width + 1) // 2, LANES, bottom_diff.size)
    for p in range(planes * i // count, last, block):
        first, output = p * area, p * pooled_area
        for x in strips((width + 1) // 2 if by_vectors else 0, LANES):
            _gather_3x3(
                top_diff, output, bottom_diff, first,
                min(block, last - p), height, width, pooled_height, pooled_width, x, ahead,
            )  # fmt: skip
        if not by_vectors:
            _spread_any(
                top_diff, output, pooled_height, pooled_width, bottom_diff, first, height, width,
                kernel, pad, stride,
            )  # fmt: skip


@jit
def _spread_any(
    top_diff, output, pooled_height, pooled_width, bottom_diff, first, height, width,
    kernel, pad, stride,
):  # fmt: skip
    for i in range(first, first + height * width):
        bottom_diff[i] = 0
    for y in range(pooled_height):
        upper, lower, rows = _window(y, kernel[0], pad[0], stride[0], height)
        for x in range(pooled_width):
            left, right, columns = _window(x, kernel[1], pad[1], stride[1], width)
            gradient = top_diff[output + y * pooled_width + x]
            share = np.float32(gradient / np.float32(rows * columns))
            for i in range(upper, lower):
                for j in range(left, right):
                    bottom_diff[first + i * width + j] += share
