"""Packing: a strip of a matrix op(X), so many of its lines, stored k by k in one piece.

    packed[strip, k, j] = op(X)[strip * lines + j, k]    0 beyond the last line

Strips are what a matrix product reads (see gemm.py): the rows of op(A), the columns of op(B). Where
the values of one k lie side by side in X they are copied by whole vectors; else X is transposed in
blocks that vector registers hold.
"""

from .jit import jit
from .vector import LINE_WIDTH, host_width, make_line_copy, make_transpose

PART = 64  # values of k that one task packs

_copy_row = make_line_copy(host_width(), add=False)
_transpose = make_transpose(LINE_WIDTH)


@jit
def pack_part(x, across, strip, lines, part, packed, place):
    """Pack the values of k from part * PART on of one strip. packed: flat, all strips of `lines`.

    x holds op(X)'s lines as its rows, or with `across` as its columns: (K, all lines). `place`
    counts strips in `packed`, `strip` in x.
    """
    depth, stride = x.shape[0] if across else x.shape[1], x.shape[1]
    first, last = part * PART, min((part + 1) * PART, depth)
    line = strip * lines
    count = min(lines, (stride if across else x.shape[0]) - line)
    start = place * lines * depth
    flat = x.reshape(-1)
    if across:
        for k in range(first, last):
            _copy_row(flat, k * stride + line, packed, start + k * lines, count)
    else:
        whole = count - count % LINE_WIDTH
        square = last - (last - first) % LINE_WIDTH
        for j in range(0, whole, LINE_WIDTH):
            for k in range(first, square, LINE_WIDTH):
                source = (line + j) * stride + k
                _transpose(flat, source, stride, packed, start + k * lines + j, lines)
        for j in range(count):
            for k in range(square if j < whole else first, last):
                packed[start + k * lines + j] = flat[(line + j) * stride + k]
    if count < lines:
        for k in range(first, last):
            packed[start + k * lines + count : start + (k + 1) * lines] = 0
