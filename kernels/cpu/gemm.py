"""Matrix product: C = alpha op(A) op(B) + beta C, op(X) being X or its transpose.

    op(A): (M, K)    op(B): (K, N)    C: (M, N)    float32, C-contiguous

There are three ways to compute it:

- in tiles with vectors along N (tile_product.py). A is read where it lies, transposed or not; B is
  too, unless it is stored as (N, K), its rows drive each other out of the cache, or tiles are
  narrow and many rows meet it: then it is packed first;
- in tiles with vectors along M, as C^T = op(B)^T op(A)^T: the same with A and B exchanged. It has A
  packed where that is stored as (M, K), and must transpose what it writes to C;
- rows with rows (row_product.py), for a small C where both A and B are stored along K.

The cheapest is taken, by costs that depend on the shapes only. They count multiply-adds of
vectors, of which the tiles at the edges waste some; packing, transposing and summing lanes are
counted as so many of these.

The result is the same to the bit for any number of threads.
"""

import numpy as np

from .aligned import LINE, aligned
from .jit import jit
from .packing import pack_strips, strip_at, strip_count
from .parallel import parallel_for
from .row_product import SIDE, multiply_rows
from .tile_product import (
    COLUMNS,
    DEPTH,
    ROWS,
    WIDTH,
    block_of,
    micro_kernel,
    multiply_tiles,
)

__all__ = [
    "COLUMNS", "ROWS", "block_of", "gemm", "micro_kernel", "multiply", "packed_size"
]  # fmt: skip

PACKING = 0.4  # cost of a value that is transposed while it is packed
CROSSING = 0.5  # of a value of C that is written transposed
SUMMING = 5  # of a sum over lanes
FETCHING = 1.2  # how many times as long X takes if each k is in another line, and tiles are narrow

LAUNCH = 1 << 21  # multiply-adds worth a launch of threads: some tens of microseconds
SHARE = 1 << 18  # multiply-adds in one of the shares that threads take, at least
SHARE_TILES = 8  # tiles, at least
MOST_SHARES = 64
LAUNCH_PACKED = 1 << 15  # values to pack worth a launch

PAGE = 1024  # floats: lines that lie a multiple of it apart drive each other out of the cache
MANY_ROWS = 768  # that such lines must meet for their packing to pay
NARROW_ROWS = 128  # the same for lines of any length where a strip takes one line of the cache each


@jit
def gemm(
    trans_a: bool,
    trans_b: bool,
    alpha: float,
    a: np.ndarray,
    b: np.ndarray,
    beta: float,
    c: np.ndarray,
) -> None:
    """C = alpha op(A) op(B) + beta C. Where beta is 0, C is written without being read.

    a: (M, K), or (K, M) with trans_a. b: (K, N), or (N, K) with trans_b. c: (M, N).
    """
    _multiply(True, trans_a, a, trans_b, alpha, b, beta, c, np.empty(0, np.float32))


@jit
def multiply(trans_a, a, trans_b, alpha, b, beta, c, memory):
    """The same on one thread, for use in the tasks of other kernels. memory: float32, of
    packed_size(...)."""
    _multiply(False, trans_a, a, trans_b, alpha, b, beta, c, memory)


def packed_size(trans_a: bool, rows: int, columns: int, depth: int) -> int:
    """How many floats of memory `multiply` needs at most, to pack both operands."""
    return (rows + columns + 2 * COLUMNS) * depth


@jit
def _tiled(rows, columns, depth):
    """Whether X, if stored as (K, M), is packed tile by tile: each k is in another line of the
    cache, which has room for some, apart from each other."""
    return rows % PAGE == 0 or (depth >= 2 * DEPTH and columns > 4 * COLUMNS)


@jit
def _tiles_cost(rows, columns, depth, x_across, y_across):
    """Of a product in tiles with vectors along the columns."""
    cost = -(-rows // ROWS) * ROWS * -(-columns // WIDTH) * depth
    packed = 0 if y_across else columns * depth
    if x_across and _tiled(rows, columns, depth):
        packed += rows * depth
    elif x_across and COLUMNS <= LINE:
        cost *= FETCHING
    return cost + PACKING * packed


@jit
def _multiply(threads, trans_a, a, trans_b, alpha, b, beta, c, memory):
    rows, columns = c.shape
    depth = a.shape[0] if trans_a else a.shape[1]
    if c.size == 0:
        return
    alpha, beta, target = np.float32(alpha), np.float32(beta), c.reshape(-1)
    shares, work = 1, rows * columns * depth
    if threads and work >= LAUNCH:
        shares = min(work // SHARE, MOST_SHARES)

    cost = _tiles_cost(rows, columns, depth, trans_a, not trans_b)
    crossed_cost = _tiles_cost(columns, rows, depth, not trans_b, trans_a) + CROSSING * c.size
    along_k = (rows == 1 or not trans_a) and (columns == 1 or trans_b) and alpha == 1
    tiles = -(-rows // SIDE) * -(-columns // SIDE)
    rows_cost = tiles * SIDE * SIDE * -(-depth // WIDTH) + SUMMING * c.size
    # A matrix by a vector is never cheaper in another way.
    if along_k and (rows == 1 or columns == 1 or rows_cost <= min(cost, crossed_cost)):
        operands = a.reshape(-1), b.reshape(-1), beta, target
        parallel_for(multiply_rows, shares, (shares, *operands, rows, columns, depth))
        return

    crossed = crossed_cost < cost
    x, x_across, y, y_across = a, trans_a, b, not trans_b
    if crossed:
        rows, columns = columns, rows
        x, x_across, y, y_across = b, not trans_b, a, trans_a
    strips = strip_count(columns, COLUMNS, WIDTH)
    # The last strip may reach beyond the columns, and nothing follows the last row of y.
    in_place = strips - (columns % WIDTH > 0) if y_across else 0
    if COLUMNS <= LINE:
        packs = rows >= NARROW_ROWS
    else:
        packs = rows >= MANY_ROWS and y.shape[1] % PAGE == 0
    if packs:
        in_place = 0
    first = strip_at(in_place, columns, COLUMNS, WIDTH)[0]
    strip_size = (-(-columns // WIDTH) * WIDTH - first) * depth
    left, x_tile, x_row, x_step = x.reshape(-1), ROWS * x.shape[1], x.shape[1], 1
    tiles_size = 0
    if x_across:
        x_tile, x_row, x_step = ROWS, 1, x.shape[1]
        if _tiled(rows, columns, depth):
            tiles_size = -(-rows // ROWS) * ROWS * depth
    if len(memory) < strip_size + tiles_size:
        memory = aligned(np.empty(strip_size + tiles_size + LINE, np.float32))
    if strip_size:
        few = shares if strip_size >= LAUNCH_PACKED else 1
        parallel_for(pack_strips, few, (few, y, y_across, COLUMNS, WIDTH, in_place, memory))
    if tiles_size:
        left, x_tile, x_step = memory[strip_size:], ROWS * depth, ROWS
        parallel_for(pack_strips, shares, (shares, x, True, ROWS, ROWS, 0, left))
    shares = max(1, min(shares, -(-rows // ROWS) * strips // SHARE_TILES))
    parallel_for(
        multiply_tiles,
        shares,
        (
            shares, left, x_tile, x_row, x_step, y.reshape(-1), y.shape[1], in_place, memory,
            depth, alpha, beta, target, c.shape[1], rows, columns, crossed,
        ),
    )  # fmt: skip
