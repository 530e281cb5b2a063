"""The innermost loop of Winograd's convolution: many matrix products side by side, a lane each.

    C[i, j] = sum over k of a[k, i] * b[k, j]        i < rows, j < columns
    or, adding, C[i, j] += ...

Every value is a vector of `width` floats, one of each product: nothing is broadcast. A tile of C
stays in registers from the first k to the last, as in micro_kernel.py.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .micro_kernel import accumulators, convolution_tile
from .vector import F32, FLAT, I64, element_pointer, fmuladd, keep_rolled, load, store

ROWS, COLUMNS, LANES = convolution_tile()


def make_frequency_kernel(rows: int, columns: int, width: int) -> Any:
    """The loop for tiles of rows x columns vectors, callable from jitted code:

    frequency_kernel(depth, a, a_start, a_row, a_step, b, b_start, b_column, b_step,
                     add, c, c_start, c_row, c_column, rows, columns)

    a, b, c: flat float32 arrays. a[k, i] begins at a[a_start + i * a_row + k * a_step], b[k, j] and
    C[i, j] likewise. Only `rows` by `columns` of the tile are read and written. add: whether C is
    added to.
    """
    vector = ir.VectorType(F32, width)

    def pointer(builder, start, index):
        return builder.bitcast(builder.gep(start, [index]), vector.as_pointer())

    def inside(builder, count, used):
        """The numbers below `count`; those beyond the used ones are the last of them again:
        computing it twice costs less than asking."""
        last = builder.sub(used, I64(1))
        numbers = [I64(i) for i in range(count)]
        return [builder.select(builder.icmp_signed("<", i, last), i, last) for i in numbers]

    @intrinsic
    def frequency_kernel(typingctx, depth, a, a_start, a_row, a_step, b, b_start, b_column, b_step, add, c, c_start, c_row, c_column, rows_used, columns_used):  # fmt: skip  # noqa: E501
        def generate(context, builder, signature, arguments):
            (depth, a, a_start, a_row, a_step, b, b_start, b_column, b_step,
             add, c, c_start, c_row, c_column, rows_used, columns_used) = arguments  # fmt: skip
            a = element_pointer(context, builder, a, a_start)
            b = element_pointer(context, builder, b, b_start)
            c = element_pointer(context, builder, c, c_start)
            i_used, j_used = (
                inside(builder, rows, rows_used),
                inside(builder, columns, columns_used),
            )
            a_rows = [builder.gep(a, [builder.mul(i, a_row)]) for i in i_used]
            b_columns = [builder.gep(b, [builder.mul(j, b_column)]) for j in j_used]
            slots = accumulators(builder, rows, columns, vector)
            with cgutils.for_range(builder, depth, intp=I64) as loop:
                step = builder.mul(loop.index, b_step)
                values = [load(builder, pointer(builder, column, step)) for column in b_columns]
                step = builder.mul(loop.index, a_step)
                for a_line, line in zip(a_rows, slots, strict=True):
                    factor = load(builder, pointer(builder, a_line, step))
                    for value, slot in zip(values, line, strict=True):
                        builder.store(fmuladd(builder, factor, value, builder.load(slot)), slot)
                body = builder.block
            keep_rolled(body.terminator)
            starts = [builder.gep(c, [builder.mul(i, c_row)]) for i in i_used]
            places = [
                pointer(builder, start, builder.mul(j, c_column))
                for start in starts
                for j in j_used
            ]
            sums = [slot for line in slots for slot in line]
            # All are read before one is written: the last may be there several times.
            with builder.if_then(add):
                added = [
                    builder.fadd(load(builder, place), builder.load(slot))
                    for place, slot in zip(places, sums, strict=True)
                ]
                for value, slot in zip(added, sums, strict=True):
                    builder.store(value, slot)
            for place, slot in zip(places, sums, strict=True):
                store(builder, builder.load(slot), place)
            return context.get_dummy_value()

        i64 = types.int64
        taken = (
            i64, FLAT, i64, i64, i64, FLAT, i64, i64, i64,
            types.boolean, FLAT, i64, i64, i64, i64, i64,
        )  # fmt: skip
        return types.void(*taken), generate

    return frequency_kernel


frequency_kernel = make_frequency_kernel(ROWS, COLUMNS, LANES)
