"""Convolution over two spatial axes with its outputs in the lanes, and its data gradient.

    top[m, p] = sum over r of W[m, r] X[place[p] + step[r]] + bias[m]

X is the image with zeros around it, p counts output pixels and r the windows' rows (c, ky, kx). A
vector register holds some outputs m of one pixel, of which `lanes` make a strip; a tile is several
pixels of a strip. For each r it loads the strip's weights, laid out as packed[strip, r, m] once a
call, and meets them with one value of X for each pixel, from where it lies. In return for laying
out weights and outputs, no window is copied, whatever the stride; no lane is idle where the map is
small; and a tile whose pixels do not see r, since it lies in the padding, leaves it out, so tiles
are made of pixels that see the same (lanes_plan.py). The sum is cut into blocks as GEMM's is.

The data gradient is the same with top_diff as X, the kernel turned around, and

    packed[strip, (m, ky, kx), c] = W[m, c, ky, kx]        c: the lanes

Tasks are shares of the images and, where these are few, parts of the strips: results are the same
to the bit for any number of threads. The weight gradient is in convolution_lanes_weight.py.
"""

import numpy as np

from .jit import jit
from .lanes_kernel import lanes_product
from .line_copy import copy_line
from .max_pooling import max_pool_planes
from .packing import pack_strips
from .parallel import parallel_for


@jit
def pack_rows(weight, lanes, packed):
    """Lay out the weights for the outputs. weight: (M, K). packed: as many floats."""
    strips = len(weight) // lanes
    parallel_for(pack_strips, strips, (strips, weight, False, lanes, lanes, 0, packed))


@jit
def pack_outputs(weight, group, lanes, packed):
    """Lay out the weights for the data gradient. weight: (M, C / group, kernel)."""
    parallel_for(_pack_output, len(weight), (weight, group, lanes, packed))


@jit
def convolve(slide, images, packed, bias, top, group, memories, shares, pooling):
    """Overwrite top (N, M, pixels). images: (N, C, pixels). bias: (M,) or empty. memories: a row
    for each task. pooling: as convolution_2d.forward's. For the data gradient, images is top_diff
    and top bottom_diff."""
    arguments = (slide, images, packed, bias, top, group, memories, shares, pooling)
    parallel_for(_task, len(memories), arguments)


@jit
def _pack_output(m, weight, group, lanes, packed):
    (channels, kernel), rows = weight.shape[1:], len(weight) // group
    for c in range(0, channels, lanes):
        start = ((m // rows * channels + c) * rows + m % rows * lanes) * kernel
        pack_strips(0, 1, weight[m, c : c + lanes], False, lanes, lanes, 0, packed[start:])


@jit
def _task(task, slide, images, packed, bias, top, group, memories, shares, pooling):
    parts = len(memories) // shares
    share, part = task // parts, task % parts
    strips = top.shape[1] // slide.lanes
    first_strip, last_strip = strips * part // parts, strips * (part + 1) // parts
    padded = memories[task, : slide.images * slide.image]
    sums = memories[task, slide.images * slide.image :]
    if slide.pad_y or slide.pad_x:
        padded[:] = 0
    batches = len(top) // slide.images
    for batch in range(batches * share // shares, batches * (share + 1) // shares):
        first = batch * slide.images
        for i in range(slide.images):
            pad_image(images, first + i, slide, padded, i * slide.image)
        for strip in range(first_strip, last_strip):
            g = strip // (strips // group)
            weights = packed[strip * (packed.size // strips) :]
            _slide(slide, padded, g * (slide.image // group), weights, sums)
            _write(slide, sums, strip, bias, top, first, pooling)


@jit
def pad_image(images, n, slide, padded, start):
    """Copy image n; the zeros around it are there already."""
    flat, (channels, size) = images.reshape(-1), images.shape[1:]
    width, height = slide.pitch - 2 * slide.pad_x, slide.lines - 2 * slide.pad_y
    source = n * channels * size
    for c in range(channels):
        target = start + (c * slide.lines + slide.pad_y) * slide.pitch + slide.pad_x
        for _ in range(height):
            copy_line(flat, source, padded, target, width)
            source += width
            target += slide.pitch


@jit
def _slide(slide, padded, first, weights, sums):
    """One strip of the outputs of some images: sums[p, m]."""
    for tile in range(len(slide.kinds)):
        kind, pixel = slide.kinds[tile], tile * slide.height
        beta = np.float32(0)
        for block in range(slide.bounds.shape[1] - 1):
            k, last = slide.bounds[kind, block], slide.bounds[kind, block + 1]
            lanes_product(
                slide.height, slide.lanes, last - k,
                padded, first, slide.places[pixel:], slide.steps[kind, k:],
                weights, 0, slide.weights[kind, k:],
                beta, sums, slide.sums[pixel:], min(slide.height, len(slide.sums) - pixel),
            )  # fmt: skip
            beta = np.float32(1)


@jit
def _write(slide, sums, strip, bias, top, first, pooling):
    """Lay the sums out as planes of the images from `first` on, and pool these."""
    outputs, pixels = top.shape[1:]
    lanes, tops = slide.lanes, top.reshape(-1)
    pooled, mask, plane, pooled_plane, kernel, pad, stride = pooling
    cells = pooled_plane[0] * pooled_plane[1]
    for i in range(slide.images):
        part = sums[i * pixels * lanes : (i + 1) * pixels * lanes].reshape(pixels, lanes)
        output = (first + i) * outputs + strip * lanes
        pack_strips(0, 1, part, False, pixels, pixels, 0, tops[output * pixels :])
        for m in range(lanes if bias.size else 0):
            written = tops[(output + m) * pixels : (output + m + 1) * pixels]
            value = bias[strip * lanes + m]
            for p in range(pixels):
                written[p] += value
        if pooled.size:
            max_pool_planes(
                tops, output * pixels, lanes, plane[0], plane[1],
                pooled, mask, output * cells, pooled_plane[0], pooled_plane[1],
                kernel, pad, stride,
            )  # fmt: skip
