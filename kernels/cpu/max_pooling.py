"""Max pooling.

    top[n, c, y, x] = maximum of bottom[n, c] over the window at (y, x) * stride - pad
    mask[n, c, y, x] = where that maximum is: row * W + column
    bottom_diff[n, c, i] = sum of top_diff over the outputs whose mask is i

bottom: (N, C, H, W), top: (N, C, PH, PW), float32; mask: as top, int32; kernel, pad, stride:
(vertical, horizontal). Of equal values the first wins. As in Caffe the search starts at the
lowest float32, above which a NaN never counts: a window of NaNs gives -3.4e38 and its first index.

Windows of 2 x 2 and 3 x 3 with stride 2 and no padding, those of most nets, are pooled by vectors
(max_strips.py), all others by a loop over the window.
"""

import numpy as np

from .jit import jit
from .max_strips import LOWEST, make_max_gather, make_max_search
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
WIDE, NARROW = host_width(), min(host_width(), 8)  # windows in a vector

_search_2x2_wide, _gather_2x2_wide = make_max_search(2, WIDE), make_max_gather(2, WIDE)
_search_3x3_wide, _gather_3x3_wide = make_max_search(3, WIDE), make_max_gather(3, WIDE)
_search_2x2, _gather_2x2 = make_max_search(2, NARROW), make_max_gather(2, NARROW)
_search_3x3, _gather_3x3 = make_max_search(3, NARROW), make_max_gather(3, NARROW)


@jit
def max_pooling_forward(
    bottom: np.ndarray, top: np.ndarray, mask: np.ndarray, kernel: Pair, pad: Pair, stride: Pair
) -> None:
    """Fill `top` and `mask`. Every window must overlap the plane."""
    num, channels, height, width = bottom.shape
    planes, count = num * channels, plane_shares(num * channels, bottom.size)
    arguments = (
        count, bottom.reshape(-1), planes, height, width, top.reshape(-1), mask.reshape(-1),
        top.shape[2], top.shape[3], kernel, pad, stride,
    )  # fmt: skip
    parallel_for(_forward, count, arguments)


@jit
def _forward(
    i, count, bottom, planes, height, width, top, mask, pooled_height, pooled_width,
    kernel, pad, stride,
):  # fmt: skip
    """Share i of `count` of the planes."""
    first, last = planes * i // count, planes * (i + 1) // count
    _pool_planes(
        bottom, first * height * width, last - first, height, width,
        top, mask, first * pooled_height * pooled_width, pooled_height, pooled_width,
        kernel, pad, stride, bottom.size,
    )  # fmt: skip


@jit
def max_pool_planes(
    bottom, bottom_first, planes, height, width,
    top, mask, top_first, pooled_height, pooled_width, kernel, pad, stride,
):  # fmt: skip
    """For jitted code: pool planes that follow each other from bottom[bottom_first] on.

    Their outputs go to top[top_first] and mask[top_first] and on from there. bottom, top: flat
    float32; mask: flat int32; kernel, pad, stride: (vertical, horizontal). The planes are expected
    to be in a cache.
    """
    _pool_planes(
        bottom, bottom_first, planes, height, width,
        top, mask, top_first, pooled_height, pooled_width, kernel, pad, stride, 0,
    )  # fmt: skip


@jit
def _pool_planes(
    bottom, bottom_first, planes, height, width,
    top, mask, top_first, pooled_height, pooled_width, kernel, pad, stride, all_floats,
):  # fmt: skip
    """all_floats: in how many the planes lie, or 0 where they are in a cache."""
    size, area, pooled_area = kernel[0], height * width, pooled_height * pooled_width
    by_vectors = _is_usual(kernel, pad, stride)
    by_vectors = by_vectors and fits(height, pooled_height, size)
    by_vectors = by_vectors and fits(width, pooled_width, size)
    narrow = pooled_width <= NARROW
    lanes = NARROW if narrow else WIDE
    block = planes_at_once(pooled_width, lanes, area)
    ahead = prefetch_distance(pooled_width, lanes, all_floats)
    for p in range(0, planes, block):
        n = min(block, planes - p)
        first, output = bottom_first + p * area, top_first + p * pooled_area
        for x in strips(pooled_width if by_vectors else 0, lanes):
            geometry = n, height, width, pooled_height, pooled_width, x, ahead
            if size == 2 and narrow:
                _search_2x2(bottom, first, top, mask, output, *geometry)
            elif size == 2:
                _search_2x2_wide(bottom, first, top, mask, output, *geometry)
            elif narrow:
                _search_3x3(bottom, first, top, mask, output, *geometry)
            else:
                _search_3x3_wide(bottom, first, top, mask, output, *geometry)
        for q in range(0 if by_vectors else n):
            _search_any(
                bottom, first + q * area, height, width,
                top, mask, output + q * pooled_area, pooled_height, pooled_width,
                kernel, pad, stride,
            )  # fmt: skip


