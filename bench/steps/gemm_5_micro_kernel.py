"""GEMM, step 5: a tile of C stays in vector registers while all of a block's k pass by.

    sums[i, j] = sum over k of A[i, k] packed[k, j]        i < ROWS, j < COLUMNS

    A: (M, K)    B: (K, N)    C: (M, N)    float32, C-contiguous

Against step 4: sums are neither loaded nor stored between one k and the next. With AVX-512 the
tile is 5 rows by 4 vectors of 16 floats, 20 of 32 registers: for each k, 4 vectors of B and 5
values of A are loaded for 20 vector multiply-adds. And no multiply-add waits: the next one into
the same sum comes 20 later, while one takes some 4 cycles and a core starts 1 or 2 in a cycle.

Numba does not keep sums in registers by itself: the loop is written in LLVM's instructions. What
is left: one core.
"""

from itertools import chain
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from bench.steps.gemm_2_rows import add_row
from bench.steps.gemm_4_packed import pack
from caffe.kernels.cpu.micro_kernel import host_tile
from caffe.kernels.cpu.vector import FLAT, I64, broadcast, element_pointer, fmuladd, vector_pointer

TILE = host_tile()
ROWS, COLUMNS = TILE.rows, TILE.columns
DEPTH = 512  # values of k in a block: 128 KB of B where a tile is 64 columns wide


def make_micro_kernel(rows: int, vectors: int, width: int) -> Any:
    """micro_kernel(depth, a, a_start, a_row, count, b, b_start, b_rows, sums), for jitted code:

    sums[i, j] = sum over k < depth of a[a_start + i * a_row + k] * b[b_start + b_rows[k] + j]

    All arrays are flat. Rows i from `count` on repeat the last one, for there may be no other.
    """
    vector = ir.VectorType(ir.FloatType(), width)
    i64, table = types.int64, types.Array(types.int64, 1, "C")

    def generate(context, builder, signature, arguments):
        depth, a, a_start, a_row, count, b, b_start, b_rows, sums = arguments
        b = element_pointer(context, builder, b, b_start)
        b_rows = context.make_array(table)(context, builder, b_rows).data
        sums = element_pointer(context, builder, sums, I64(0))
        a_rows, last = [], builder.sub(count, I64(1))
        for i in range(rows):
            row = builder.select(builder.icmp_signed("<", I64(i), last), I64(i), last)
            start = builder.add(a_start, builder.mul(row, a_row))
            a_rows.append(element_pointer(context, builder, a, start))
        # Memory by name only: LLVM keeps each in a register, as nobody else asks for its address.
        tile = [[cgutils.alloca_once(builder, vector) for _ in range(vectors)] for _ in a_rows]
        for place in chain(*tile):
            builder.store(ir.Constant(vector, [0.0] * width), place)
        with cgutils.for_range(builder, depth, intp=I64) as loop:
            b_row = builder.gep(b, [builder.load(builder.gep(b_rows, [loop.index]))])
            places_of_b = [vector_pointer(builder, b_row, v, vector) for v in range(vectors)]
            b_vectors = [builder.load(place, align=4) for place in places_of_b]
            for a_row, places in zip(a_rows, tile, strict=True):
                value = broadcast(builder, builder.load(builder.gep(a_row, [loop.index])), vector)
                for b_vector, place in zip(b_vectors, places, strict=True):
                    total = fmuladd(builder, value, b_vector, builder.load(place))
                    builder.store(total, place)
        for index, place in enumerate(chain(*tile)):
            total = builder.load(place)
            builder.store(total, vector_pointer(builder, sums, index, vector), align=4)
        return context.get_dummy_value()

    @intrinsic
    def micro_kernel(typingctx, depth, a, a_start, a_row, count, b, b_start, b_rows, sums):
        return types.void(i64, FLAT, i64, i64, i64, FLAT, i64, table, FLAT), generate

    return micro_kernel


micro_kernel = make_micro_kernel(*TILE)


@njit
def multiply_strip(a, b, c, left):
    """C = A B, for the COLUMNS columns from `left` on."""
    packed, sums = np.empty(DEPTH * COLUMNS, np.float32), np.empty(ROWS * COLUMNS, np.float32)
    b_rows, width = np.arange(DEPTH) * COLUMNS, min(COLUMNS, c.shape[1] - left)
    c[:, left : left + width] = 0
    for top in range(0, len(b), DEPTH):
        depth = min(DEPTH, len(b) - top)
        pack(b, top, left, depth, COLUMNS, packed)
        for i in range(0, len(a), ROWS):
            count, a_start = min(ROWS, len(a) - i), i * len(b) + top
            micro_kernel(depth, a.reshape(-1), a_start, len(b), count, packed, 0, b_rows, sums)
            for row in range(count):
                part = sums[row * COLUMNS : row * COLUMNS + width]
                add_row(np.float32(1), part, c[i + row, left : left + width])


@njit
def multiply(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    """C = A B."""
    for left in range(0, c.shape[1], COLUMNS):
        multiply_strip(a, b, c, left)
