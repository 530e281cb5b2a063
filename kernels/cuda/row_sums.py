"""The sum of a matrix's rows: store(c, extra, j, sum over i < M of values[i, j]) for j < N.

values: (M, N). A block takes 32 columns, side by side in memory, and each of its 8 warps every
eighth row; the warps' sums are added in their order. So the result is the same each time.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import cuda

from .launch import SIMULATED, blocks_for, kernel, launch

COLUMNS, LANES = (8, 2) if SIMULATED else (32, 8)


def make_row_sums(m: int, n: int, store: Callable) -> Callable[[Any, Any, Any], None]:
    """Make row_sums(values, c, extra), which launches. `store` is `@device`."""

    @kernel
    def add_rows(values, c, extra):
        shared = cuda.shared.array((LANES, COLUMNS), np.float32)
        column, lane = np.uint32(cuda.threadIdx.x), np.uint32(cuda.threadIdx.y)
        j = cuda.blockIdx.x * COLUMNS + column
        total = np.float32(0)
        if j < n:
            for i in range(lane, m, LANES):
                total += values[i * n + j]
        shared[lane, column] = total
        cuda.syncthreads()
        if lane == 0 and j < n:
            for other in range(1, LANES):
                total += shared[other, column]
            store(c, extra, j, total)

    def row_sums(values, c, extra):
        if n:
            launch(add_rows, blocks_for(n, COLUMNS), (COLUMNS, LANES), values, c, extra)

    return row_sums
