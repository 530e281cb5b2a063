"""Matrix product: C = alpha op(A) op(B) + beta C, op(X) being X or its transpose.

    op(A): (M, K)    op(B): (K, N)    C: (M, N)    float32, C-contiguous

The micro-kernel multiplies one tile of C at a time. Of op(B) it wants whole vectors: op(B) is cut
into strips of as many columns as the tile has, each stored row by row in one piece, padded with
zeros (packing.py). That costs K N moves for 2 M K N operations; in return every row of a strip
lies in cache lines of its own, transposed or not. Of op(A) it wants single values, which it takes
from where they lie, unless A is transposed: then each would be in another cache line, so A is
packed too.

K is cut into blocks of at most DEPTH, so that the part of a strip that is in use stays in the
cache while it meets all rows of a task.

The tasks are groups of tiles of C, and each tile adds its blocks of K in their order, whichever
thread it runs on: the result is the same to the bit for any number of threads.
"""

import numba
import numpy as np

from .jit import jit
from .micro_kernel import host_tile, make_micro_kernel
from .packing import PART, pack_part

TILE = host_tile()
ROWS, COLUMNS = TILE.rows, TILE.columns
DEPTH = 320  # most values of k in one block
MOST_PACKED = 2**20  # floats of op(B) packed at a time, unless one strip has more: 4 MB
TASKS = 64  # at least, where there are so many tiles
ROW_TILES = 24  # most in one task

micro_kernel = make_micro_kernel(TILE)


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
    The packed strips need memory of their own, a copy of B of at most 4 MB and one of A where it
    is transposed, taken for the call: a microsecond beside the product.
    """
    depth = a.shape[0] if trans_a else a.shape[1]
    memory = aligned(packed_size(trans_a, c.shape[0], c.shape[1], depth))
    _multiply_parallel(trans_a, a, trans_b, np.float32(alpha), b, np.float32(beta), c, memory)


def aligned(count: int) -> np.ndarray:
    """A flat float32 array, not cleared, that starts at a cache line."""
    memory = np.empty(count + 16, np.float32)
    start = (-memory.ctypes.data % 64) // 4
    return memory[start : start + count]


def packed_size(trans_a: bool, rows: int, columns: int, depth: int) -> int:
    """How many floats of memory `multiply` needs."""
    strips = _strips_at_once(columns, depth)
    row_tiles = -(-rows // ROWS) if trans_a else 0
    return (strips * COLUMNS + row_tiles * ROWS) * depth


@jit
def _strips_at_once(columns, depth):
    strips = -(-columns // COLUMNS)
    return max(1, min(strips, MOST_PACKED // (COLUMNS * max(1, depth))))


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
def _multiply_tiles(first, last, left, a_row, a_step, strip, column, alpha, beta, c):
    """The tiles of rows first to last - 1, given op(A) and a packed strip of op(B)."""
    rows, columns = c.shape
    depth, target = len(strip) // COLUMNS, c.reshape(-1)
    k = 0
    while k < depth or k == 0:
        block = block_of(depth - k)
        for tile in range(first, last):
            micro_kernel(
                block,
                left,
                tile * ROWS * depth + k * a_step,
                a_row,
                a_step,
                strip,
                k * COLUMNS,
                COLUMNS,
                alpha,
                beta,
                target,
                tile * ROWS * columns + column,
                columns,
                min(ROWS, rows - tile * ROWS),
                min(COLUMNS, columns - column),
            )
        beta = np.float32(1)
        k += max(block, 1)


def _multiply(trans_a, a, trans_b, alpha, b, beta, c, memory):
    rows, columns = c.shape
    depth = b.shape[1] if trans_b else b.shape[0]
    row_tiles, strips, parts = -(-rows // ROWS), -(-columns // COLUMNS), -(-depth // PART)
    size = COLUMNS * depth
    most = _strips_at_once(columns, depth)
    left, a_row, a_step = a.reshape(-1), depth, 1
    # int64: a constant would make Numba compile pack_part for this value, so twice.
    if trans_a:
        left, a_row, a_step = memory[most * size :], 1, ROWS
        for task in numba.prange(row_tiles * parts):
            p = task // parts
            pack_part(a, trans_a, p, np.int64(ROWS), task % parts, left, p)
    for first in range(0, strips, most):
        count = min(most, strips - first)
        for task in numba.prange(count * parts):
            p = task // parts
            pack_part(b, not trans_b, first + p, np.int64(COLUMNS), task % parts, memory, p)
        # Enough tasks for many threads, few enough to reuse what is in the caches.
        tiles = max(1, min(ROW_TILES, row_tiles * count // TASKS))
        groups = -(-row_tiles // tiles)
        for task in numba.prange(groups * count):
            p, tile = task // groups, task % groups * tiles
            strip, column = memory[p * size : (p + 1) * size], (first + p) * COLUMNS
            last = min(tile + tiles, row_tiles)
            _multiply_tiles(tile, last, left, a_row, a_step, strip, column, alpha, beta, c)


# For use inside the parallel loops of other kernels: the same code on one thread.
multiply = jit(_multiply)

_multiply_parallel = jit(parallel=True)(_multiply)
