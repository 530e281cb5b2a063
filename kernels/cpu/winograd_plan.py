"""The sizes that Winograd's convolution works with, by the shapes, and when it is worth it.

Its windows are squares of 3 or 5, side by side. Others are made such: with a stride s, pixels whose
places leave the same remainders by s belong to one of s * s *phases*, each a plane of its own.
Windows lie side by side there, and each sees as much of a phase as has its remainders:

    top[y, x] = sum over phases (py, px) and j, i of
        weight[s j + py, s i + px] * bottom[s (y + j) + py - pad, s (x + i) + px - pad]

So C channels and windows of 11 x 11 with stride 4 are 16 C channels and windows of 3 x 3. Where a
window, or a phase's part of it, is smaller than 3 or 5, the rest of its weights are zeros.
"""

import functools
import math
from collections.abc import Sequence

import numba
import numpy as np

from .frequency_kernel import COLUMNS, ROWS
from .winograd_matrices import SIDE

(
    GROUPS, CHANNELS, OUTPUTS,  # groups; in each, phases of channels, and outputs
    STRIDE, WINDOW,  # as given: from window to window, and the side of one
    KERNEL, STEP,  # sides of a phase's window, and of the part of the output that a tile computes
    HEIGHT, WIDTH, PAD_Y, PAD_X, OUT_HEIGHT, OUT_WIDTH,
    TILES_Y, TILES_X, TILES,  # tiles of an image: down, across and in all
    TILED_HEIGHT, TILED_WIDTH, TILED_OUT_HEIGHT, TILED_OUT_WIDTH,  # planes that the tiles cover
    IMAGES, TURN_ROW,  # of a turn: images, and room for tiles, in each plane
    PANEL,  # outputs or channels that are computed at a time
    # Floats of all transformed weights; where they are, one of the places below; and the floats of
    # one such place.
    WEIGHTS, PLACE, TRANSFORMED,
    PLANE, MEMORY,  # floats of a plane with its borders; of a worker
    # Of the weight gradient: shares of the images, images at a time, tiles between their channels,
    SHARES, BATCH, ROW, WEIGHT_MEMORY,  # and floats of a task
) = range(32)  # fmt: skip
KERNELS = (3, 5)  # sides of a phase's windows
VALUES = SIDE * SIDE  # of a tile
# The transformed weights: few stay in a worker's cache, which makes its own. Where all images are
# one turn, a panel's are made when they are needed. Others are made at first, for all workers.
OF_WORKER, OF_PANEL, OF_ALL = range(3)
FEW_WEIGHTS = 2**17
TURN_TILES, MANY_TILES = 16, 64  # for which the transformed weights, few or many, are read once
MOST_IN_PANEL = 20
MOST_MEMORY = 2**24  # floats of a worker, 64 MB: all tiles of an image
BATCH_FLOATS = 2**17  # of transformed images and gradients: 512 KB, for the cache; and half the
# number of sums, since these are read and written for each batch
MOST_SUMS, SUMS_FLOATS = 8, 2**17  # of the weight gradient, for shares of the images: 512 KB

# Cycles, measured: of a tile's transforms; for a multiply-add of a vector in both ways.
IMAGE_TILE, OUTPUT_TILE, WEIGHT_TILE = 65, 60, 60
PHASE_TILE, PHASE_WEIGHT_TILE = 120, 300  # where phases are gathered first
PRODUCT, DIRECT, SPARSE = 1 / 13, 1 / 13, 1 / 6


