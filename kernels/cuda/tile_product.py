"""The matrix product that gemm, inner product and convolution are made of.

    store(c, extra, i, j, sum over p of load_a(a0, a1, i, p) * load_b(b0, b1, p, j))

for i < M, j < N, p < K. What is multiplied, and where it goes, is up to three small functions that
are compiled into it: a transposed matrix, or a convolution's image, is read where it lies.

A block computes a tile of the result. Step by step along K its threads bring a slice of A and one of
B into shared memory; each thread multiplies 4 x 4 or 8 x 8 values of them in registers, so that
a value that was loaded takes part in 4 or 8 multiply-adds. While a slice is multiplied, the next
one is on its way from memory.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import cuda

from .launch import SIMULATED, blocks_for, device, kernel, launch, scratch
from .vector_load import ALIGNMENT, load4

SMS = 132  # multiprocessors of the GPU that the tiles are chosen for, an H100
THREADS = 256  # of a block that adds partial sums
index = int if SIMULATED else np.uint32  # tells the compiler that none is negative
PAD = 4  # floats between the rows of a slice: its columns lie in different banks


class Tile(NamedTuple):
    """What a block computes: rows x columns of the result, `depth` products a step."""

    rows: int
    columns: int
    depth: int
    row_groups: int  # a thread has so many groups of four rows, and of four columns
    column_groups: int

    @property
    def threads(self) -> int:
        return self.rows * self.columns // (16 * self.row_groups * self.column_groups)


TILES = (
    Tile(128, 128, 8, 2, 2),
    Tile(64, 128, 16, 2, 2),
    Tile(128, 64, 16, 2, 2),
    Tile(64, 64, 16, 1, 1),
    Tile(32, 128, 16, 1, 1),
    Tile(128, 32, 16, 1, 1),
    Tile(32, 32, 16, 1, 1),
)
SIMULATED_TILE = Tile(16, 16, 4, 1, 1)


def choose_tile(m: int, n: int, k: int) -> tuple[Tile, int]:
    """The tile, and into how many parts K is cut."""
    if SIMULATED:
        return SIMULATED_TILE, 2 if k > 64 else 1

    def cost(choice):
        tile, splits = choice
        blocks = -(-m // tile.rows) * -(-n // tile.columns) * splits
        rounds = -(-blocks // SMS)
        steps = -(-k // (tile.depth * splits))
        area = tile.rows * tile.columns * tile.depth
        loads = (tile.rows + tile.columns) * tile.depth * 4
        return rounds * steps * (area + loads) + (splits > 1) * 500_000 + m * n * splits // 20

    return min(
        ((tile, splits) for tile in TILES for splits in (1, 2, 4, 8, 16, 32, 64)
         if splits == 1 or k >= splits * tile.depth * 4),
        key=cost,
    )  # fmt: skip


def make_product(
    m: int,
    n: int,
    k: int,
    load_a: Callable,
    load_b: Callable,
    store: Callable,
    a_along_k: bool = False,
    b_along_k: bool = False,
    choice: tuple[Tile, int] | None = None,
) -> Callable[..., None]:
    """Make product(a0, a1, b0, b1, c, extra), which launches. The arrays are flat for the
    functions, which are `@device`:

    load_a(a0, a1, i, p), load_b(b0, b1, p, j): a float; indices are in range.
    store(c, extra, i, j, value): called once for each i, j.

    a_along_k: whether op(A)'s values at successive p lie side by side in memory, rather than those
    at successive i; b_along_k: the same of op(B), rather than those at successive j.
    """
    tile, splits = choice or choose_tile(m, n, k)
    steps = -(-k // tile.depth)
    steps_each = max(-(-steps // splits), 1)
    splits = max(-(-steps // steps_each), 1)
    blocks = (-(-n // tile.columns), -(-m // tile.rows), splits)
    size = m * n

    if splits == 1:
        multiply = _make_kernel(m, n, k, tile, k, load_a, load_b, store, a_along_k, b_along_k)

        def product(a0, a1, b0, b1, c, extra):
            if size:
                launch(multiply, blocks, tile.threads, a0, a1, b0, b1, c, extra)

        return product

    depth = steps_each * tile.depth
    multiply = _make_kernel(
        m, n, k, tile, depth, load_a, load_b, _make_store_part(m, n), a_along_k, b_along_k
    )
    add_parts = _make_add_parts(m, n, splits, store)

    def product(a0, a1, b0, b1, c, extra):
        if size:
            parts = scratch(splits * size)
            launch(multiply, blocks, tile.threads, a0, a1, b0, b1, parts, parts)
            launch(add_parts, blocks_for(size, THREADS), THREADS, parts, c, extra)

    return product


def _make_store_part(m, n):
    @device
    def store_part(parts, _, i, j, value):
        parts[(cuda.blockIdx.z * m + i) * n + j] = value

    return store_part


def _make_add_parts(m, n, splits, store):
    size = m * n

    @kernel
    def add_parts(parts, c, extra):
        i = cuda.grid(1)
        if i < size:
            total = parts[i]
            for part in range(1, splits):
                total += parts[part * size + i]
            store(c, extra, i // n, i % n, total)

    return add_parts


def _make_kernel(m, n, k, tile, depth, load_a, load_b, store, a_along_k, b_along_k):
    """`depth`: how much of K a block takes."""
    rows, columns, step_depth, row_groups, column_groups = tile
    height, width = 4 * row_groups, 4 * column_groups
    area = height * width
    across = columns // width  # threads side by side
    lanes_x = min(across, 8)  # a warp has 4 x 8 threads, near a square: fewer different loads
    lanes_y = min(rows // height, 4)
    warps_x = across // lanes_x
    row_stride, column_stride = rows // row_groups, columns // column_groups
    a_line, b_line = rows + PAD, columns + PAD
    a_size = step_depth * a_line
    slice_size = a_size + step_depth * b_line
    shared_size = 2 * slice_size
    fetch_a, put_a, a_each = _make_loader(m, rows, k, tile, a_along_k, load_a)

    @device
    def load_b_turned(b0, b1, j, p):
        return load_b(b0, b1, p, j)

    fetch_b, put_b, b_each = _make_loader(n, columns, k, tile, b_along_k, load_b_turned)

    @device
    def multiply_slices(slices, a_at, b_at, sums):
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

    turns = 1
    while turns < step_depth:
        multiply_slices = _twice(multiply_slices, turns * a_line, turns * b_line)
        turns *= 2

    @kernel
    def multiply(a0, a1, b0, b1, c, extra):
        thread = index(cuda.threadIdx.x)
        x = thread // (lanes_x * lanes_y) % warps_x * lanes_x + thread % lanes_x
        y = thread // (lanes_x * lanes_y) // warps_x * lanes_y + thread // lanes_x % lanes_y
        row, column = index(cuda.blockIdx.y) * rows, index(cuda.blockIdx.x) * columns
        begin = index(cuda.blockIdx.z) * depth
        end = min(begin + depth, k)
        slices = cuda.shared.array(shared_size, np.float32, ALIGNMENT)
        sums = cuda.local.array(area, np.float32)
        for i in range(area):
            sums[i] = np.float32(0)
        a_next = cuda.local.array(a_each, np.float32)
        b_next = cuda.local.array(b_each, np.float32)

        fetch_a(a0, a1, row, begin, end, thread, a_next)
        fetch_b(b0, b1, column, begin, end, thread, b_next)
        put_a(slices, 0, thread, a_next)
        put_b(slices, a_size, thread, b_next)
        cuda.syncthreads()
        now, other = 0, slice_size
        for start in range(begin, end, step_depth):
            p = index(start)
            more = p + step_depth < end
            if more:
                fetch_a(a0, a1, row, p + step_depth, end, thread, a_next)
                fetch_b(b0, b1, column, p + step_depth, end, thread, b_next)
            multiply_slices(slices, now + 4 * y, now + a_size + 4 * x, sums)
            if more:
                put_a(slices, other, thread, a_next)
                put_b(slices, other + a_size, thread, b_next)
            cuda.syncthreads()
            now, other = other, now

        for i in range(height):
            for j in range(width):
                at_i = index(row + i // 4 * row_stride + 4 * y + i % 4)
                at_j = index(column + j // 4 * column_stride + 4 * x + j % 4)
                if at_i < m and at_j < n:
                    store(c, extra, at_i, at_j, sums[i * width + j])

    return multiply


def _twice(step, a_advance, b_advance):
    """`step` twice: unrolls a loop that the compiler leaves as one."""

    @device
    def both(slices, a_at, b_at, sums):
        step(slices, a_at, b_at, sums)
        step(slices, a_at + a_advance, b_at + b_advance, sums)

    return both


def _make_loader(count, lines, total, tile, along_k, load):
    """Functions that bring a slice of one operand, `lines` of its `count` rows (of A) or columns
    (of B), from memory into registers, and from there into shared memory as (depth, lines)."""
    depth, threads = tile.depth, tile.threads
    each = lines * depth // threads
    line = lines + PAD

    whole_lines, whole_depth = count % lines == 0, total % depth == 0

    line_turn, depth_turn = (threads // depth, 0) if along_k else (0, threads // lines)

    @device
    def place(thread):
        return (thread // depth, thread % depth) if along_k else (thread % lines, thread // lines)

    @device
    def fetch(x0, x1, first, begin, end, thread, values):
        i, p = place(thread)
        i, p = first + i, begin + p
        for turn in range(each):
            at_i, at_p = i + turn * line_turn, p + turn * depth_turn
            value = np.float32(0)
            if (whole_lines or at_i < count) and (whole_depth or at_p < end):
                value = load(x0, x1, at_i, at_p)
            values[turn] = value

    @device
    def put(slices, begin, thread, values):
        i, p = place(thread)
        at = index(begin + p * line + i)
        for turn in range(each):
            slices[at + turn * (depth_turn * line + line_turn)] = values[turn]

    return fetch, put, each
