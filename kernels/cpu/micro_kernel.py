"""The innermost loop of a matrix product: one tile of C, held in vector registers.

    T[i, j] = sum over k of a[k, i] * b[k, j]        i < tile rows, j < tile columns
    C[i, j] = alpha * T[i, j] + beta * C[i, j]       for the part of the tile inside C

For each k the kernel loads the row b[k] as a few vectors, broadcasts each a[k, i] and multiplies
and adds into rows x vectors accumulators, which stay in registers from the first k to the last.
So `columns + rows` values loaded make `columns * rows` multiply-adds, enough to keep a core's
multipliers busy. The rows of C are asked for from memory before the first k, to be there after
the last. Numba cannot be talked into this by plain loops, so the loop is written as an
intrinsic: a function that emits LLVM's vector instructions itself.

Only the rows of b and C must lie in one piece. Where each row begins is a stride or a table, so
that the windows of an image serve as b without being laid out as a matrix (see convolution_2d.py).

The tile must fit the machine: as many accumulators as registers allow, or it spills.
"""

import itertools
from typing import Any, NamedTuple

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
    keep_rolled,
    lanes_below,
    load,
    many_registers,
    prefetch,
    store,
    vector_pointer,
)


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
    """The tile for this machine: 20 accumulators where there are 32 vector registers, 12 of 16."""
    return Tile(5, 4, host_width()) if many_registers() else Tile(6, 2, host_width())


def convolution_tile() -> Tile:
    """The tile for convolutions: where there are 16 registers, of rows that divide most layers'
    outputs without a remainder."""
    return host_tile() if many_registers() else Tile(4, 3, host_width())


def make_micro_kernel(tile: Tile, bias: bool = False) -> Any:
    """The micro-kernel for a tile, callable from jitted code:

    micro_kernel(depth, a, a_start, a_row, a_step, b, b_start, b_rows,
                 alpha, beta, c, c_start, c_rows, rows, columns)

    a, b, c: flat float32 arrays. a[k, i] is a[a_start + a_row[i] + a_step[k]], b[k] begins at
    b[b_start + b_rows[k]] and C[i] at c[c_start + c_rows[i]]; a_row, a_step, b_rows and c_rows are
    tables (int64), or numbers: from one to the next. `depth` values of k. Only `rows` by `columns`
    of the tile are written, and only so many rows of a are read, but of b all columns. Where beta
    is 0, C is not read.

    With `bias` two more arguments follow, bias and bias_start, and bias[bias_start + i], a flat
    float32 array, is added to C[i] at last.
    """
    letters = "ixirsxibffxicii"

    def declare(a_row, a_step, b_rows, c_rows):
        kinds = {
            "i": types.int64,
            "f": types.float32,
            "x": FLAT,
            "r": _table_or_stride(a_row),
            "s": _table_or_stride(a_step),
            "b": _table_or_stride(b_rows),
            "c": _table_or_stride(c_rows),
        }

        def generate(context, builder, signature, arguments):
            (depth, a, a_start, a_row, a_step, b, b_start, b_rows,
             alpha, beta, c, c_start, c_rows, rows, columns) = arguments[:15]  # fmt: skip
            a = element_pointer(context, builder, a, a_start)
            b = element_pointer(context, builder, b, b_start)
            c = element_pointer(context, builder, c, c_start)
            a_row = _row_starts(context, builder, kinds["r"], a_row)
            a_step = _row_starts(context, builder, kinds["s"], a_step)
            b_row = _row_starts(context, builder, kinds["b"], b_rows)
            c_row = _row_starts(context, builder, kinds["c"], c_rows)
            last = builder.sub(rows, I64(1))
            inside = [_smaller(builder, I64(i), last) for i in range(tile.rows)]
            a_rows = [builder.gep(a, [a_row(i)]) for i in inside]
            targets = [builder.gep(c, [c_row(i)]) for i in inside]
            biases = None
            if bias:
                first = element_pointer(context, builder, *arguments[15:])
                biases = [builder.load(builder.gep(first, [i])) for i in inside]
            for target in targets:
                for v in range(tile.vectors):
                    prefetch(builder, builder.gep(target, [I64(v * tile.width)]))
            sums = _multiply(builder, tile, depth, a_rows, a_step, b, b_row, alpha)
            _write(builder, sums, beta, biases, targets, rows, columns)
            return context.get_dummy_value()

        taken = [kinds[letter] for letter in letters + "xi" * bias]
        return types.void(*taken), generate

    @intrinsic
    def micro_kernel(typingctx, depth, a, a_start, a_row, a_step, b, b_start, b_rows, alpha, beta, c, c_start, c_rows, rows, columns):  # fmt: skip  # noqa: E501
        return declare(a_row, a_step, b_rows, c_rows)

    @intrinsic
    def biased(typingctx, depth, a, a_start, a_row, a_step, b, b_start, b_rows, alpha, beta, c, c_start, c_rows, rows, columns, bias, bias_start):  # fmt: skip  # noqa: E501
        return declare(a_row, a_step, b_rows, c_rows)

    return biased if bias else micro_kernel


