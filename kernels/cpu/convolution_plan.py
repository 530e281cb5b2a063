"""The sizes that a convolution over two axes works with (see convolution_2d.py), by its shapes.

They depend on the shapes only, never on the number of threads, so that results do not either.
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .im2col import DILATION, INPUT, KERNEL, OUTPUT, PAD, STRIDE, geometry
from .lanes_plan import Gradient, Slide, make_gradient, make_slide
from .micro_kernel import convolution_tile
from .shifted_copies import copies_size, window_starts

ALIGNMENT = 16  # floats of a cache line
COLUMNS = convolution_tile().columns
SHARES = 16  # of the images, each with memory of its own
FEW = 8  # images; with fewer, tasks are parts of the channels too
MOST_FLOATS = 2**22  # of memory for all shares: 16 MB, unless one image needs more
BATCH_FLOATS = 2**15  # in the copies that a task of the weight gradient works on at a time,
BATCH_PIXELS = 1024  # but never fewer pixels, since each time a tile's lanes are added up
SUMS_FLOATS = 2**17  # of the weight gradient, for shares of the images: 512 KB


class Plan(NamedTuple):
    """What follows from the shapes."""

    table: np.ndarray  # im2col.geometry
    starts: np.ndarray  # of the windows' rows of one group in its copies
    copies: int  # floats of one image's copies
    shares: int  # of the images, in forward and in the data gradient
    tasks: int  # there
    memory: int  # floats of one task's memory
    # Of the weight gradient: shares of the images, parts of each one's outputs, images whose copies
    # a task holds at a time, and the floats of a task's memory
    weight_shares: int
    weight_parts: int
    batch: int
    weight_memory: int
    # For convolution_lanes.py; None where that way does not serve.
    forward: Slide | None
    data: Slide | None
    weight: Gradient | None


@functools.lru_cache(maxsize=256)
def make_plan(
    bottom_shape: tuple[int, ...],
    weight_shape: tuple[int, ...],
    pad: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> Plan | None:
    """Work out the sizes. None where this file's way does not serve: more than two axes, or
    copies that are larger than a matrix of windows, as with a stride above the kernel's size."""
    if len(pad) > 2:
        return None
    table = geometry(bottom_shape[2:], weight_shape[2:], pad, stride, dilation)
    copies = int(copies_size(table, bottom_shape[1]))
    top_shape = (bottom_shape[0], weight_shape[0], *map(int, table[OUTPUT]))
    if copies > _column_size(bottom_shape, weight_shape, top_shape):
        return None
    starts = window_starts(table, weight_shape[1])
    weight_shares, weight_parts, weight_memory = _weight_tasks(
        bottom_shape, weight_shape, top_shape
    )
    batch = min(-(-bottom_shape[0] // weight_shares), weight_memory // max(1, copies))
    shares, tasks, memory = _tasks(bottom_shape, weight_shape, top_shape)
    num, channels = bottom_shape[0], weight_shape[1]
    group = bottom_shape[1] // channels
    outputs = weight_shape[0] // group
    forward = make_slide(num, group, channels, outputs, table, memory, turned=False)
    data = weight = None
    if forward and forward.image <= _column_size(bottom_shape, weight_shape, top_shape):
        weight = make_gradient(
            min(num, _fewest(top_shape)), channels, weight_shape[0], table, forward
        )
    if (table[STRIDE] == 1).all():
        turned = _turned(table)
        data = make_slide(num, group, outputs, channels, turned, memory, turned=True)
    return Plan(
        table, starts, copies, shares, tasks, memory, weight_shares, weight_parts, max(1, batch),
        weight_memory, forward, data, weight,
    )  # fmt: skip


def workspace(
    bottom_shape: Sequence[int], weight_shape: Sequence[int], top_shape: Sequence[int]
) -> int:
    """How many floats of workspace are enough, whatever pad, stride and dilation are. (Memory
    that is not used is not taken from the machine.)"""
    _, tasks, memory = _tasks(bottom_shape, weight_shape, top_shape)
    image = _column_size(bottom_shape, weight_shape, top_shape) + math.prod(top_shape[1:])
    weights = math.prod(weight_shape)
    by_lanes = 2 * weights + min(bottom_shape[0], _fewest(top_shape)) * image
    shares, parts, size = _weight_tasks(bottom_shape, weight_shape, top_shape)
    by_dots = shares * weights + shares * parts * size
    return ALIGNMENT + max(weights + tasks * memory, by_lanes, by_dots)


def _turned(table: np.ndarray) -> np.ndarray:
    """The geometry of the data gradient: a convolution of top_diff, where the stride is 1."""
    table = table.copy()
    table[PAD] = table[DILATION] * (table[KERNEL] - 1) - table[PAD]
    table[[INPUT, OUTPUT]] = table[[OUTPUT, INPUT]]
    return table


def _fewest(top_shape: Sequence[int]) -> int:
    """The fewest images of a batch of the weight gradient."""
    return -(-BATCH_PIXELS // max(1, math.prod(top_shape[2:])))


def _weight_tasks(
    bottom_shape: Sequence[int], weight_shape: Sequence[int], top_shape: Sequence[int]
) -> tuple[int, int, int]:
    """Of the weight gradient: shares, parts of each, and the floats of a task's memory."""
    num, fewest = max(1, bottom_shape[0]), _fewest(top_shape)
    # An image's copies are at most as large as the matrix of its windows.
    column = _column_size(bottom_shape, weight_shape, top_shape)
    memory = -(-max(min(num, fewest) * column, min(num * column, BATCH_FLOATS)) // 16) * 16
    most = max(1, MOST_FLOATS // max(1, memory))
    sums = max(1, SUMS_FLOATS // max(1, math.prod(weight_shape)))
    shares = max(1, min(num // fewest, SHARES, sums, most))
    return shares, max(1, min(most // shares, -(-FEW // shares), weight_shape[0])), memory


def _column_size(
    bottom_shape: Sequence[int], weight_shape: Sequence[int], top_shape: Sequence[int]
) -> int:
    """The size of an image's matrix of windows, the most that its copies may take."""
    return bottom_shape[1] * math.prod(weight_shape[2:]) * math.prod(top_shape[2:])


def _tasks(
    bottom_shape: Sequence[int], weight_shape: Sequence[int], top_shape: Sequence[int]
) -> tuple[int, int, int]:
    """Of forward and the data gradient: shares, tasks, and how many floats a task needs."""
    # Tiles read whole vectors, so a little beyond the copies and beyond the output.
    memory = _column_size(bottom_shape, weight_shape, top_shape) + 2 * COLUMNS
    memory += math.prod(top_shape[1:])
    memory = -(-memory // 16) * 16  # so that each task's memory starts at a cache line
    shares = max(1, min(bottom_shape[0], SHARES, MOST_FLOATS // memory))
    return shares, shares * -(-FEW // max(1, bottom_shape[0])), memory
