"""The next batch of a dataset that lies in the GPU's memory.

    item                = (position + n) mod items
    out[n, c, y, x]     = (images[item, c, top + y, left + x] - mean[c, top + y, left + x]) * scale
    label[n]            = labels[item]

and then position = (position + N) mod items. The position lies on the GPU too, so that a graph
which was recorded once goes through the whole dataset, round and round, in the database's order.

images: (items, C, H, W) uint8 or float32; labels: (items,) float32; position: (1,) int64;
mean: (C, H, W), (C, 1, 1) or (1, 1, 1) float32; out: (N, C, height, width) float32, the size of the
crop; label: (N,) float32, or empty where none is wanted.
"""

import functools
from typing import Any

import numpy as np
from numba import cuda

from .launch import blocks_for, kernel, launch

THREADS = 256


@functools.cache
def _batch_kernel(
    stored: tuple[int, ...],
    wanted: tuple[int, ...],
    mean_shape: tuple[int, ...],
    top: int,
    left: int,
) -> Any:
    items, channels, rows, columns = stored
    batch, _, height, width = wanted
    plane, count = height * width, batch * channels * height * width
    per_pixel = mean_shape[1:] == (rows, columns)
    per_channel = mean_shape[0] > 1

    @kernel
    def fill(images, labels, position, mean, scale, out, label):
        i = cuda.grid(1)
        if i < count:
            first = position[0]
            n, c = i // (channels * plane), i // plane % channels
            y, x = i // width % height + top, i % width + left
            m = c if per_channel else 0
            if per_pixel:
                m = (m * rows + y) * columns + x
            item = (first + n) % items
            value = np.float32(images[((item * channels + c) * rows + y) * columns + x])
            out[i] = (value - mean[m]) * scale
            if i < label.size:
                label[i] = labels[(first + i) % items]

    return fill


@kernel
def _advance(position, batch, items):
    position[0] = (position[0] + batch) % items


def resident_batch(
    images: Any,
    labels: Any,
    position: Any,
    mean: Any,
    scale: float,
    top_offset: int,
    left_offset: int,
    out: Any,
    label: Any,
) -> None:
    """Fill `out` and `label` with the batch that begins at `position`, and move that on."""
    stored, wanted = tuple(images.shape), tuple(out.shape)
    fill = _batch_kernel(stored, wanted, tuple(mean.shape), top_offset, left_offset)
    blocks = blocks_for(out.size, THREADS)
    launch(fill, blocks, THREADS, images, labels, position, mean, np.float32(scale), out, label)
    launch(_advance, 1, 1, position, wanted[0], stored[0])
