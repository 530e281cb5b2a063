"""The weight gradient of a convolution with its outputs in the lanes (see convolution_lanes.py).

    W_diff[m, r] += sum over n, p of top_diff[n, m, p] X[n, place[p] + step[r]]

A tile is several windows' rows r of a strip of outputs m. For each pixel p it loads the strip's
gradients, laid out as diffs[n, strip, p, m], and meets them with one value of X for each row. Rows
that meet the same pixels inside the image make a tile, and the other pixels are left out.

The images are worked on in batches. Tasks are tiles, each of which adds the images in their order:
the result is the same to the bit for any number of threads.
"""

import numpy as np

from .convolution_lanes import pad_image
from .jit import jit
from .lanes_kernel import lanes_product
from .packing import pack_strips
from .parallel import parallel_for


@jit
def backward_weight(
    slide, gradient, bottom, top_diff, weight_diff, group, copies, diffs, sums, turned
):
    """Add to weight_diff (M, K). bottom: (N, C, pixels), top_diff: (N, M, pixels). Memory: copies
    (images, image), diffs (images * M * pixels,), sums and turned (M * K,)."""
    strips = len(weight_diff) // slide.lanes
    beta = np.float32(0)
    for first in range(0, len(bottom), gradient.images):
        count = min(gradient.images, len(bottom) - first)
        arguments = (first, slide, bottom, top_diff, copies, diffs)
        parallel_for(_lay_out, count, arguments)
        tile_arguments = (
            count, slide, gradient, top_diff.shape[2], strips, group, copies, diffs, beta, sums
        )  # fmt: skip
        parallel_for(_tile, strips * len(gradient.tiles), tile_arguments)
        beta = np.float32(1)
    parallel_for(_add_strip, strips, (slide.lanes, sums, turned, weight_diff))


@jit
def _lay_out(i, first, slide, bottom, top_diff, copies, diffs):
    if first == 0 and (slide.pad_y or slide.pad_x):
        copies[i] = 0
    pad_image(bottom, first + i, slide, copies[i], 0)
    start, lanes = i * top_diff[0].size, slide.lanes
    pack_strips(0, 1, top_diff[first + i], False, lanes, lanes, 0, diffs[start:])


@jit
def _tile(task, images, slide, gradient, pixels, strips, group, copies, diffs, beta, sums):
    tiles = len(gradient.tiles)
    strip, (first, rows, kind) = task // tiles, gradient.tiles[task % tiles]
    g, depth = strip // (strips // group), len(gradient.sums)
    lanes_product(
        gradient.height, slide.lanes, images * gradient.counts[kind],
        copies.reshape(-1), g * (slide.image // group), gradient.places[first:],
        gradient.steps[kind], diffs, strip * pixels * slide.lanes, gradient.diffs[kind],
        beta, sums[strip * depth * slide.lanes :], gradient.sums[first:], rows,
    )  # fmt: skip


@jit
def _add_strip(strip, lanes, sums, turned, weight_diff):
    depth, flat = weight_diff.shape[1], weight_diff.reshape(-1)
    first, last = strip * depth * lanes, (strip + 1) * depth * lanes
    part = sums[first:last].reshape(depth, lanes)
    pack_strips(0, 1, part, False, depth, depth, 0, turned[first:])
    for i in range(first, last):
        flat[i] += turned[i]
