"""The sum of runs of floats.

An addition waits three or four cycles for the one before, so four vectors of partial sums are
under way, and are added up at the end. Their number is fixed, and so is the order of the sum. (To
let LLVM choose an order, by fastmath, would not do: it may choose another in each function into
which the code is copied.)
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .micro_kernel import accumulators
from .vector import F32, FLAT, I64, element_pointer, horizontal_sum, host_width, lanes_below, load

SUMS = 4


def make_line_sum(width: int) -> Any:
    """A function for jitted code, the sum of source[first + n * step + i], n < lines, i < count:

    line_sum(source, first, lines, step, count) -> float32. source: flat float32.
    """
    vector = ir.VectorType(F32, width)

    @intrinsic
    def line_sum(typingctx, source, first, lines, step, count):
        def generate(context, builder, signature, arguments):
            source, first, lines, step, count = arguments
            source = element_pointer(context, builder, source, first)
            (slots,) = accumulators(builder, 1, SUMS, vector)

            def add(line, start, masks):
                for v, (slot, mask) in enumerate(zip(slots, masks, strict=True)):
                    place = builder.gep(line, [builder.add(start, I64(v * width))])
                    value = load(builder, builder.bitcast(place, vector.as_pointer()), mask)
                    builder.store(builder.fadd(builder.load(slot), value), slot)

            block = I64(SUMS * width)
            steps = builder.udiv(count, block)
            done = builder.mul(steps, block)
            rest = builder.sub(count, done)
            lefts = [builder.sub(rest, I64(v * width)) for v in range(SUMS)]
            masks = [lanes_below(builder, left, width) for left in lefts]
            with cgutils.for_range(builder, lines, intp=I64) as outer:
                line = builder.gep(source, [builder.mul(outer.index, step)])
                with cgutils.for_range(builder, steps, intp=I64) as loop:
                    add(line, builder.mul(loop.index, block), [None] * SUMS)
                with builder.if_then(builder.icmp_signed(">", rest, I64(0))):
                    add(line, done, masks)
            sums = [builder.load(slot) for slot in slots]
            while len(sums) > 1:
                sums = [builder.fadd(*pair) for pair in zip(sums[::2], sums[1::2], strict=True)]
            return horizontal_sum(builder, sums[0])

        i64 = types.int64
        return types.float32(FLAT, i64, i64, i64, i64), generate

    return line_sum


line_sum = make_line_sum(host_width())
