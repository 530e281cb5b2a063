"""The matrix product that gemm, inner product and convolution are made of.

    store(c, extra, i, j, sum over p of load_a(a0, a1, i, p) * load_b(b0, b1, p, j))

for i < M, j < N, p < K. What is multiplied, and where it goes, is up to three small functions that
are compiled into it: a transposed matrix, or a convolution's image, is read where it lies.

A block of threads computes a tile of the result. Step by step along K it brings a slice of A and
one of B into shared memory, whole lines of memory at a time. Each thread multiplies 4 or 8 values
of the one by 4 or 8 of the other, in registers, so that what was loaded takes part in many
multiply-adds. While a slice is multiplied the next one is on its way: there are two of each.

Where the tiles are too few for the GPU, K is cut into parts whose sums are added in a fixed order.
"""

from collections.abc import Callable

import numpy as np
from numba import cuda

from .launch import bounded_kernel, device, launch, scratch
from .register_tile import make_multiply_slices
from .row_sums import make_row_sums
from .slices import PAD, Operand, index, make_slices
from .tile_choice import Tile, choose_tile
from .vector_load import ALIGNMENT, store4


def make_product(
    m: int,
    n: int,
    k: int,
    load_a: Callable,
    load_b: Callable,
    store: Callable,
    a_along_k: bool = False,
    b_along_k: bool = False,
    a_wide: bool = False,
    b_wide: bool = False,
    store_four: Callable | None = None,
    choice: tuple[Tile, int] | None = None,
) -> Callable[..., None]:
    """Make product(a0, a1, b0, b1, c, extra), which launches. The functions are `@device`:

    load_a(a0, a1, i, p), load_b(b0, b1, p, j): a float. The indices are in range, of 64 bits, and
    not negative; make them np.uint32 before dividing them.
    store(c, extra, i, j, value): called once for each i, j.

    a_along_k: whether A's values at successive p lie side by side in memory, rather than those at
    successive i; b_along_k: the same of B, rather than those at successive j.
    a_wide, b_wide: load_a or load_b gives four values in this direction at once, as a tuple; its
    size is a multiple of four then. store_four(c, extra, i, j, values) does so along N.
    choice: the tile, and into how many parts K is cut; by default what seems fastest.
    """
    tile, parts = choice or choose_tile(m, n, k, a_wide and b_wide)
    steps = max(-(-k // tile.depth), 1)
    part_steps = -(-steps // parts)
    parts = -(-steps // part_steps)

    @device
    def load_b_turned(b0, b1, j, p):
        return load_b(b0, b1, p, j)

    a = Operand(m, k, load_a, a_along_k, a_wide)
    b = Operand(n, k, load_b_turned, b_along_k, b_wide)
    part = part_steps * tile.depth
    blocks = (-(-m // tile.rows) * -(-n // tile.columns), parts)
    if parts == 1:
        multiply = _make_kernel(a, b, tile, part, store, store_four)

        def product(a0, a1, b0, b1, c, extra):
            if m * n:
                launch(multiply, blocks, tile.threads, a0, a1, b0, b1, c, extra)

        return product

    multiply = _make_kernel(a, b, tile, part, *_make_part_stores(m, n))
    add_parts = make_row_sums(parts, m * n, _make_store_sum(n, store))

    def product_in_parts(a0, a1, b0, b1, c, extra):
        if m * n:
            sums = scratch(parts * m * n)
            launch(multiply, blocks, tile.threads, a0, a1, b0, b1, sums, sums)
            add_parts(sums, c, extra)

    return product_in_parts


def _make_part_stores(m, n):
    """`store` and `store_four` into the sums of the parts: (parts, M, N)."""

    @device
    def store_part(sums, _, i, j, value):
        sums[(index(cuda.blockIdx.y) * m + i) * n + j] = value

    @device
    def store_part4(sums, _, i, j, values):
        store4(sums, (index(cuda.blockIdx.y) * m + i) * n + j, values)

    return store_part, store_part4 if n % 4 == 0 else None


def _make_store_sum(n, store):
    @device
    def store_sum(c, extra, j, value):
        store(c, extra, j // n, j % n, value)

    return store_sum


def _make_kernel(a, b, tile, part, store, store_four):
    """The kernel that computes the tiles; a block takes `part` of K."""
    rows, columns, depth, row_groups, column_groups = tile
    m, n, k = a.lines, b.lines, a.size
    height, width = 4 * row_groups, 4 * column_groups  # of a thread's part of the tile
    sum_count = height * width
    row_stride, column_stride = rows // row_groups, columns // column_groups
    whole_rows, whole_columns = m % rows == 0, n % columns == 0
    tiles_across = -(-n // columns)
    # A warp is 4 x 8 threads: near a square it needs the fewest different values.
    threads_across = columns // width
    warp_width, warp_height = min(8, threads_across), min(4, rows // height)
    warp, warps_across = warp_width * warp_height, threads_across // warp_width

    fetch_a, put_a, a_count = make_slices(a, rows, depth, tile.threads)
    fetch_b, put_b, b_count = make_slices(b, columns, depth, tile.threads)
    a_size, b_size = depth * (rows + PAD), depth * (columns + PAD)
    slice_size = a_size + b_size
    shared_size = 2 * slice_size
    multiply_slices = make_multiply_slices(tile)
    store_line = _make_store_line(n, whole_columns, store, store_four)

    @bounded_kernel(tile.threads, tile.resident)
    def multiply(a0, a1, b0, b1, c, extra):
        thread, block = index(cuda.threadIdx.x), index(cuda.blockIdx.x)
        row, column = block // tiles_across * rows, block % tiles_across * columns
        begin = index(index(cuda.blockIdx.y) * part)
        end = index(min(begin + part, k))
        slices = cuda.shared.array(shared_size, np.float32, ALIGNMENT)
        a_next = cuda.local.array(a_count, np.float32)
        b_next = cuda.local.array(b_count, np.float32)
        sums = cuda.local.array(sum_count, np.float32)
        for i in range(sum_count):
            sums[i] = np.float32(0)
        y = thread // warp // warps_across * warp_height + thread % warp // warp_width
        x = thread // warp % warps_across * warp_width + thread % warp_width

        fetch_a(a0, a1, row, begin, end, thread, a_next)
        fetch_b(b0, b1, column, begin, end, thread, b_next)
        put_a(slices, 0, thread, a_next)
        put_b(slices, a_size, thread, b_next)
        cuda.syncthreads()
        now, p = index(0), begin
        while p < end:
            p = index(p + depth)
            if p < end:
                fetch_a(a0, a1, row, p, end, thread, a_next)
                fetch_b(b0, b1, column, p, end, thread, b_next)
            multiply_slices(slices, now + 4 * y, now + a_size + 4 * x, sums)
            now = index(slice_size - now)
            if p < end:
                put_a(slices, now, thread, a_next)
                put_b(slices, now + a_size, thread, b_next)
            cuda.syncthreads()

        for u in range(height):
            i = row + u // 4 * row_stride + 4 * y + u % 4
            for group in range(column_groups):
                j = column + group * column_stride + 4 * x
                v = u * width + 4 * group
                if whole_rows or i < m:
                    store_line(c, extra, i, j, sums[v], sums[v + 1], sums[v + 2], sums[v + 3])

    return multiply


def _make_store_line(n, whole, store, store_four):
    """store_line(c, extra, i, j, four values): at those of j to j + 3 that are below n."""

    @device
    def store_single(c, extra, i, j, first, second, third, fourth):
        if whole or j < n:
            store(c, extra, i, j, first)
        if whole or j + 1 < n:
            store(c, extra, i, j + 1, second)
        if whole or j + 2 < n:
            store(c, extra, i, j + 2, third)
        if whole or j + 3 < n:
            store(c, extra, i, j + 3, fourth)

    @device
    def store_together(c, extra, i, j, first, second, third, fourth):
        if whole or j < n:
            store_four(c, extra, i, j, (first, second, third, fourth))

    return store_together if store_four else store_single
