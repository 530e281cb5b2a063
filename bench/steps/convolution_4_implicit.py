"""Convolution, step 4: implicit GEMM, whose matrix of windows exists as addresses only.

    copies[c, kx, y, x] = image[c, y, x + kx]                      x < OW
    column[(c, ky, kx), p] = copies[c, kx].flat[ky OW + p]         p = y OW + x

    image: (C, H, W)    copies: (C, KW, H, OW)    weight: (M, C, KH, KW)    top: (N, M, OH, OW)

Against step 3: the register tile (GEMM's step 5) asks only that each row of its right operand be
one run of memory. A row of the column is that already, once the image is there KW times, each
time moved by one pixel and cut to the output's width: the windows' row (c, ky, kx) is copy
(c, kx) from line ky on. So KW copies take the place of KH KW, and nothing is packed: the tile
takes a table of where rows begin.

Source: Cho and Brand, "MEC: Memory-efficient Convolution for Deep Neural Network", 2017.
"""

import numpy as np
from numba import njit

from bench.steps.gemm_5_micro_kernel import COLUMNS, ROWS, micro_kernel


@njit
def shift(image, width, length, copies):
    """Fill copies, flat, with `width` shifted copies of each channel, `length` pixels a line."""
    start = 0
    for c in range(len(image)):
        for kx in range(width):
            for y in range(image.shape[1]):
                line = image[c, y]
                for x in range(length):
                    copies[start + x] = line[kx + x]
                start += length


@njit
def window_starts(channels, height, width, lines, length):
    """Where the row (c, ky, kx) of the column begins in the copies, of `lines` lines each."""
    starts = np.empty(channels * height * width, np.int64)
    for c in range(channels):
        for ky in range(height):
            for kx in range(width):
                copy = c * width + kx
                starts[(c * height + ky) * width + kx] = (copy * lines + ky) * length
    return starts


@njit
def convolve_image(image, weight, starts, copies, sums, top):
    """top = W column, for one image. top: (M, OH, OW)."""
    pixels, depth, flat = top[0].size, len(starts), weight.reshape(-1)
    shift(image, weight.shape[3], top.shape[2], copies)
    for m in range(0, len(top), ROWS):
        count = min(ROWS, len(top) - m)
        for p in range(0, pixels, COLUMNS):
            micro_kernel(depth, flat, m * depth, depth, count, copies, p, starts, sums)
            for row in range(count):
                target = top[m + row].reshape(-1)[p : p + COLUMNS]
                for x in range(len(target)):
                    target[x] = sums[row * COLUMNS + x]


@njit
def convolve_images(first, last, bottom, weight, top):
    """The images first to last - 1."""
    (_, channels, height, width), (lines, length) = weight.shape, (bottom.shape[2], top.shape[3])
    starts = window_starts(channels, height, width, lines, length)
    # The last tile of pixels reads whole vectors, so a little beyond.
    copies = np.zeros(channels * width * lines * length + COLUMNS, np.float32)
    sums = np.empty(ROWS * COLUMNS, np.float32)
    for n in range(first, last):
        convolve_image(bottom[n], weight, starts, copies, sums, top[n])


@njit
def convolve(bottom: np.ndarray, weight: np.ndarray, top: np.ndarray) -> None:
    """Overwrite top."""
    convolve_images(0, len(top), bottom, weight, top)
