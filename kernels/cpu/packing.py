"""Packing: a matrix op(X) cut into strips of some of its lines, each stored k by k in one piece.

    packed[strip][k, j] = op(X)[first line of the strip + j, k]    0 beyond the last line

Strips are what a matrix product reads (see tile_product.py): the rows of op(A), the columns of
op(B). Where the values of one k lie side by side in X they are copied by whole vectors; else X is
transposed in blocks that vector registers hold.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import jit
from .line_copy import LINE_WIDTH
from .micro_kernel import host_tile
from .vector import (
    F32,
    FLAT,
    I64,
    element_pointer,
    host_width,
    lanes_below,
    load,
    make_transpose,
    store,
    vector_pointer,
)

PART = 64  # values of k that are packed at a time
ACROSS = 8  # the same for columns, of which all strips take theirs: whole rows are read
WIDTH = host_width()


def make_strip_copy(vectors: int, width: int) -> Any:
    """A function for jitted code: for k < depth and j < room,
    target[start + k * room + j] = source[first + k * stride + j], or 0 for j >= length.

    copy_strip(depth, source, first, stride, length, target, start, room). Arrays are flat float32.
    room: at most vectors * width.
    """
    vector = ir.VectorType(F32, width)

    @intrinsic
    def copy_strip(typingctx, depth, source, first, stride, length, target, start, room):
        def generate(context, builder, signature, arguments):
            depth, source, first, stride, length, target, start, room = arguments
            source = element_pointer(context, builder, source, first)
            target = element_pointer(context, builder, target, start)

            def copy(length_masks, room_masks):
                with cgutils.for_range(builder, depth, intp=I64) as loop:
                    row = builder.gep(source, [builder.mul(loop.index, stride)])
                    packed = builder.gep(target, [builder.mul(loop.index, room)])
                    for v, masks in enumerate(zip(length_masks, room_masks, strict=True)):
                        value = load(builder, vector_pointer(builder, row, v, vector), masks[0])
                        store(builder, value, vector_pointer(builder, packed, v, vector), masks[1])

            whole = builder.icmp_signed("==", length, I64(vectors * width))
            with builder.if_else(whole) as (everything, some):
                with everything:
                    copy([None] * vectors, [None] * vectors)
                with some:
                    lefts = (
                        [builder.sub(count, I64(v * width)) for v in range(vectors)]
                        for count in (length, room)
                    )
                    copy(*([lanes_below(builder, left, width) for left in row] for row in lefts))
            return context.get_dummy_value()

        i64 = types.int64
        return types.void(i64, FLAT, i64, i64, i64, FLAT, i64, i64), generate

    return copy_strip


_copy_narrow = make_strip_copy(1, WIDTH)
_copy_wide = make_strip_copy(host_tile().vectors, WIDTH)
transpose = make_transpose(LINE_WIDTH)


@jit
def _copy_values(depth, source, first, stride, length, target, start, room):
    """The same for strips that are no vectors wide."""
    for k in range(depth):
        for j in range(length):
            target[start + k * room + j] = source[first + k * stride + j]
        for j in range(length, room):
            target[start + k * room + j] = 0


@jit
def strip_count(lines, wide, narrow):
    """How many strips so many lines make: `wide` ones, and `narrow` ones of what is left over,
    unless that takes as many as a wide one has room for."""
    whole = (lines + narrow - 1) // wide
    return whole + max(0, -(-(lines - whole * wide) // narrow))


@jit
def strip_at(strip, lines, wide, narrow):
    """The first line of a strip, and how many it has room for."""
    whole = (lines + narrow - 1) // wide
    if strip < whole:
        return strip * wide, wide
    return whole * wide + (strip - whole) * narrow, narrow


@jit
def pack_strips(share, shares, x, across, wide, narrow, first_strip, packed):
    """Pack one share of the strips from number `first_strip` on, one behind the other.

    x holds op(X)'s lines as its rows, or with `across` as its columns: (K, lines). packed: flat.
    """
    lines, depth, stride, flat = x.shape[0], x.shape[1], x.shape[1], x.reshape(-1)
    if across:
        lines, depth = depth, lines
    begin, part = strip_at(first_strip, lines, wide, narrow)[0], ACROSS if across else PART
    strips, parts = strip_count(lines, wide, narrow) - first_strip, -(-depth // part)
    tasks = strips * parts
    for task in range(tasks * share // shares, tasks * (share + 1) // shares):
        strip, piece = task // parts, task % parts
        if across:
            strip, piece = task % strips, task // strips
        line, room = strip_at(first_strip + strip, lines, wide, narrow)
        first = piece * part
        last, count = min(first + part, depth), min(room, lines - line)
        start = (line - begin) * depth
        if across:
            source, target = first * stride + line, start + first * room
            if room > WIDTH:
                _copy_wide(last - first, flat, source, stride, count, packed, target, room)
            elif room == WIDTH:
                _copy_narrow(last - first, flat, source, stride, count, packed, target, room)
            else:
                _copy_values(last - first, flat, source, stride, count, packed, target, room)
        else:
            whole = count - count % LINE_WIDTH
            square = last - (last - first) % LINE_WIDTH
            for j in range(0, whole, LINE_WIDTH):
                for k in range(first, square, LINE_WIDTH):
                    source = (line + j) * stride + k
                    transpose(flat, source, stride, packed, start + k * room + j, room)
            for j in range(count):
                for k in range(square if j < whole else first, last):
                    packed[start + k * room + j] = flat[(line + j) * stride + k]
            for k in range(first, last if count < room else first):
                for j in range(count, room):
                    packed[start + k * room + j] = 0
