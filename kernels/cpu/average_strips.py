"""Average pooling of 3 x 3 windows by vectors (their geometry is in pooling_strip.py).

Forward: each row's sums over the columns of its windows are made once, also where two windows, one
above the other, share the row. Backward: every bottom value is the sum of the shares of the windows
that it lies in, at most four, and is written once.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .pooling_strip import GEOMETRY, Strip, start_of
from .vector import F32, FLAT, broadcast


def make_average_strip(lanes: int) -> Any:
    """A function for jitted code: the averages of 3 x 3 windows.

    average(bottom, bottom_first, top, top_first, planes, height, width, pooled_height,
    pooled_width, x, ahead): output columns x.. x + lanes - 1 of `planes` planes, which begin at
    bottom[bottom_first], their outputs at top[top_first]. All arrays are flat float32. height and
    width must be what `fits` asks for. The strip to the right is done before.
    """

    @intrinsic
    def average(
        typingctx, bottom, bottom_first, top, top_first,
        planes, height, width, pooled_height, pooled_width, x, ahead,
    ):  # fmt: skip
        def generate(context, builder, signature, arguments):
            bottom, bottom_first, top, top_first, *geometry = arguments
            strip = Strip(builder, lanes, 3, geometry)
            bottom = start_of(context, builder, FLAT, bottom, bottom_first)
            top = start_of(context, builder, FLAT, top, top_first)
            columns = builder.sitofp(strip.column_counts(), strip.floats)
            shared = cgutils.alloca_once(builder, strip.floats)

            def sum_of_row(first, i):
                """The sum of row i of each window."""
                left, middle, right = strip.columns(first, i, 0.0)
                return strip.in_order(builder.fadd(builder.fadd(left, middle), right))

            with strip.each_plane(bottom, top) as (plane, (target,)):
                builder.store(sum_of_row(plane, 0), shared)
                with strip.each_turn(plane) as (y, first, output):
                    total = builder.fadd(builder.load(shared), sum_of_row(first, 1))
                    last = sum_of_row(first, 2)
                    builder.store(last, shared)
                    last = builder.select(strip.exists(y, 2), last, strip.zeros)
                    area = builder.fmul(columns, _rows(strip, y))
                    average = builder.fdiv(builder.fadd(total, last), area)
                    strip.store_tops(output, (average, target))
            return context.get_dummy_value()

        i64 = types.int64
        return types.void(FLAT, i64, FLAT, i64, *GEOMETRY), generate

    return average


def make_average_gather(lanes: int) -> Any:
    """A function for jitted code: the gradient of `average`.

    gather(top_diff, top_first, bottom_diff, bottom_first, planes, height, width, pooled_height,
    pooled_width, x, ahead): overwrites columns 2 x.. 2 (x + lanes) - 1 of the planes. height and
    width must be what `covers` asks for. The strip to the right is done before.
    """

    @intrinsic
    def gather(
        typingctx, top_diff, top_first, bottom_diff, bottom_first,
        planes, height, width, pooled_height, pooled_width, x, ahead,
    ):  # fmt: skip
        def generate(context, builder, signature, arguments):
            top_diff, top_first, bottom_diff, bottom_first, *geometry = arguments
            strip = Strip(builder, lanes, 3, geometry)
            bottom = start_of(context, builder, FLAT, bottom_diff, bottom_first)
            top = start_of(context, builder, FLAT, top_diff, top_first)
            # A window with a value of the plane on its right is whole.
            whole = ir.Constant(strip.floats, [3.0] * lanes)
            columns = builder.sitofp(strip.column_counts(), strip.floats), whole
            above = [cgutils.alloca_once(builder, strip.floats) for _ in range(2)]

            def share(gradients, output, y, left):
                """What each value gets of the window `left` columns to the left."""
                (gradient,) = strip.load_tops(output, left, gradients)
                return builder.fdiv(gradient, builder.fmul(columns[left], _rows(strip, y)))

            with strip.each_plane(bottom, top) as (plane, (gradients,)):
                for slot in above:
                    builder.store(strip.zeros, slot)
                with strip.each_turn(plane) as (y, first, output):
                    odds = share(gradients, output, y, 0)
                    evens = builder.fadd(share(gradients, output, y, 1), odds)
                    sums = (
                        builder.fadd(builder.load(above[0]), evens),
                        builder.fadd(builder.load(above[1]), odds),
                    )
                    strip.store_columns(sums[0], sums[1], first)
                    strip.store_columns(evens, odds, builder.gep(first, [strip.width]))
                    builder.store(evens, above[0])
                    builder.store(odds, above[1])
                with builder.if_then(strip.exists(strip.pooled_height, 0)):
                    evens, odds = builder.load(above[0]), builder.load(above[1])
                    strip.store_columns(evens, odds, strip.end_of_turns(plane))
            return context.get_dummy_value()

        i64 = types.int64
        return types.void(FLAT, i64, FLAT, i64, *GEOMETRY), generate

    return gather


def _rows(strip: Strip, y: Any) -> Any:
    """How many rows of the windows of pooled row y are in the plane."""
    rows = strip.builder.select(strip.exists(y, 2), F32(3), F32(2))
    return broadcast(strip.builder, rows, strip.floats)
