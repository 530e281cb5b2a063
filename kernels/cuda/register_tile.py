"""What a thread does with two slices in shared memory: the multiply-adds of a matrix product.

    sums[i, j] += sum over p of a[p, row of i] * b[p, column of j]

A thread has 4 or 8 rows and as many columns, in groups of four that lie side by side and are loaded
by one instruction. For 8 by 8 that is 4 loads for 64 multiply-adds. The groups are far apart, so
that neighbouring threads load from neighbouring places.
"""

from typing import Any

import numpy as np
from numba import cuda

from .launch import device
from .slices import PAD
from .tile_choice import Tile
from .vector_load import load4


def make_multiply_slices(tile: Tile) -> Any:
    """Make the `@device` function multiply_slices(slices, a_at, b_at, sums): add to a thread's sums
    the products of its rows and columns, which begin there in the slices of A and B.

    All steps are written out, since the compiler leaves a loop of this length as one: the loads of
    later steps are then started before the multiply-adds of earlier ones.
    """
    rows, columns, depth, row_groups, column_groups = tile
    height, width = 4 * row_groups, 4 * column_groups
    row_stride, column_stride = rows // row_groups, columns // column_groups

    @device
    def multiply(slices, a_at, b_at, sums):
        a_part = cuda.local.array(height, np.float32)
        b_part = cuda.local.array(width, np.float32)
        for group in range(row_groups):
            values = load4(slices, a_at + group * row_stride)
            for i in range(4):
                a_part[4 * group + i] = values[i]
        for group in range(column_groups):
            values = load4(slices, b_at + group * column_stride)
            for i in range(4):
                b_part[4 * group + i] = values[i]
        for i in range(height):
            for j in range(width):
                sums[i * width + j] += a_part[i] * b_part[j]

    done = 1
    while done < depth:
        multiply = _twice(multiply, done * (rows + PAD), done * (columns + PAD))
        done *= 2
    return multiply


def _twice(step, a_advance, b_advance):
    @device
    def both(slices, a_at, b_at, sums):
        step(slices, a_at, b_at, sums)
        step(slices, a_at + a_advance, b_at + b_advance, sums)

    return both
