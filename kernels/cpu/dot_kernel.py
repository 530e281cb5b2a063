"""The innermost loop of a product of rows with rows, summed over images: a tile of C, each of
whose elements is a vector register of partial sums.

    C[i, j] += sum over images n, pixels p of a[n, i, p] * b[n, j, p]    i < rows, j < columns

Both operands lie pixel by pixel, so the lanes run over pixels: for each vector of pixels, SIDE
vectors of a and SIDE of b are loaded and make SIDE * SIDE vector multiply-adds. The lanes are
added up once, at the end.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

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
    many_registers,
)


def host_side() -> int:
    """For this machine: 25 accumulators where there are 32 vector registers, 9 of 16."""
    return 5 if many_registers() else 3


def make_dot_kernel(side: int, width: int) -> Any:
    """The kernel for tiles of side x side and vectors of `width`, callable from jitted code:

    dot_kernel(images, pixels, a, a_start, a_row, a_image, b, b_start, b_rows, b_image,
               c, c_start, c_row, rows, columns)

    a, b, c: flat float32 arrays. a[n, i] begins at a[a_start + n * a_image + i * a_row], b[n, j]
    at b[b_start + n * b_image + b_rows[j]], b_rows being a table (int64), C[i, j] is
    c[c_start + i * c_row + j]. Nothing beyond `rows` and `columns` is read or written.
    """
    vector = ir.VectorType(F32, width)
    table = types.Array(types.int64, 1, "C")
    letters = {"i": types.int64, "x": FLAT, "t": table}

    @intrinsic
    def dot_kernel(typingctx, images, pixels, a, a_start, a_row, a_image, b, b_start, b_rows, b_image, c, c_start, c_row, rows, columns):  # fmt: skip  # noqa: E501
        def generate(context, builder, signature, arguments):
            (images, pixels, a, a_start, a_row, a_image, b, b_start, b_rows, b_image,
             c, c_start, c_row, rows, columns) = arguments  # fmt: skip
            a = element_pointer(context, builder, a, a_start)
            b = element_pointer(context, builder, b, b_start)
            c = element_pointer(context, builder, c, c_start)
            b_rows = context.make_array(table)(context, builder, b_rows).data

            def clamped(i, count):  # rows outside repeat the last one, and are not written
                last = builder.sub(count, I64(1))
                return builder.select(builder.icmp_signed("<", I64(i), last), I64(i), last)

            lines = (
                [builder.gep(a, [builder.mul(clamped(i, rows), a_row)]) for i in range(side)],
                [
                    builder.gep(b, [builder.load(builder.gep(b_rows, [clamped(j, columns)]))])
                    for j in range(side)
                ],
            )
            slots = accumulators(builder, side, side, vector)

            def multiply(starts, p, mask=None):
                left, right = (
                    [
                        load(
                            builder,
                            builder.bitcast(
                                builder.gep(line, [builder.add(start, p)]), vector.as_pointer()
                            ),
                            mask,
                        )
                        for line in side_lines
                    ]
                    for side_lines, start in zip(lines, starts, strict=True)
                )
                for x, row in zip(left, slots, strict=True):
                    for y, slot in zip(right, row, strict=True):
                        builder.store(fmuladd(builder, x, y, builder.load(slot)), slot)

            steps = builder.udiv(pixels, I64(width))
            done = builder.mul(steps, I64(width))
            rest = builder.sub(pixels, done)
            with cgutils.for_range(builder, images, intp=I64) as image:
                starts = [builder.mul(image.index, stride) for stride in (a_image, b_image)]
                with cgutils.for_range(builder, steps, intp=I64) as step:
                    multiply(starts, builder.mul(step.index, I64(width)))
                with builder.if_then(builder.icmp_signed(">", rest, I64(0))):
                    multiply(starts, done, lanes_below(builder, rest, width))
            for i, row in enumerate(slots):
                with builder.if_then(builder.icmp_signed("<", I64(i), rows)):
                    for j, slot in enumerate(row):
                        with builder.if_then(builder.icmp_signed("<", I64(j), columns)):
                            total = horizontal_sum(builder, builder.load(slot))
                            index = builder.add(builder.mul(I64(i), c_row), I64(j))
                            place = builder.gep(c, [index])
                            builder.store(builder.fadd(builder.load(place), total), place)
            return context.get_dummy_value()

        return types.void(*[letters[letter] for letter in "iixiiixitixiiii"]), generate

    return dot_kernel


SIDE = host_side()
dot_kernel = make_dot_kernel(SIDE, host_width())
