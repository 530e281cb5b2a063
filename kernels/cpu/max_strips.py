"""Max pooling by vectors (their geometry is in pooling_strip.py).

Forward: three instructions compare a value with the best so far in as many windows as a vector has
lanes: a comparison, a maximum, a selection of the place.

Backward: every bottom value asks the windows that it lies in, at most four, whether their mask
names it. So each is written once, and nothing is zeroed or scattered.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .pooling_strip import GEOMETRY, Strip, start_of
from .vector import FLAT, I64

FLAT_INT = types.Array(types.int32, 1, "C")
LOWEST = float(np.finfo(np.float32).min)


def make_max_search(size: int, lanes: int) -> Any:
    """A function for jitted code: the maxima of windows of size x size, and where they are.

    search(bottom, bottom_first, top, mask, top_first, planes, height, width, pooled_height,
    pooled_width, x, ahead): output columns x.. x + lanes - 1 of `planes` planes, which begin at
    bottom[bottom_first], their outputs at top[top_first]. bottom, top: flat float32; mask: flat
    int32. height and width must be what `fits` asks for. The strip to the right is done before.
    """

    @intrinsic
    def search(
        typingctx, bottom, bottom_first, top, mask, top_first,
        planes, height, width, pooled_height, pooled_width, x, ahead,
    ):  # fmt: skip
        def generate(context, builder, signature, arguments):
            bottom, bottom_first, top, mask, top_first, *geometry = arguments
            strip = Strip(builder, lanes, size, geometry)
            bottom = start_of(context, builder, FLAT, bottom, bottom_first)
            top = start_of(context, builder, FLAT, top, top_first)
            mask = start_of(context, builder, FLAT_INT, mask, top_first)
            offsets = _offsets(builder, strip)
            advance = strip.all_lanes(strip.advance)
            corners = cgutils.alloca_once(builder, strip.integers)
            shared = _slots(builder, strip)

            def better(challenger, holder):
                """Of two (value, place) that with the larger value, the holder if equal."""
                wins = builder.fcmp_ordered(">", challenger[0], holder[0])
                pairs = zip(challenger, holder, strict=True)
                return [builder.select(wins, mine, theirs) for mine, theirs in pairs]

            def best_of_row(best, first, i, offsets):
                """`best`, or of row i of each window what is better."""
                for j, value in enumerate(strip.columns(first, i, LOWEST)):
                    best = better((value, offsets[j]), best)
                return best

            lowest = ir.Constant(strip.floats, [LOWEST] * lanes), offsets[0][0]
            with strip.each_plane(bottom, top, mask) as (plane, tops):
                builder.store(strip.corners(), corners)
                if size == 3:  # a window's last row is the first of the next
                    _keep(builder, best_of_row(lowest, plane, 0, offsets[0]), shared)
                with strip.each_turn(plane) as (_, first, output):
                    if size == 2:
                        best = best_of_row(lowest, first, 0, offsets[0])
                    else:
                        best = _kept(builder, shared)
                    best = best_of_row(best, first, 1, offsets[1])
                    if size == 3:
                        value, place = best_of_row(lowest, first, 2, offsets[0])
                        _keep(builder, (value, place), shared)
                        best = better((value, builder.add(place, offsets[2][0])), best)
                    value, place = (strip.in_order(vector) for vector in best)
                    corner = builder.load(corners)
                    builder.store(builder.add(corner, advance), corners)
                    place = builder.add(place, corner)
                    strip.store_tops(output, (value, tops[0]), (place, tops[1]))
            return context.get_dummy_value()

        i64 = types.int64
        return types.void(FLAT, i64, FLAT, FLAT_INT, i64, *GEOMETRY), generate

    return search


def make_max_gather(size: int, lanes: int) -> Any:
    """A function for jitted code: the gradient of `search`.

    gather(top_diff, mask, top_first, bottom_diff, bottom_first, planes, height, width,
    pooled_height, pooled_width, x, ahead): columns 2 x.. 2 (x + lanes) - 1 of the planes. height
    and width must be what `covers` asks for. The strip to the right is done before.
    """

    @intrinsic
    def gather(
        typingctx, top_diff, mask, top_first, bottom_diff, bottom_first,
        planes, height, width, pooled_height, pooled_width, x, ahead,
    ):  # fmt: skip
        def generate(context, builder, signature, arguments):
            top_diff, mask, top_first, bottom_diff, bottom_first, *geometry = arguments
            strip = Strip(builder, lanes, size, geometry)
            bottom = start_of(context, builder, FLAT, bottom_diff, bottom_first)
            top = start_of(context, builder, FLAT, top_diff, top_first)
            mask = start_of(context, builder, FLAT_INT, mask, top_first)
            offsets = _offsets(builder, strip)
            nowhere = ir.Constant(strip.integers, [0] * lanes)
            two = ir.Constant(strip.integers, [2] * lanes)
            advance = strip.all_lanes(strip.advance)
            corners = cgutils.alloca_once(builder, strip.integers)
            # A value lies in windows up to `reach` rows above and columns to the left of its own.
            reach = size - 2
            above = [_slots(builder, strip) for _ in range(reach + 1)]

            def windows(gradients, masks, output, left):
                """(gradient, place in the window) of the windows `left` columns to the left."""
                value, place = strip.load_tops(output, left, gradients, masks)
                corner = builder.load(corners)
                corner = builder.sub(corner, two) if left else corner
                return value, builder.sub(builder.bitcast(place, strip.integers), corner)

            def gradient(near, row, column):
                """What the windows near each cell of 2 x 2 give to its value (row, column)."""
                total = None
                for (up, left), (value, place) in near.items():
                    i, j = row + 2 * up, column + 2 * left
                    if i < size and j < size:
                        named = builder.icmp_signed("==", place, offsets[i][j])
                        more = value if total is None else builder.fadd(total, value)
                        rest = strip.zeros if total is None else total
                        total = builder.select(named, more, rest)
                return total

            def store_row(near, row, line):
                evens, odds = (gradient(near, row, column) for column in range(2))
                strip.store_columns(evens, odds, line)

            # In the order of the windows, row by row: the order of a scatter's additions.
            lefts = range(reach, -1, -1)
            with strip.each_plane(bottom, top, mask) as (plane, (gradients, masks)):
                builder.store(strip.corners(), corners)
                for left in lefts:
                    _keep(builder, (strip.zeros, nowhere), above[left])
                with strip.each_turn(plane) as (y, first, output):
                    near = {(1, left): _kept(builder, above[left]) for left in lefts if reach}
                    for left in lefts:
                        near[0, left] = windows(gradients, masks, output, left)
                        _keep(builder, near[0, left], above[left])
                    builder.store(builder.add(builder.load(corners), advance), corners)
                    store_row(near, 0, first)
                    with builder.if_then(strip.exists(y, 1), likely=True):
                        store_row(near, 1, builder.gep(first, [strip.width]))
                if reach:
                    with builder.if_then(strip.exists(strip.pooled_height, 0)):
                        near = {(1, left): _kept(builder, above[left]) for left in lefts}
                        store_row(near, 0, strip.end_of_turns(plane))
            return context.get_dummy_value()

        i64 = types.int64
        return types.void(FLAT, FLAT_INT, i64, FLAT, i64, *GEOMETRY), generate

    return gather


def _offsets(builder, strip):
    """How far row i, column j of a window is from its corner, in all lanes: [i][j]."""
    return [
        [
            strip.all_lanes(builder.add(builder.mul(strip.width, I64(i)), I64(j)))
            for j in range(strip.size)
        ]
        for i in range(strip.size)
    ]


def _slots(builder, strip):
    """Room for vectors (value, place)."""
    return [cgutils.alloca_once(builder, kind) for kind in (strip.floats, strip.integers)]


def _keep(builder, pair, slots):
    for value, slot in zip(pair, slots, strict=True):
        builder.store(value, slot)


def _kept(builder, slots):
    return [builder.load(slot) for slot in slots]
