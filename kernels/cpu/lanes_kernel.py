"""The register tiles of a convolution whose outputs are the lanes (see convolution_lanes.py).

Two heights, since few tiles should be cut off at the end; higher ones have LLVM run out of
registers. Two widths, since few layers' outputs should be too few for the lanes.
"""

import numpy as np

from .jit import jit
from .micro_kernel import Tile, make_micro_kernel
from .vector import host_width, many_registers

WIDTH = host_width()
LOW, HIGH = (8, 9) if many_registers() else (4, 5)
_narrow_low, _wide_low = (make_micro_kernel(Tile(LOW, n, WIDTH)) for n in (1, 2))
_narrow_high, _wide_high = (make_micro_kernel(Tile(HIGH, n, WIDTH)) for n in (1, 2))


def lanes_for(outputs: int) -> int:
    """How many outputs lie side by side, two vectors or one; 0 where neither divides them."""
    return next((lanes for lanes in (2 * WIDTH, WIDTH) if outputs % lanes == 0), 0)


@jit
def lanes_product(
    height, lanes, depth, a, a_start, a_rows, a_steps, b, b_start, b_rows, beta, c, c_rows, rows
):
    """C[i, j] = beta * C[i, j] + sum over k of a[i, k] * b[k, j]        i < rows, j < lanes

    a[i, k] is a[a_start + a_rows[i] + a_steps[k]], b[k] begins at b[b_start + b_rows[k]] and C[i]
    at c[c_rows[i]]. rows <= height, which is LOW or HIGH.
    """
    if lanes == WIDTH and height == LOW:
        _narrow_low(
            depth, a, a_start, a_rows, a_steps, b, b_start, b_rows,
            np.float32(1), beta, c, 0, c_rows, rows, WIDTH,
        )  # fmt: skip
    elif lanes == WIDTH:
        _narrow_high(
            depth, a, a_start, a_rows, a_steps, b, b_start, b_rows,
            np.float32(1), beta, c, 0, c_rows, rows, WIDTH,
        )  # fmt: skip
    elif height == LOW:
        _wide_low(
            depth, a, a_start, a_rows, a_steps, b, b_start, b_rows,
            np.float32(1), beta, c, 0, c_rows, rows, 2 * WIDTH,
        )  # fmt: skip
    else:
        _wide_high(
            depth, a, a_start, a_rows, a_steps, b, b_start, b_rows,
            np.float32(1), beta, c, 0, c_rows, rows, 2 * WIDTH,
        )  # fmt: skip
