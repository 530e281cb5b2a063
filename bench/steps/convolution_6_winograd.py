"""Convolution, step 6: fewer multiplications, after Winograd, for windows of 5 x 5.

    U[m, c] = G weight[m, c] G^T    V[c, t] = B^T tile[c, t] B        8 x 8 values each
    sums[m, t] = sum over c of U[m, c] V[c, t]                        value by value
    top tile [m, t] = A^T sums[m, t] A                                4 x 4 outputs

    bottom: (N, C, H, W)    weight: (M, C, 5, 5)    top: (N, M, OH, OW)    OH, OW: multiples of 4

Against step 5: 64 multiplications for each output tile and channel in place of 400. Each of the 64
values belongs to a matrix product of its own; a vector takes LANES of these side by side, so all
that is transformed lies as [group of lanes][plane][tile][lane]. The transforms come from the
package; each turns its tile, so that after two of them a tile is upright again.

Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016.
"""

import numpy as np
from numba import njit, prange

from caffe.kernels.cpu.frequency_kernel import COLUMNS, LANES, ROWS, frequency_kernel
from caffe.kernels.cpu.tile_transform import make_tile_transform
from caffe.kernels.cpu.winograd_matrices import SIDE, winograd_matrices

KERNEL = 5
STEP = SIDE - KERNEL + 1  # from one tile to the next: the side of an output tile
LANE_GROUPS = SIDE * SIDE // LANES
IMAGES = 4  # at a time: what is transformed of them stays in the cache

A_T, G, B_T = winograd_matrices(KERNEL)
transform_window = make_tile_transform(G, target_lanes=LANES)
transform_tile = make_tile_transform(B_T, target_lanes=LANES)
transform_sums = make_tile_transform(A_T, source_lanes=LANES)


@njit
def transform_windows(m, weight, u):
    """The windows of output m. u: (LANE_GROUPS, M, C, LANES)."""
    _, outputs, channels, _ = u.shape
    row = outputs * channels * LANES
    for window in range(m * channels, (m + 1) * channels):
        start = window * KERNEL * KERNEL
        transform_window(weight.reshape(-1), start, KERNEL, u.reshape(-1), window * LANES, row)


@njit
def tile_starts(first, last, lines, length, shape):
    """Where the tiles of the images `first` to `last` - 1 begin, in the first plane of each, for
    outputs of `lines` x `length`. shape: bottom's or top's."""
    _, planes, height, width = shape
    starts = np.empty((last - first) * (lines // STEP) * (length // STEP), np.int64)
    t = 0
    for n in range(first, last):
        for y in range(0, lines, STEP):
            for x in range(0, length, STEP):
                starts[t] = (n * planes * height + y) * width + x
                t += 1
    return starts


@njit
def multiply(u, v, sums):
    """sums[m, t] = sum over c of u[m, c] v[c, t], for all 64 values."""
    _, outputs, channels, _ = u.shape
    tiles = v.shape[2]
    for group in range(LANE_GROUPS):
        a, b, c = u[group].reshape(-1), v[group].reshape(-1), sums[group].reshape(-1)
        for m in range(0, outputs, ROWS):
            for t in range(0, tiles, COLUMNS):
                frequency_kernel(
                    channels,
                    a, m * channels * LANES, channels * LANES, LANES,
                    b, t * LANES, LANES, tiles * LANES,
                    False,
                    c, (m * tiles + t) * LANES, tiles * LANES, LANES,
                    min(ROWS, outputs - m), min(COLUMNS, tiles - t),
                )  # fmt: skip


@njit
def convolve_images(first, last, bottom, u, top):
    """The images first to last - 1."""
    (_, channels, height, width), (_, outputs, lines, length) = bottom.shape, top.shape
    sources = tile_starts(first, last, lines, length, bottom.shape)
    targets = tile_starts(first, last, lines, length, top.shape)
    tiles, image, result = len(sources), bottom.reshape(-1), top.reshape(-1)
    v = np.empty((LANE_GROUPS, channels, tiles, LANES), np.float32)
    sums = np.empty((LANE_GROUPS, outputs, tiles, LANES), np.float32)
    row = channels * tiles * LANES
    for c in range(channels):
        for t in range(tiles):
            start = sources[t] + c * height * width
            transform_tile(image, start, width, v.reshape(-1), (c * tiles + t) * LANES, row)
    multiply(u, v, sums)
    row = outputs * tiles * LANES
    for m in range(outputs):
        for t in range(tiles):
            start = targets[t] + m * lines * length
            transform_sums(sums.reshape(-1), (m * tiles + t) * LANES, row, result, start, length)


@njit(parallel=True)
def convolve(bottom: np.ndarray, weight: np.ndarray, top: np.ndarray) -> None:
    """Overwrite top."""
    num, (outputs, channels) = len(top), weight.shape[:2]
    u = np.empty((LANE_GROUPS, outputs, channels, LANES), np.float32)
    for m in prange(outputs):
        transform_windows(m, weight, u)
    for turn in prange(-(-num // IMAGES)):
        first = turn * IMAGES
        convolve_images(first, min(first + IMAGES, num), bottom, u, top)
