"""The innermost loop of products with a sparse operand: a tile that is a sum of weighted tiles.

    target[r, v] += sum over entries e of factor[e] * source[offset[e] + r * source_row + v]

with r below the tile's rows and v below its vectors' floats. Where most values of a matrix are
zero, its product is taken entry by entry: an entry's factor is broadcast and multiplies a whole
tile, read where the entry's offset says. The tile of the target stays in registers while all
entries are added, so that each multiply-add costs one load: as many as a core can do.

Vectors have eight floats, even where a register holds sixteen: tiles begin anywhere, and of two
long vectors that cross the border of a cache line one is lost, while of those that begin at a
multiple of their own length none does.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .vector import (
    F32,
    FLAT,
    I64,
    broadcast,
    element_pointer,
    fmuladd,
    host_width,
    load,
    store,
    vector_pointer,
)

LANES = min(host_width(), 8)
ENOUGH = 8  # sums that must be under way at a time, since a multiply-add takes four cycles
OFFSETS = types.Array(types.int32, 1, "C")


def make_weighted_sum(rows: int, vectors: int, width: int) -> Any:
    """The loop for tiles of rows x vectors, callable from jitted code:

    weighted_sum(count, offsets, factors, first, source, source_start, source_row,
                 target, target_start, target_row)

    The entries are offsets[first : first + count] (int32) and factors (float32); source and target
    are flat float32 arrays. Small tiles take turns with a second one that sums every other entry.
    """
    vector = ir.VectorType(F32, width)
    chains = 2 if rows * vectors < ENOUGH else 1

    @intrinsic
    def weighted_sum(typingctx, count, offsets, factors, first, source, source_start, source_row, target, target_start, target_row):  # fmt: skip  # noqa: E501
        def generate(context, builder, signature, arguments):
            (count, offsets, factors, first, source, source_start, source_row,
             target, target_start, target_row) = arguments  # fmt: skip
            offsets = context.make_array(OFFSETS)(context, builder, offsets).data
            offsets = builder.gep(offsets, [first])
            factors = element_pointer(context, builder, factors, first)
            source = element_pointer(context, builder, source, source_start)
            target = element_pointer(context, builder, target, target_start)

            def tile(start, row):
                """The addresses of a tile's vectors."""
                lines = [builder.gep(start, [builder.mul(row, I64(r))]) for r in range(rows)]
                return [
                    vector_pointer(builder, line, v, vector)
                    for line in lines
                    for v in range(vectors)
                ]

            def add(entry, slots):
                offset = builder.sext(builder.load(builder.gep(offsets, [entry])), I64)
                factor = builder.load(builder.gep(factors, [entry]))
                factor = broadcast(builder, factor, vector)
                for place, slot in zip(
                    tile(builder.gep(source, [offset]), source_row), slots, strict=True
                ):
                    value = fmuladd(builder, factor, load(builder, place), builder.load(slot))
                    builder.store(value, slot)

            places = tile(target, target_row)
            slots = [[cgutils.alloca_once(builder, vector) for _ in places] for _ in range(chains)]
            zero = ir.Constant(vector, [0.0] * width)
            for chain, chain_slots in enumerate(slots):
                for place, slot in zip(places, chain_slots, strict=True):
                    builder.store(zero if chain else load(builder, place), slot)
            whole = builder.udiv(count, I64(chains))
            with cgutils.for_range(builder, whole, intp=I64) as loop:
                for chain, chain_slots in enumerate(slots):
                    entry = builder.mul(loop.index, I64(chains))
                    add(builder.add(entry, I64(chain)), chain_slots)
            if chains > 1:
                done = builder.mul(whole, I64(chains))
                with builder.if_then(builder.icmp_signed("<", done, count)):
                    add(done, slots[0])
            for i, place in enumerate(places):
                total = builder.load(slots[0][i])
                for chain_slots in slots[1:]:
                    total = builder.fadd(total, builder.load(chain_slots[i]))
                store(builder, total, place)
            return context.get_dummy_value()

        i64 = types.int64
        return types.void(i64, OFFSETS, FLAT, i64, FLAT, i64, i64, FLAT, i64, i64), generate

    return weighted_sum


# rows x vectors: wide windows by single rows, narrow ones by several. All fit into 16 registers.
TILES = ((1, 15), (1, 10), (2, 5), (5, 2), (5, 1))
sum_1x15, sum_1x10, sum_2x5, sum_5x2, sum_5x1 = (
    make_weighted_sum(rows, vectors, LANES) for rows, vectors in TILES
)
