"""A product of rows with rows: C[i, j] = sum over k of A[i, k] B[j, k] + beta * C[i, j].

    A: (M, K)    B: (N, K)    C: (M, N)    float32, C-contiguous

Nothing is packed, and nothing multiplied in vain where there are few rows: the lanes run over k.
For that each element of C costs a sum over lanes, so this is for small C. The tiles are those of
dot_kernel.py; where C is a row or a column, each row of the matrix is read once, in one stream, at
the speed of memory.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .dot_kernel import SIDE, dot_kernel
from .jit import jit
from .micro_kernel import accumulators
from .vector import (
    F32,
    FLAT,
    I64,
    element_pointer,
    fmuladd,
    horizontal_sum,
    host_width,
    lanes_below,
    load,
)

STREAM = 8  # vectors in flight


def make_dot(width: int) -> Any:
    """The dot product of `count` values of each array, callable from jitted code:

    dot(a, a_start, b, b_start, count) -> float32
    """
    vector = ir.VectorType(F32, width)

    @intrinsic
    def dot(typingctx, a, a_start, b, b_start, count):
        def generate(context, builder, signature, arguments):
            a, a_start, b, b_start, count = arguments
            lines = [
                element_pointer(context, builder, a, a_start),
                element_pointer(context, builder, b, b_start),
            ]
            (slots,) = accumulators(builder, 1, STREAM, vector)

            def multiply(slot, place, mask=None):
                left, right = (
                    load(
                        builder,
                        builder.bitcast(builder.gep(line, [place]), vector.as_pointer()),
                        mask,
                    )
                    for line in lines
                )
                builder.store(fmuladd(builder, left, right, builder.load(slot)), slot)

            steps = builder.udiv(count, I64(STREAM * width))
            with cgutils.for_range(builder, steps, intp=I64) as step:
                start = builder.mul(step.index, I64(STREAM * width))
                for v, slot in enumerate(slots):
                    multiply(slot, builder.add(start, I64(v * width)))
            done = builder.mul(steps, I64(STREAM * width))
            for v, slot in enumerate(slots):
                place = builder.add(done, I64(v * width))
                left = builder.sub(count, place)
                with builder.if_then(builder.icmp_signed(">", left, I64(0))):
                    multiply(slot, place, lanes_below(builder, left, width))
            totals = [builder.load(slot) for slot in slots]
            while len(totals) > 1:
                totals = [
                    builder.fadd(*pair) for pair in zip(totals[::2], totals[1::2], strict=True)
                ]
            return horizontal_sum(builder, totals[0])

        i64 = types.int64
        return types.float32(FLAT, i64, FLAT, i64, i64), generate

    return dot


_dot = make_dot(host_width())


@jit
def multiply_rows(share, shares, a, b, beta, c, rows, columns, depth):
    """Compute one share of C. a, b, c: flat."""
    if rows == 1 or columns == 1:
        matrix, line = (b, a) if rows == 1 else (a, b)
        count = max(rows, columns)
        for i in range(count * share // shares, count * (share + 1) // shares):
            total = _dot(matrix, i * depth, line, 0, depth)
            c[i] = total if beta == 0 else total + beta * c[i]
        return
    row_tiles, column_tiles = -(-rows // SIDE), -(-columns // SIDE)
    inner = min(row_tiles, column_tiles)  # what there is less of stays in the cache
    starts = np.empty(SIDE, np.int64)
    for n in range(SIDE):
        starts[n] = n * depth
    tasks = row_tiles * column_tiles
    first, last = tasks * share // shares, tasks * (share + 1) // shares
    for task in range(first, last):
        i, j, height, length = _place(task, inner, rows, columns)
        dot_kernel(
            1, depth, a, i * depth, depth, 0, b, j * depth, starts, 0,
            beta, c, i * columns + j, columns, height, length,
        )  # fmt: skip


@jit
def _place(task, inner, rows, columns):
    """Where the tile of this number begins, and its sides."""
    far, near = task // inner * SIDE, task % inner * SIDE
    i, j = (near, far) if inner == -(-rows // SIDE) else (far, near)
    return i, j, min(SIDE, rows - i), min(SIDE, columns - j)
