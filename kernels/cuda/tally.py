"""What a recorded training or test notes down while the host does not look.

All numbers lie in the GPU's memory, where each repetition of a graph finds them and moves them on.
"""

from typing import Any

import numpy as np
from numba import cuda

from .launch import blocks_for, kernel, launch

THREADS = 128


@kernel
def _begin_update(count, loss, losses, guard, rates, rate, share):
    k = count[0]
    mean = loss[0] * share
    losses[k] = mean
    guard[0] += np.float32(0) * mean
    rate[0] = rates[k]
    loss[0] = np.float32(0)
    count[0] = k + 1


def begin_update(
    count: Any, loss: Any, losses: Any, guard: Any, rates: Any, rate: Any, share: float
) -> None:
    """Note the loss of iteration k = count[0] and take its learning rate:

        losses[k] = share * loss;  rate = rates[k];  loss = 0;  count = k + 1
        guard = guard + 0 * loss

    so that guard, 0 at first, is a NaN for good once a loss was not finite.
    count: (1,) int64; losses, rates: (n,) float32; the others (1,) float32.
    """
    launch(_begin_update, 1, 1, count, loss, losses, guard, rates, rate, np.float32(share))


@kernel
def _collect(values, column, width, row, table):
    i = cuda.grid(1)
    if i < values.size:
        table[row[0] * width + column + i] = values[i]


def collect(values: Any, column: int, row: Any, table: Any) -> None:
    """table[row, column + i] = values[i]. values: flat; row: (1,) int64; table: (rows, width)."""
    blocks = blocks_for(values.size, THREADS)
    launch(_collect, blocks, THREADS, values, column, table.shape[1], row, table)


@kernel
def _next_row(row):
    row[0] += 1


def next_row(row: Any) -> None:
    """row = row + 1."""
    launch(_next_row, 1, 1, row)
