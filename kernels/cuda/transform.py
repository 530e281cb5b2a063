"""From stored images to a batch: subtract the mean, crop, scale, mirror. One thread a value.

    out[n, c, y, x] = (images[n, c, v, u] - mean[c, v, u]) * scale

with v = top_offset[n] + y, and u = left_offset[n] + x or, where image n is mirrored,
left_offset[n] + width - 1 - x.
"""

import functools
from typing import Any

import numpy as np
from numba import cuda

from .launch import kernel, launch_each
from .window_values import divide


@functools.cache
def _make_transform(stored, crop, mean_shape):
    """stored, crop: (C, H, W) of an image before and after."""
    channels, height, width = crop
    _, stored_height, stored_width = stored
    # How far the mean's channels, rows and columns are apart; one for all is 0 apart.
    mean_area = mean_shape[1] * mean_shape[2]
    mean_channel = mean_area if mean_shape[0] > 1 else 0
    mean_row = mean_shape[2] if mean_shape[1] > 1 else 0
    mean_column = 1 if mean_shape[2] > 1 else 0

    @kernel
    def transform(images, mean, scale, mirror, top_offset, left_offset, out):
        i = cuda.grid(1)
        if i < out.size:
            row, x = divide(i, width)
            plane, y = divide(row, height)
            n, c = divide(plane, channels)
            v = top_offset[n] + y
            u = left_offset[n] + (width - 1 - x if mirror[n] else x)
            value = np.float32(images[(plane * stored_height + v) * stored_width + u])
            out[i] = (value - mean[c * mean_channel + v * mean_row + u * mean_column]) * scale

    return transform


def transform(
    images: Any,
    mean: Any,
    scale: float,
    mirror: Any,
    top_offset: Any,
    left_offset: Any,
    out: Any,
) -> None:
    """Fill the batch `out` from `images`.

    images: (N, C, H, W) uint8 or float32; out: (N, C, height, width) float32, the size of the crop
    mean: (C, H, W), (C, 1, 1) or (1, 1, 1) float32; zeros where there is none
    mirror: (N,) bool; top_offset, left_offset: (N,) int64, where each crop starts
    """
    launch_each(
        _make_transform(tuple(images.shape[1:]), tuple(out.shape[1:]), tuple(mean.shape)), out.size,
        images, mean, np.float32(scale), mirror, top_offset, left_offset, out,
    )  # fmt: skip
