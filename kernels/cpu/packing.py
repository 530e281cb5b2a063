"""Packing: a matrix op(X) cut into strips of some of its lines, each stored k by k in one piece.

    packed[strip][k, j] = op(X)[first line of the strip + j, k]    0 beyond the last line

Strips are what a matrix product reads (see tile_product.py): the rows of op(A), the columns of
op(B). Where the values of one k lie side by side in X they are copied by whole vectors; else X is
transposed in blocks that vector registers hold.
"""

from .jit import jit
from .vector import LINE_WIDTH, host_width, make_line_copy, make_transpose

PART = 64  # values of k that are packed at a time

_copy_row = make_line_copy(host_width(), add=False)
transpose = make_transpose(LINE_WIDTH)


@jit
def strip_count(lines, wide, narrow):
    """How many strips so many lines make: `wide` ones, and `narrow` ones of what is left over."""
    return lines // wide + -(-(lines % wide) // narrow)


@jit
def strip_at(strip, lines, wide, narrow):
    """The first line of a strip, and how many it has room for."""
    whole = lines // wide
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
    begin, parts = strip_at(first_strip, lines, wide, narrow)[0], -(-depth // PART)
    tasks = (strip_count(lines, wide, narrow) - first_strip) * parts
    for task in range(tasks * share // shares, tasks * (share + 1) // shares):
        line, room = strip_at(first_strip + task // parts, lines, wide, narrow)
        first = task % parts * PART
        last, count = min(first + PART, depth), min(room, lines - line)
        start = (line - begin) * depth
        if across:
            for k in range(first, last):
                _copy_row(flat, k * stride + line, packed, start + k * room, count)
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
