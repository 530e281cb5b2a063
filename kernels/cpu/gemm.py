"""Matrix product: C = alpha op(A) op(B) + beta C, op(X) being X or its transpose.

    op(A): (M, K)    op(B): (K, N)    C: (M, N)    float32, C-contiguous

The micro-kernel multiplies one tile of C at a time and wants its operands as *panels*: op(A) cut
into strips of as many rows as the tile has, op(B) into strips of as many columns, each strip
stored k by k, padded with zeros. Packing costs M K + K N moves for 2 M K N operations; in return
every operand, transposed or not, looks the same and lies in one piece of memory.

K is cut into blocks of at most DEPTH, so that a panel of B (40 KB) stays in the nearest cache
while the tiles of one strip of C are computed, and a task's panels of A in the next.

The tasks are tiles of C, and each tile adds its blocks of K in their order, whichever thread it
runs on: the result is the same to the bit for any number of threads.
"""

import numba
import numpy as np

from .jit import jit
from .micro_kernel import host_tile, make_micro_kernel
from .vector import copy_line

TILE = host_tile()
ROWS, COLUMNS = TILE.rows, TILE.columns
DEPTH = 320  # most values of k in one block
COLUMN_PANELS = 32  # panels of B packed at once: 1.3 MB with AVX-512
ROW_PANELS = 24  # panels of A that one task works through: 300 KB

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
    The packed panels need memory of their own, a copy of A and at most 1.3 MB for B, taken for the
    call: a microsecond beside the product.
    """
    rows, columns = c.shape
    depth = a.shape[0] if trans_a else a.shape[1]
    packed = aligned(packed_size(rows, depth))
    panels = aligned(panels_size(columns, depth))
    _pack_parallel(trans_a, a, packed)
    _multiply_parallel(packed, trans_b, np.float32(alpha), b, np.float32(beta), c, panels)


def aligned(count: int) -> np.ndarray:
    """A flat float32 array, not cleared, that starts at a cache line."""
    memory = np.empty(count + 16, np.float32)
    start = (-memory.ctypes.data % 64) // 4
    return memory[start : start + count]


def packed_size(rows: int, depth: int) -> int:
    """How many floats op(A) takes when packed by `pack`."""
    return _round_up(_round_up(rows, ROWS) * depth, 16)


def panels_size(columns: int, depth: int) -> int:
    """How many floats `multiply` needs for panels of op(B)."""
    return min(_round_up(columns, COLUMNS), COLUMN_PANELS * COLUMNS) * min(depth, DEPTH)


def _round_up(count: int, unit: int) -> int:
    return -(-count // unit) * unit


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
def _pack_panel(x, across, line, k, depth, panel, start, lines):
    """panel[i, j] = X[line + j, k + i], X being x, or its transpose with `across`; 0 beyond X.

    The panel, (depth, lines), begins at panel[start].
    """
    stride = x.shape[1]
    count = min(lines, (stride if across else x.shape[0]) - line)
    flat = x.reshape(-1)
    if across:
        for i in range(depth):
            copy_line(flat, (k + i) * stride + line, panel, start + i * lines, count)
    else:
        # Unsigned numbers spare a test for negative indices, half of this loop's time.
        for j in range(np.uint64(count)):
            source = (np.uint64(line) + j) * np.uint64(stride) + np.uint64(k)
            target = np.uint64(start) + j
            for i in range(np.uint64(depth)):
                panel[target + i * np.uint64(lines)] = flat[source + i]
    for j in range(count, lines):
        for i in range(depth):
            panel[start + i * lines + j] = 0


def _pack(trans_a, a, packed):
    """All panels of op(A): for each block of K, each strip of ROWS rows."""
    rows, depth = (a.shape[1], a.shape[0]) if trans_a else a.shape
    row_panels = -(-rows // ROWS)
    k = 0
    while k < depth:
        block = block_of(depth - k)
        for p in numba.prange(row_panels):
            start = row_panels * ROWS * k + p * ROWS * block
            _pack_panel(a, trans_a, p * ROWS, k, block, packed, start, ROWS)
        k += block


def _multiply(packed, trans_b, alpha, b, beta, c, panels):
    """C = alpha op(A) op(B) + beta C from the packed panels of op(A)."""
    rows, columns = c.shape
    depth = b.shape[1] if trans_b else b.shape[0]
    row_panels = -(-rows // ROWS)
    column_panels = -(-columns // COLUMNS)
    flat = c.reshape(-1)
    k = 0
    while k < depth or k == 0:
        block = block_of(depth - k)
        a_start = row_panels * ROWS * k
        for j in range(0, column_panels, COLUMN_PANELS):
            strips = min(COLUMN_PANELS, column_panels - j)
            for p in numba.prange(strips):
                column, start = (j + p) * COLUMNS, p * COLUMNS * block
                _pack_panel(b, not trans_b, column, k, block, panels, start, COLUMNS)
            # Enough tasks for many threads, few enough to reuse what is in the caches.
            task_panels = max(1, min(ROW_PANELS, row_panels * strips // 32))
            tasks = -(-row_panels // task_panels) * strips
            for task in numba.prange(tasks):
                p = task % strips
                column = (j + p) * COLUMNS
                first = task // strips * task_panels
                for i in range(first, min(first + task_panels, row_panels)):
                    micro_kernel(
                        block,
                        packed,
                        a_start + i * ROWS * block,
                        1,
                        ROWS,
                        panels,
                        p * COLUMNS * block,
                        COLUMNS,
                        alpha,
                        beta,
                        flat,
                        i * ROWS * columns + column,
                        columns,
                        min(ROWS, rows - i * ROWS),
                        min(COLUMNS, columns - column),
                    )
        beta = np.float32(1)
        k += max(block, 1)


# For use inside the parallel loops of other kernels: the same code on one thread.
pack = jit(_pack)
multiply = jit(_multiply)

_pack_parallel = jit(parallel=True)(_pack)
_multiply_parallel = jit(parallel=True)(_multiply)
