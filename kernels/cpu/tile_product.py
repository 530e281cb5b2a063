"""A product of matrices cut into register tiles, which are shared out among threads.

    C[i, j] = alpha * sum over k of X[i, k] Y[k, j] + beta * C[i, j]

    X: (M, K), or stored as (K, M)    Y: (K, N)    C: (M, N), or, crossed, stored as (N, M)

The micro-kernel (micro_kernel.py) takes single values of X, which may lie anywhere, and whole
vectors of Y's rows. Y is cut into strips of as many columns as a tile has, and what is left over
into strips one vector wide, so that little is multiplied in vain. A strip is read where it lies if
its rows do, or else from a packed copy (packing.py).

K is cut into blocks of at most DEPTH, the rows of X into blocks of TILES tiles. Of a block of both,
all strips of Y are multiplied, so that X's part stays in the second cache, and of each strip the
part that is in use in the first. A crossed C is summed up in a panel, which is then transposed into
place.
"""

import numpy as np

from .jit import jit
from .line_copy import LINE_WIDTH
from .micro_kernel import Tile, host_tile, make_micro_kernel
from .packing import strip_at, strip_count, transpose

TILE = host_tile()
ROWS, COLUMNS, WIDTH = TILE.rows, TILE.columns, TILE.width
DEPTH = 320  # most values of k in one block
TILES = 24  # in a block of rows

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
    """The block of rows, the strip and the tile in both where the work begins of which `work`
    tiles, each one vector wide, come before."""
    in_block, wide = TILES * -(-columns // WIDTH), (columns + WIDTH - 1) // COLUMNS
    block = work // in_block
    tiles = max(1, min(TILES, row_tiles - block * TILES))
    work -= block * in_block
    vector = work // tiles
    strip = min(vector * WIDTH // COLUMNS, wide)
    strip += max(0, vector - wide * (COLUMNS // WIDTH))
    start, width = strip_at(strip, columns, COLUMNS, WIDTH)
    return block, strip, (work - start // WIDTH * tiles) // (width // WIDTH)


@jit
def multiply_tiles(share, shares, x, x_tile, x_row, x_step, y, y_step, in_place, packed, depth, alpha, beta, c, c_row, rows, columns, crossed):  # fmt: skip  # noqa: E501
    """Compute one share of the tiles of C, each tile in the same way whatever `shares` is.

    x: X[i, k] is x[i // ROWS * x_tile + i % ROWS * x_row + k * x_step]. y: Y[k] begins at
    y[k * y_step]; the strips from number `in_place` on are read from `packed`, one after another.
    c: C[i] begins at c[i * c_row], or C[:, j] at c[j * c_row] where crossed. All arrays are flat.
    """
    row_tiles, strips = -(-rows // ROWS), strip_count(columns, COLUMNS, WIDTH)
    packed_start = strip_at(in_place, columns, COLUMNS, WIDTH)[0]
    work = row_tiles * -(-columns // WIDTH)
    begin = _place_of(work * share // shares, row_tiles, columns)
    end = _place_of(work * (share + 1) // shares, row_tiles, columns)
    panel = np.empty(2 * TILES * ROWS * COLUMNS if crossed else 0, np.float32)
    one, zero, k = np.float32(1), np.float32(0), 0
    while k < depth or k == 0:
        size, step_beta = block_of(depth - k), beta if k == 0 else one
        block, strip, first = begin
        while (block, strip, first) < end:
            last = end[2] if (block, strip) == end[:2] else min(TILES, row_tiles - block * TILES)
            top = (block * TILES + first) * ROWS
            start, width = strip_at(strip, columns, COLUMNS, WIDTH)
            length = min(width, columns - start)
            right, right_step = y, y_step
            right_start = start + k * y_step
            if strip >= in_place:
                right, right_step = packed, width
                right_start = (start - packed_start) * depth + k * width
            sums, corner, sums_row = c, top * c_row + start, c_row
            sums_alpha, sums_beta = alpha, step_beta
            if crossed:
                sums, corner, sums_row = panel, 0, width
                sums_alpha, sums_beta = one, zero
            for tile in range(last - first):
                left = (block * TILES + first + tile) * x_tile + k * x_step
                target, count = corner + tile * ROWS * sums_row, min(ROWS, rows - top - tile * ROWS)
                if width == COLUMNS:
                    micro_kernel(
                        size, x, left, x_row, x_step, right, right_start, right_step,
                        sums_alpha, sums_beta, sums, target, sums_row, count, length,
                    )  # fmt: skip
                else:
                    narrow_kernel(
                        size, x, left, x_row, x_step, right, right_start, right_step,
                        sums_alpha, sums_beta, sums, target, sums_row, count, length,
                    )  # fmt: skip
            if crossed:
                target = start * c_row + top
                height = min((last - first) * ROWS, rows - top)
                _add_crossed(panel, height, width, alpha, step_beta, c, target, c_row, length)
            strip, first = strip + 1, 0
            if strip == strips:
                block, strip = block + 1, 0
        k += max(size, 1)


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