def _table_or_stride(given: Any) -> Any:
    return given if isinstance(given, types.Array) else types.int64


def _row_starts(context, builder, kind, rows):
    """A function that emits where the row of a given number begins."""
    if kind == types.int64:
        return lambda index: builder.mul(index, rows)
    table = context.make_array(kind)(context, builder, rows).data
    return lambda index: builder.load(builder.gep(table, [index]))


def _smaller(builder, x, y):
    return builder.select(builder.icmp_signed("<", x, y), x, y)


def _multiply(builder, tile, depth, a_rows, a_step, b, b_row, alpha):
    """Emit the loop over k and the multiplication by alpha, mostly 1. Returns the accumulators,
    rows of vectors."""
    vector = ir.VectorType(F32, tile.width)
    slots = accumulators(builder, tile.rows, tile.vectors, vector)
    with cgutils.for_range(builder, depth, intp=I64) as loop:
        row_start = builder.gep(b, [b_row(loop.index)])
        step = a_step(loop.index)
        b_vectors = [
            load(builder, vector_pointer(builder, row_start, v, vector))
            for v in range(tile.vectors)
        ]
        for row, a in zip(slots, a_rows, strict=True):
            value = broadcast(builder, builder.load(builder.gep(a, [step])), vector)
            for slot, b_vector in zip(row, b_vectors, strict=True):
                builder.store(fmuladd(builder, value, b_vector, builder.load(slot)), slot)
        body = builder.block
    keep_rolled(body.terminator)
    with builder.if_then(builder.fcmp_unordered("!=", alpha, F32(1.0)), likely=False):
        alphas = broadcast(builder, alpha, vector)
        for slot in itertools.chain(*slots):
            builder.store(builder.fmul(alphas, builder.load(slot)), slot)
    return [[builder.load(slot) for slot in row] for row in slots]


def accumulators(builder: Any, rows: int, columns: int, vector: Any) -> list[list[Any]]:
    """Emit rows x columns vectors of zeros: slots on the stack, each of which LLVM keeps in a
    register."""
    zero = ir.Constant(vector, [0.0] * vector.count)
    slots = [[cgutils.alloca_once(builder, vector) for _ in range(columns)] for _ in range(rows)]
    for row in slots:
        for slot in row:
            builder.store(zero, slot)
    return slots


def _write(builder, sums, beta, biases, targets, rows, columns):
    """Emit the update of C: with masks only where a part of the tile's columns lies outside."""
    vector = sums[0][0].type
    width, vectors = vector.count, len(sums[0])
    betas = broadcast(builder, beta, vector)
    overwrite = builder.fcmp_ordered("==", beta, F32(0.0))
    whole = builder.icmp_signed("==", columns, I64(width * vectors))

    def write(reads, read_masks, write_masks):
        for i, (row, target) in enumerate(zip(sums, targets, strict=True)):
            with builder.if_then(builder.icmp_signed("<", I64(i), rows)):
                for v, value in enumerate(row):
                    place = vector_pointer(builder, target, v, vector)
                    if reads:
                        value = fmuladd(builder, betas, load(builder, place, read_masks[v]), value)
                    if biases:
                        value = builder.fadd(value, broadcast(builder, biases[i], vector))
                    store(builder, value, place, write_masks[v])

    everything = [None] * vectors
    with builder.if_else(whole) as (inside, at_the_edge):
        with inside, builder.if_else(overwrite) as (fresh, added):
            with fresh:
                write(False, everything, everything)
            with added:
                write(True, everything, everything)
        with at_the_edge:
            write_masks, read_masks = (
                [
                    lanes_below(builder, builder.sub(count, I64(v * width)), width)
                    for v in range(vectors)
                ]
                for count in (columns, builder.select(overwrite, I64(0), columns))
            )
            write(True, read_masks, write_masks)
