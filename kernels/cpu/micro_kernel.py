"""The innermost loop of every matrix product: one tile of C, held in vector registers.

    T[i, j] = sum over k of a[k, i] * b[k, j]        i < tile rows, j < tile columns
    C[i, j] = alpha * T[i, j] + beta * C[i, j]       for the part of the tile inside C

a and b are packed panels (see gemm.py): for each k, one value for each row or column of the tile.
For each k the kernel loads the row b[k] as a few vectors, broadcasts each a[k, i] and multiplies
and adds into rows x vectors accumulators, which stay in registers from the first k to the last.
So `columns + rows` values loaded make `columns * rows` multiply-adds, enough to keep a core's
multipliers busy. Numba cannot be talked into this by plain loops, so the loop is written as an
intrinsic: a function that emits LLVM's vector instructions itself.

The tile must fit the machine: as many accumulators as registers allow, or it spills.
"""

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .vector import F32, FLAT, I64, broadcast, element_pointer, host_features, host_width


class Tile(NamedTuple):
    """The shape of a register tile: `rows` of C by `vectors` of `width` floats each."""

    rows: int
    vectors: int
    width: int

    @property
    def columns(self) -> int:
        """How many columns of C the tile covers."""
        return self.vectors * self.width


def host_tile() -> Tile:
    """The tile for this machine: 20 accumulators where there are 32 vector registers, 10 of 16.

    Rows in fives divide most layers' outputs without a remainder.
    """
    features = host_features()
    many_registers = features.get("avx512f") or features.get("neon")
    return Tile(10 if many_registers else 5, 2, host_width())


def make_micro_kernel(tile: Tile) -> Any:
    """The micro-kernel for a tile, callable from jitted code:

    micro_kernel(depth, a, a_start, b, b_start, alpha, beta, c, c_start, c_stride, rows, columns)

    a, b, c: flat float32 arrays. The panels begin at a_start and b_start and hold `depth` values
    of k. The tile's first element is c[c_start], its rows lie c_stride apart, and only `rows` by
    `columns` of it are written. Where beta is 0, C is not read.
    """
    letters = {"i": types.int64, "f": types.float32, "x": FLAT}
    argument_types = [letters[letter] for letter in "ixixiffxiiii"]

    @intrinsic
    def micro_kernel(typingctx, depth, a, a_start, b, b_start, alpha, beta, c, c_start, c_stride, rows, columns):  # fmt: skip  # noqa: E501
        def generate(context, builder, signature, arguments):
            depth, a, a_start, b, b_start, alpha, beta, c, c_start, c_stride, rows, columns = (
                arguments
            )

            a = element_pointer(context, builder, a, a_start)
            b = element_pointer(context, builder, b, b_start)
            c = element_pointer(context, builder, c, c_start)
            sums = _multiply(builder, tile, depth, a, b)
            _write(builder, tile, sums, alpha, beta, c, c_stride, rows, columns)
            return context.get_dummy_value()

        return types.void(*argument_types), generate

    return micro_kernel


def _multiply(builder, tile, depth, a, b):
    """Emit the loop over k. Returns the accumulators, rows of vectors."""
    vector = ir.VectorType(F32, tile.width)
    zero = ir.Constant(vector, [0.0] * tile.width)
    # Slots on the stack in the IR: LLVM keeps each in a register.
    slots = [
        [cgutils.alloca_once_value(builder, zero) for _ in range(tile.vectors)]
        for _ in range(tile.rows)
    ]
    for row in slots:
        for slot in row:
            builder.store(zero, slot)  # the slot is made once, the tile many times
    # Not llvm.fma, which becomes a library call where the machine has no fused multiply-add.
    fmuladd = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(vector, [vector, vector, vector]),
        f"llvm.fmuladd.v{tile.width}f32",
    )
    with cgutils.for_range(builder, depth, intp=I64) as loop:
        b_row = builder.gep(b, [builder.mul(loop.index, I64(tile.columns))])
        a_row = builder.gep(a, [builder.mul(loop.index, I64(tile.rows))])
        b_vectors = [
            builder.load(_vector_pointer(builder, b_row, v, vector), align=4)
            for v in range(tile.vectors)
        ]
        for i, row in enumerate(slots):
            value = broadcast(builder, builder.load(builder.gep(a_row, [I64(i)])), vector)
            for slot, b_vector in zip(row, b_vectors, strict=True):
                builder.store(builder.call(fmuladd, [value, b_vector, builder.load(slot)]), slot)
    return [[builder.load(slot) for slot in row] for row in slots]


def _write(builder, tile, sums, alpha, beta, c, c_stride, rows, columns):
    """Emit the update of C: by vectors where the whole tile lies in C, else value by value."""
    vector = sums[0][0].type
    overwrite = builder.fcmp_ordered("==", beta, F32(0.0))
    whole = builder.and_(
        builder.icmp_signed("==", rows, I64(tile.rows)),
        builder.icmp_signed("==", columns, I64(tile.columns)),
    )
    scratch = cgutils.alloca_once(builder, ir.ArrayType(F32, tile.rows * tile.columns))
    scratch = builder.bitcast(scratch, F32.as_pointer())
    alphas = broadcast(builder, alpha, vector)
    betas = broadcast(builder, beta, vector)
    with builder.if_else(whole) as (inside, at_the_edge):
        with inside, builder.if_else(overwrite) as (fresh, added):
            for branch, reads in ((fresh, False), (added, True)):
                with branch:
                    for i, row in enumerate(sums):
                        c_row = builder.gep(c, [builder.mul(c_stride, I64(i))])
                        for v, total in enumerate(row):
                            place = _vector_pointer(builder, c_row, v, vector)
                            value = builder.fmul(alphas, total)
                            if reads:
                                old = builder.load(place, align=4)
                                value = builder.fadd(value, builder.fmul(betas, old))
                            builder.store(value, place, align=4)
        with at_the_edge:
            for i, row in enumerate(sums):
                for v, total in enumerate(row):
                    place = builder.gep(scratch, [I64(i * tile.columns)])
                    place = _vector_pointer(builder, place, v, vector)
                    builder.store(builder.fmul(alphas, total), place, align=4)
            with (
                cgutils.for_range(builder, rows, intp=I64) as i,
                cgutils.for_range(builder, columns, intp=I64) as j,
            ):
                source = builder.add(builder.mul(i.index, I64(tile.columns)), j.index)
                value = builder.load(builder.gep(scratch, [source]))
                place = builder.gep(c, [builder.add(builder.mul(i.index, c_stride), j.index)])
                with builder.if_else(overwrite) as (fresh, added):
                    with fresh:
                        builder.store(value, place)
                    with added:
                        old = builder.fmul(beta, builder.load(place))
                        builder.store(builder.fadd(value, old), place)


def _vector_pointer(builder, start, index, vector):
    place = builder.gep(start, [I64(index * vector.count)])
    return builder.bitcast(place, vector.as_pointer())
