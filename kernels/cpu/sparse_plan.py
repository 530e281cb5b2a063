"""The sizes that the gradients of a convolution before a max pooling work with, by its shapes.

Memory is laid out for convolution_sparse.py: images with their channels last, each group by
itself and with the padding around them, and windows (of weights or their gradients) row by row,
each row as long as whole tiles are.
"""

import functools
import math

import numpy as np

from .weighted_sum import LANES, TILES

(
    GROUPS, CHANNELS, OUTPUTS,  # groups; in each, channels and outputs
    HEIGHT, WIDTH, PAD_Y, PAD_X, STRIDE_Y, STRIDE_X, KERNEL_Y, KERNEL_X, OUT_HEIGHT, OUT_WIDTH,
    PIXEL, PITCH, IMAGE,  # floats of a pixel, of an image's line and of an image of one group
    TILE,  # the number of the tile in TILES
    ROWS, ROW,  # of a window: lines, and floats in each
    # Of the weight gradient: images whose entries are one list, shares of the images, parts of the
    AT_ONCE, SHARES, PARTS,  # outputs in each
) = range(22)  # fmt: skip
LIST = 32  # entries that make loading and storing a tile worth it
MOST_SUMS = 2**18  # floats of the weights' sums of all shares, unless one has more: for the cache
MOST_SHARES = 16


@functools.lru_cache(maxsize=256)
def sparse_plan(
    bottom_shape: tuple[int, ...],
    weight_shape: tuple[int, ...],
    pad: tuple[int, int],
    stride: tuple[int, int],
    group: int,
    cells: int,
) -> np.ndarray:
    """The table of sizes (int64). cells: windows of the pooling in one plane."""
    plan = np.zeros(22, np.int64)
    plan[[GROUPS, CHANNELS, OUTPUTS]] = group, weight_shape[1], weight_shape[0] // group
    plan[[HEIGHT, WIDTH, KERNEL_Y, KERNEL_X]] = *bottom_shape[2:], *weight_shape[2:]
    plan[[PAD_Y, PAD_X, STRIDE_Y, STRIDE_X]] = *pad, *stride
    lines, columns = (bottom_shape[2 + i] + 2 * pad[i] for i in (0, 1))
    plan[OUT_HEIGHT] = (lines - weight_shape[2]) // stride[0] + 1
    plan[OUT_WIDTH] = (columns - weight_shape[3]) // stride[1] + 1
    channels = weight_shape[1]
    # Pixels begin at multiples of a vector, unless that would make them much longer.
    pixel = channels if channels < LANES else -(-channels // LANES) * LANES
    vectors = -(-weight_shape[3] * pixel // LANES)
    tile = min(range(len(TILES)), key=lambda i: _cost(TILES[i], weight_shape[2], vectors))
    rows = -(-weight_shape[2] // TILES[tile][0]) * TILES[tile][0]
    row = -(-vectors // TILES[tile][1]) * TILES[tile][1] * LANES
    # The last window's tiles may reach beyond the image.
    beyond = (rows - weight_shape[2]) * columns * pixel + row
    image = -(-(lines * columns * pixel + beyond) // 16) * 16
    plan[[PIXEL, PITCH, IMAGE, TILE, ROWS, ROW]] = pixel, columns * pixel, image, tile, rows, row
    plan[AT_ONCE] = -(-LIST // max(1, cells))
    plan[SHARES] = max(1, min(shares(bottom_shape[0]), MOST_SUMS // windows_size(plan)))
    plan[PARTS] = min(weight_shape[0], -(-MOST_SHARES // int(plan[SHARES])))
    return plan


def _cost(tile: tuple[int, int], kernel_rows: int, vectors: int) -> float:
    """Cycles for an entry of all tiles of a window: two multiply-adds in each, and the factor."""
    rows, columns = tile
    return -(-kernel_rows // rows) * -(-vectors // columns) * (rows * columns / 2 + 1)


def shares(num: int) -> int:
    """Into how many shares the images are dealt, for the weight gradient at most."""
    return max(1, min(num, MOST_SHARES))


def memory_of_share(plan: np.ndarray, cells: int) -> int:
    """Floats of a task of the data gradient: an image, its entries, where each pixel's begin."""
    entries = int(plan[OUTPUTS]) * cells
    size = int(plan[IMAGE]) + 2 * entries + int(plan[OUT_HEIGHT] * plan[OUT_WIDTH]) + 2
    return -(-size // 16) * 16


def windows_size(plan: np.ndarray) -> int:
    """Floats of all windows, of the weights or of their gradients."""
    return int(plan[GROUPS] * plan[OUTPUTS] * plan[ROWS] * plan[ROW])


def weight_memory(plan: np.ndarray, cells: int) -> int:
    """Floats of a task of the weight gradient: packed images, and the entries of one output."""
    size = int(plan[AT_ONCE]) * (int(plan[GROUPS] * plan[IMAGE]) + 2 * cells)
    return -(-size // 16) * 16


def sparse_workspace(plan: np.ndarray, num: int, cells: int) -> int:
    """How many floats of workspace the two gradients need."""
    sums = int(plan[SHARES]) * windows_size(plan)
    weight = sums + int(plan[SHARES] * plan[PARTS]) * weight_memory(plan, cells)
    data = windows_size(plan) + shares(num) * memory_of_share(plan, cells)
    return math.ceil(max(weight, data) / 16) * 16


def window_begins(plan: np.ndarray) -> np.ndarray:
    """Where the window of each place of the convolution's output begins in its image (int32)."""
    sizes = plan[[OUT_HEIGHT, OUT_WIDTH, STRIDE_Y, PITCH, STRIDE_X, PIXEL]]
    return _window_begins(*sizes.tolist())


@functools.lru_cache(maxsize=256)
def _window_begins(
    height: int, width: int, stride_y: int, pitch: int, stride_x: int, pixel: int
) -> np.ndarray:
    rows, columns = np.arange(height) * (stride_y * pitch), np.arange(width) * (stride_x * pixel)
    return np.add.outer(rows, columns).ravel().astype(np.int32)