@jit
def _search_any(
    bottom, first, height, width, top, mask, output, pooled_height, pooled_width,
    kernel, pad, stride,
):  # fmt: skip
    for y in range(pooled_height):
        row = max(y * stride[0] - pad[0], 0)
        last_row = min(y * stride[0] - pad[0] + kernel[0], height)
        for x in range(pooled_width):
            column = max(x * stride[1] - pad[1], 0)
            last_column = min(x * stride[1] - pad[1] + kernel[1], width)
            best, place = np.float32(LOWEST), row * width + column
            for i in range(row, last_row):
                for j in range(column, last_column):
                    value = bottom[first + i * width + j]
                    if value > best:
                        best, place = value, i * width + j
            top[output], mask[output] = best, place
            output += 1


@jit
def max_pooling_backward(
    top_diff: np.ndarray,
    mask: np.ndarray,
    bottom_diff: np.ndarray,
    kernel: Pair,
    pad: Pair,
    stride: Pair,
) -> None:
    """Overwrite `bottom_diff`: each output's gradient goes to where its maximum was. kernel, pad,
    stride: forward's."""
    num, channels, height, width = bottom_diff.shape
    planes, count = num * channels, plane_shares(num * channels, bottom_diff.size)
    arguments = (
        count, top_diff.reshape(-1), mask.reshape(-1), bottom_diff.reshape(-1), planes,
        height, width, mask.shape[2], mask.shape[3], kernel, pad, stride,
    )  # fmt: skip
    parallel_for(_backward, count, arguments)


@jit
def _backward(
    i, count, top_diff, mask, bottom_diff, planes, height, width, pooled_height, pooled_width,
    kernel, pad, stride,
):  # fmt: skip
    """Share i of `count` of the planes."""
    last, area = planes * (i + 1) // count, height * width
    pooled_area, size = pooled_height * pooled_width, kernel[0]
    by_vectors = _is_usual(kernel, pad, stride)
    by_vectors = by_vectors and covers(height, pooled_height, size)
    by_vectors = by_vectors and covers(width, pooled_width, size)
    block = planes_at_once((width + 1) // 2, WIDE, area)
    ahead = prefetch_distance((width + 1) // 2, WIDE, bottom_diff.size)
    for p in range(planes * i // count, last, block):
        first, output, n = p * area, p * pooled_area, min(block, last - p)
        if by_vectors:
            shape = n, height, width, pooled_height, pooled_width
            _gather(size, (top_diff, mask, output, bottom_diff, first), shape, ahead)
        else:
            _scatter(top_diff, mask, output, bottom_diff, first, n, area, pooled_area)


@jit
def _is_usual(kernel, pad, stride):
    """Whether the windows are those that vectors pool."""
    size = kernel[0]
    return kernel == (size, size) and 2 <= size <= 3 and stride == (2, 2) and pad == (0, 0)


@jit
def _gather(size, arrays, shape, ahead):
    """Backward of some planes by vectors."""
    cells = (shape[2] + 1) // 2
    narrow = cells <= NARROW
    for x in strips(cells, NARROW if narrow else WIDE):
        if size == 2 and narrow:
            _gather_2x2(*arrays, *shape, x, ahead)
        elif size == 2:
            _gather_2x2_wide(*arrays, *shape, x, ahead)
        elif narrow:
            _gather_3x3(*arrays, *shape, x, ahead)
        else:
            _gather_3x3_wide(*arrays, *shape, x, ahead)


@jit
def _scatter(top_diff, mask, output, bottom_diff, first, planes, area, pooled_area):
    for _ in range(planes):
        for i in range(first, first + area):
            bottom_diff[i] = 0
        for k in range(output, output + pooled_area):
            bottom_diff[first + mask[k]] += top_diff[k]
        first, output = first + area, output + pooled_area
