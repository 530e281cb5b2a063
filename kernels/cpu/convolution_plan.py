"""The sizes that a convolution over two axes works with (see convolution_2d.py), by its shapes.

They depend on the shapes only, never on the number of threads, so that results do not either.
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .gemm import COLUMNS
from .im2col import OUTPUT, geometry
from .shifted_copies import copies_size, window_starts

SHARES = 16  # of the images, each with memory of its own
FEW = 8  # images; with fewer, tasks are parts of the channels too
MOST_FLOATS = 2**22  # of memory for all shares: 16 MB, unless one image needs more
BATCH_FLOATS = 2**17  # in the copies that the weight gradient works on at a time, for the cache,
BATCH_PIXELS = 1024  # but never fewer pixels, since each time a tile's lanes are added up


class Plan(NamedTuple):
    """What follows from the shapes."""

    table: np.ndarray  # im2col.geometry
    starts: np.ndarray  # of the windows' rows of one group in its copies
    copies: int  # floats of one image's copies
    shares: int  # of the images, in forward and in the data gradient
    tasks: int  # there
    memory: int  # floats of one task's memory
    batch: int  # images whose copies the weight gradient holds at a time


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
    fewest = _fewest(top_shape)
    batch = max(1, min(bottom_shape[0], max(fewest, BATCH_FLOATS // max(1, copies))))
    return Plan(table, starts, copies, *_tasks(bottom_shape, weight_shape, top_shape), batch)


def workspace(
    bottom_shape: Sequence[int], weight_shape: Sequence[int], top_shape: Sequence[int]
) -> int:
    """How many floats of workspace are enough, whatever pad, stride and dilation are. (Memory
    that is not used is not taken from the machine.)"""
    _, tasks, memory = _tasks(bottom_shape, weight_shape, top_shape)
    column = _column_size(bottom_shape, weight_shape, top_shape)
    batch = max(_fewest(top_shape) * column, BATCH_FLOATS)
    return max(tasks * memory, min(bottom_shape[0] * column, batch))


def _fewest(top_shape: Sequence[int]) -> int:
    """The fewest images of a batch of the weight gradient."""
    return -(-BATCH_PIXELS // max(1, math.prod(top_shape[2:])))


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
