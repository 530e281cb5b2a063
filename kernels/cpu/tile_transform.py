"""A small square matrix product on both sides of a tile, in registers: what Winograd's convolution
does to each tile of an image, of the weights and of the result.

    target = (L @ source @ L.T).T

L is a constant of few different numbers, so that the code has no loop and no table: rows are
combined as vectors, the tile is turned, and its columns are combined in the same way. The result
comes turned; applied twice, as here always, the tile is upright again.

The matrices of winograd_matrices.py have rows in pairs, for a point and its negative: alike, but
for the signs of every second value (their transposes have such columns). What two rows of a pair
have in common is computed once.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .vector import (
    F32,
    FLAT,
    I32,
    I64,
    broadcast,
    element_pointer,
    fmuladd,
    load,
    store,
    transposed,
)

EIGHT = 8


def make_tile_transform(
    matrix: np.ndarray,
    source_lanes: int = 0,
    target_lanes: int = 0,
    add: bool = False,
    shift: bool = False,
) -> Any:
    """The transform for L = `matrix`, callable from jitted code:

    transform(source, source_start, source_row, target, target_start, target_row)

    source and target: flat float32 arrays. A tile's row i begins at start + i * row, where lanes
    are 0. Where not, the tile is of 8 x 8 values in groups of so many, one group `row` floats
    after the other. add: the result is added to the target. shift: with one more argument, a
    float32 that is added to each value of the result.
    """
    outputs, inputs = matrix.shape

    def generate(context, builder, signature, arguments):
        source, source_start, source_row, target, target_start, target_row = arguments[:6]
        source = element_pointer(context, builder, source, source_start)
        target = element_pointer(context, builder, target, target_start)
        places = _places(builder, source, source_row, inputs, source_lanes)
        rows = [_joined(builder, [load(builder, place) for place in row]) for row in places]
        turned = transposed(builder, _combined(builder, matrix, rows))
        rows = _combined(builder, matrix, turned)
        if shift:
            constant = broadcast(builder, arguments[6], rows[0].type)
            rows = [builder.fadd(row, constant) for row in rows]
        for row, pieces in zip(
            rows, _places(builder, target, target_row, outputs, target_lanes), strict=True
        ):
            for value, place in zip(_cut(builder, row, len(pieces)), pieces, strict=True):
                if add:
                    value = builder.fadd(load(builder, place), value)
                store(builder, value, place)
        return context.get_dummy_value()

    i64 = types.int64
    taken = (FLAT, i64, i64, FLAT, i64, i64)

    @intrinsic
    def transform(typingctx, source, source_start, source_row, target, target_start, target_row):
        return types.void(*taken), generate

    @intrinsic
    def shifted(
        typingctx, source, source_start, source_row, target, target_start, target_row, constant
    ):
        return types.void(*taken, types.float32), generate

    return shifted if shift else transform


def _places(builder, start, step, rows, lanes):
    """The addresses of the rows of a tile, each as a list of its pieces."""
    if not lanes:
        pointer = ir.VectorType(F32, rows).as_pointer()
        offsets = [builder.mul(step, I64(i)) for i in range(rows)]
        return [[builder.bitcast(builder.gep(start, [offset]), pointer)] for offset in offsets]
    piece = min(lanes, EIGHT)
    pointer = ir.VectorType(F32, piece).as_pointer()
    places = []
    for first in range(0, EIGHT * EIGHT, piece):
        offset = builder.add(builder.mul(step, I64(first // lanes)), I64(first % lanes))
        places.append(builder.bitcast(builder.gep(start, [offset]), pointer))
    return [places[i : i + EIGHT // piece] for i in range(0, len(places), EIGHT // piece)]


def _joined(builder, pieces):
    while len(pieces) > 1:
        size = 2 * pieces[0].type.count
        mask = ir.Constant(ir.VectorType(I32, size), list(range(size)))
        pieces = [
            builder.shuffle_vector(pieces[i], pieces[i + 1], mask) for i in range(0, len(pieces), 2)
        ]
    return pieces[0]


def _cut(builder, row, count):
    size = row.type.count // count
    undefined = ir.Constant(row.type, ir.Undefined)
    masks = [list(range(i * size, (i + 1) * size)) for i in range(count)]
    return [
        builder.shuffle_vector(row, undefined, ir.Constant(ir.VectorType(I32, size), mask))
        for mask in masks
    ]


def _combined(builder, matrix, rows):
    """The vectors sum over j of matrix[i, j] * rows[j], for each i."""
    even = np.arange(len(matrix)) % 2 == 0
    pairs = _pairs(matrix.T)
    if pairs:
        # Columns in pairs: even rows of the matrix want their sum, odd ones their difference.
        rows, matrix = list(rows), matrix.copy()
        for a, b in pairs:
            total = builder.fadd(rows[a], rows[b])
            rows[b] = builder.fsub(rows[a], rows[b])
            rows[a] = total
            matrix[even, b] = 0
            matrix[~even, b] = matrix[~even, a]
            matrix[~even, a] = 0
        return [_sum(builder, line, rows) for line in matrix]
    combined: list[Any] = [None] * len(matrix)
    even = np.arange(matrix.shape[1]) % 2 == 0
    for a, b in _pairs(matrix):
        one = _sum(builder, matrix[a] * even, rows)
        other = _sum(builder, matrix[a] * ~even, rows)
        combined[a], combined[b] = builder.fadd(one, other), builder.fsub(one, other)
    return [
        _sum(builder, line, rows) if done is None else done
        for line, done in zip(matrix, combined, strict=True)
    ]


def _pairs(matrix):
    """The rows that differ in the signs of all values with an odd number, and only there."""
    signs = (-1.0) ** np.arange(matrix.shape[1])
    return [
        (a, b)
        for a in range(len(matrix))
        for b in range(a + 1, len(matrix))
        if np.array_equal(matrix[a] * signs, matrix[b]) and not np.array_equal(matrix[a], matrix[b])
    ]


def _sum(builder, factors, rows):
    """The sum of factors[j] * rows[j]: those that need no multiplication first."""
    total = None
    for j in sorted(np.flatnonzero(factors), key=lambda j: (abs(factors[j]) != 1, -factors[j])):
        factor, row = factors[j], rows[j]
        if total is None:
            total = row if factor == 1 else builder.fmul(row, _constant(row, factor))
        elif abs(factor) == 1:
            total = (builder.fadd if factor == 1 else builder.fsub)(total, row)
        else:
            total = fmuladd(builder, row, _constant(row, factor), total)
    return total


def _constant(row, factor):
    return ir.Constant(row.type, [float(np.float32(factor))] * row.type.count)
