"""A product of matrices cut into register tiles, which are shared out among threads.

    C[i, j] = alpha * sum over k of X[i, k] Y[k, j] + beta * C[i, j]

    X: (M, K), or stored as (K, M)    Y: (K, N)    C: (M, N), or, crossed, stored as (N, M)

The micro-kernel (micro_kernel.py) takes single values of X, which may lie anywhere, and whole
vectors of Y's rows. Y is cut into strips of as many columns as a tile has, and what is left over
into strips one vector wide, so that little is multiplied in vain. A strip is read where it lies if
its rows do, or else from a packed copy (packing.py).

K is cut into blocks of at most DEPTH, so that the part of a strip that is in use stays in the
cache while it meets up to TILES tiles of rows. A crossed C is summed up in a panel as large, which
is then transposed into place.
"""

import numpy as np

from .jit import jit
from .line_copy import LINE_WIDTH
from .micro_kernel import Tile, host_tile, make_micro_kernel
from .packing import strip_at, transpose

TILE = host_tile()
ROWS, COLUMNS, WIDTH = TILE.rows, TILE.columns, TILE.width
DEPTH = 320  # most values of k in one block
TILES = 24  # most of a strip that are computed at a time

micro_kernel = make_micro_kernel(TILE)
narrow_kernel = make_micro_kernel(Tile(ROWS, 1, WIDTH))


@jit
def block_of(left):
    """How many of the `left` values of k the next block takes: DEPTH, at the end two equal parts.

    OpenBLAS, which Caffe uses, cuts K in the same way, so that rounding falls alike: a value that
    is zero but for rounding has the same sign before a ReLU, and trainings run side by side.
    """
    if left >= 2 * DEPTH or left <= DEPTH:
        return min(left, DEPTH)
    return (left // 2 + 15) // 16 * 16


@jit
def _place_of(work, row_tiles, columns):
    """The strip and the tile in it where the work begins of which `work` tiles, each one vector
    wide, come before."""
    vector, wide = work // row_tiles, (columns + WIDTH - 1) // COLUMNS
    strip = min(vector * WIDTH // COLUMNS, wide)
    strip += max(0, vector - wide * (COLUMNS // WIDTH))
    start, width = strip_at(strip, columns, COLUMNS, WIDTH)
    return strip, (work - start // WIDTH * row_tiles) // (width // WIDTH)


@jit
def multiply_tiles(share, shares, x, x_tile, x_row, x_step, y, y_step, in_place, packed, depth, alpha, beta, c, c_row, rows, columns, crossed):  # fmt: skip  # noqa: E501
    """Compute one share of the tiles of C, each tile in the same way whatever `shares` is.

    x: X[i, k] is x[i // ROWS * x_tile + i % ROWS * x_row + k * x_step]. y: Y[k] begins at
    y[k * y_step]; the strips from number `in_place` on are read from `packed`, one after another.
    c: C[i] begins at c[i * c_row], or C[:, j] at c[j * c_row] where crossed. All arrays are flat.
    """
    row_tiles = -(-rows // ROWS)
    begin = strip_at(in_place, columns, COLUMNS, WIDTH)[0]
    work = row_tiles * -(-columns // WIDTH)
    strip, first = _place_of(work * share // shares, row_tiles, columns)
    last_strip, rest = _place_of(work * (share + 1) // shares, row_tiles, columns)
    panel = np.empty(2 * TILES * ROWS * COLUMNS if crossed else 0, np.float32)
    while strip < last_strip or (strip == last_strip and first < rest):
        last = min(first + TILES, rest if strip == last_strip else row_tiles)
        start, width = strip_at(strip, columns, COLUMNS, WIDTH)
        length = min(width, columns - start)
        right, right_start, right_step = packed, (start - begin) * depth, width
        if strip < in_place:
            right, right_start, right_step = y, start, y_step
        sums, sums_start, sums_row = c, first * ROWS * c_row + start, c_row
        sums_alpha, sums_beta = alpha, beta
        if crossed:
            sums, sums_start, sums_row = panel, 0, width
            sums_alpha, sums_beta = np.float32(1), np.float32(0)
        k = 0
        while k < depth or k == 0:
            block = block_of(depth - k)
            for tile in range(first, last):
                left = tile * x_tile + k * x_step
                target = sums_start + (tile - first) * ROWS * sums_row
                height = min(ROWS, rows - tile * ROWS)
                if width == COLUMNS:
                    micro_kernel(
                        block, x, left, x_row, x_step, right, right_start + k * right_step,
                        right_step, sums_alpha, sums_beta, sums, target, sums_row, height, length,
                    )  # fmt: skip
                else:
                    narrow_kernel(
                        block, x, left, x_row, x_step, right, right_start + k * right_step,
                        right_step, sums_alpha, sums_beta, sums, target, sums_row, height, length,
                    )  # fmt: skip
            sums_beta = np.float32(1)
            k += max(block, 1)
        if crossed:
            height = min(last * ROWS, rows) - first * ROWS
            corner = start * c_row + first * ROWS
            _add_crossed(panel, height, width, alpha, beta, c, corner, c_row, length)
        first = last
        if first == row_tiles:
            strip, first = strip + 1, 0


@jit
def _add_crossed(panel, rows, width, alpha, beta, c, c_start, c_row, columns):
    """c[j, i] = alpha * panel[i, j] + beta * c[j, i]. The second half of panel is for use here."""
    turned, room = panel[len(panel) // 2 :], -(-rows // LINE_WIDTH) * LINE_WIDTH
    for i in range(0, rows, LINE_WIDTH):
        for j in range(0, width, LINE_WIDTH):
            transpose(panel, i * width + j, width, turned, j * room + i, room)
    for j in range(columns):
        source = turned[j * room : j * room + rows]
        target = c[c_start + j * c_row : c_start + j * c_row + rows]
        if beta == 0:
            for i in range(rows):
                target[i] = alpha * source[i]
        else:
            for i in range(rows):
                target[i] = alpha * source[i] + beta * target[i]