@functools.lru_cache(maxsize=256)
def winograd_plan(
    bottom_shape: tuple[int, ...],
    weight_shape: tuple[int, ...],
    pad: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    gradients: int = 0,
) -> np.ndarray | None:
    """The table of sizes (int64); None where another way serves better.

    gradients: how many outputs of a plane have a gradient, where most have none.
    """
    if len(pad) != 2 or set(dilation) != {1}:
        return None
    spans = [bottom_shape[2 + i] + 2 * pad[i] - weight_shape[2 + i] for i in (0, 1)]
    outputs = [span // stride[0] + 1 for span in spans]
    top_shape = (bottom_shape[0], weight_shape[0], *outputs)
    plan = _sizes(bottom_shape, weight_shape, top_shape, stride)
    if plan is None:
        return None
    plan[[PAD_Y, PAD_X]] = pad
    tiles = bottom_shape[0] * int(plan[TILES])
    products = int(plan[OUTPUTS] * plan[CHANNELS] * plan[GROUPS])
    image_tile, weight_tile = IMAGE_TILE, WEIGHT_TILE
    if plan[STRIDE] > 1 or plan[WINDOW] != plan[KERNEL]:
        image_tile, weight_tile = PHASE_TILE, PHASE_WEIGHT_TILE
    images_tile = int(plan[GROUPS] * plan[CHANNELS]) * image_tile
    cost = tiles * (VALUES * products * PRODUCT + images_tile + weight_shape[0] * OUTPUT_TILE)
    cost += products * weight_tile
    multiplications = bottom_shape[0] * math.prod(weight_shape)
    other = multiplications * math.prod(outputs) * DIRECT
    if gradients:
        other = min(other, multiplications * gradients * SPARSE)
    return plan if cost < other else None


def winograd_workspace(
    bottom_shape: Sequence[int],
    weight_shape: Sequence[int],
    top_shape: Sequence[int],
    stride: Sequence[int],
) -> int:
    """How many floats of workspace are enough, whatever pad is."""
    plan = _sizes(bottom_shape, weight_shape, top_shape, stride)
    return 0 if plan is None else plan_workspace(plan)


def plan_workspace(plan: np.ndarray) -> int:
    """How many floats of workspace all three products need."""
    workers = numba.config.NUMBA_NUM_THREADS
    copies = 1 if plan[PLACE] == OF_ALL else workers
    forward = copies * plan[TRANSFORMED] + workers * plan[MEMORY]
    sums = plan[SHARES] * plan[WEIGHTS]
    both = copies * plan[TRANSFORMED] + workers * gradients_memory(plan)
    return 16 + int(max(forward, sums + workers * plan[WEIGHT_MEMORY], sums + both))


def gradients_memory(plan: np.ndarray) -> int:
    """Floats of a worker that computes both gradients at once."""
    return int(plan[WEIGHT_MEMORY] + VALUES * plan[ROW] * plan[PANEL])


def _kernel(weight_shape: Sequence[int], stride: Sequence[int]) -> int:
    """The side of the windows that a phase's are made; 0 where they cannot be."""
    if len(weight_shape) != 4 or not math.prod(weight_shape):
        return 0
    if weight_shape[2] != weight_shape[3] or stride[0] != stride[1]:
        return 0
    side = -(-weight_shape[2] // stride[0])
    return next((kernel for kernel in KERNELS if kernel >= side), 0)


def _sizes(
    bottom_shape: Sequence[int],
    weight_shape: Sequence[int],
    top_shape: Sequence[int],
    stride: Sequence[int],
) -> np.ndarray | None:
    """All but the padding; None for windows that do not serve, or more memory than is sensible."""
    plan = np.zeros(32, np.int64)
    num, kernel = bottom_shape[0], _kernel(weight_shape, stride)
    if not kernel:
        return None
    groups, channels = bottom_shape[1] // weight_shape[1], weight_shape[1] * stride[0] ** 2
    step = SIDE - kernel + 1
    plan[[GROUPS, CHANNELS, OUTPUTS]] = groups, channels, weight_shape[0] // groups
    plan[[STRIDE, WINDOW]] = stride[0], weight_shape[2]
    plan[[KERNEL, STEP, HEIGHT, WIDTH]] = kernel, step, *bottom_shape[2:]
    plan[[OUT_HEIGHT, OUT_WIDTH]] = top_shape[2:]
    down, across = (-(-size // step) for size in top_shape[2:])
    tiles = max(1, down * across)
    plan[[TILES_Y, TILES_X, TILES]] = down, across, down * across
    plan[[TILED_HEIGHT, TILED_WIDTH]] = down * step + kernel - 1, across * step + kernel - 1
    plan[[TILED_OUT_HEIGHT, TILED_OUT_WIDTH]] = down * step, across * step
    most = max(channels, weight_shape[0] // groups)
    weights = VALUES * int(plan[GROUPS] * plan[OUTPUTS] * plan[CHANNELS])
    turn_tiles = TURN_TILES if weights <= FEW_WEIGHTS else MANY_TILES
    images = min(num, max(1, turn_tiles // tiles))
    # So many images' tiles leave no part of a register tile.
    whole = COLUMNS // math.gcd(tiles, COLUMNS)
    images -= images % whole if images > whole else 0
    panel = -(-min(most, MOST_IN_PANEL) // ROWS) * ROWS
    # An odd number, or a tile's values of several planes would meet in the same lines of the cache.
    row = images * tiles | 1
    plan[[IMAGES, TURN_ROW, PANEL]] = images, row, panel
    plan[[WEIGHTS, PLACE, TRANSFORMED]] = weights, OF_ALL, weights
    if weights <= FEW_WEIGHTS:
        plan[PLACE] = OF_WORKER
    elif images == num:
        plan[[PLACE, TRANSFORMED]] = OF_PANEL, VALUES * panel * most
    plane = max(
        plan[TILED_HEIGHT] * plan[TILED_WIDTH], plan[TILED_OUT_HEIGHT] * plan[TILED_OUT_WIDTH]
    )
    plan[PLANE] = -(-plane // 16) * 16
    plan[MEMORY] = VALUES * row * (most + plan[PANEL]) + plan[PLANE]
    shares = max(1, min(num, MOST_SUMS, SUMS_FLOATS // weights))
    of_image = VALUES * tiles * (channels + weight_shape[0] // groups)
    batch = max(BATCH_FLOATS, weights // 2) // of_image
    batch = max(1, min(-(-num // shares), batch))
    plan[[SHARES, BATCH, ROW]] = shares, batch, batch * tiles | 1
    plan[WEIGHT_MEMORY] = of_image // tiles * plan[ROW] + plan[PLANE]
    return plan if max(plan[MEMORY], plan[WEIGHT_MEMORY]) <= MOST_MEMORY else None
