"""The strips of pooling by vectors: windows of 2 x 2 or 3 x 3 with stride 2 and no padding.

A strip is a column of vectors, one pooled row after the other: lane l is the window of output
column x + l. A row of the plane comes as the vectors of its even and of its odd columns: lane l of
the one and of the other are the first two values of window l, lane l + 1 of the even ones is its
third. While windows are searched the lanes lie in an order in which two vectors are split by one
instruction each.

What a store writes beyond the right edge is the beginning of the next row, which is written later:
strips go from the last, at the right, to the first. Loads and stores are masked only where the
arrays end: for masks some processors take a dozen cycles.

A strip may be folded: where a pooled row of 2 x 2 windows fills half a vector, the row below it is
the other half (LeNet's second pooling, from 8 x 8 to 4 x 4).

Which planes strips serve, and how many at a time, is in pooling_plan.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from .vector import F32, I32, I64, broadcast, keep_rolled, lanes_below, load, prefetch, store

BIT = ir.IntType(1)
GEOMETRY = (types.int64,) * 7  # planes, height, width, pooled_height, pooled_width, x, ahead


class Strip:
    """Emits what the pooling kernels share: where the windows lie, their values in and out.

    lanes: windows in a vector; size: of a window, 2 or 3; geometry: the values of GEOMETRY.
    """

    def __init__(self, builder: Any, lanes: int, size: int, geometry: Any) -> None:
        self.builder, self.lanes, self.size = builder, lanes, size
        self.planes, self.height, self.width, *geometry = geometry
        self.pooled_height, self.pooled_width, self.x, self.ahead = geometry
        self.column = builder.shl(self.x, I64(1))
        pairs = [pair for i in range(lanes // 4) for pair in (i, lanes // 4 + i)]
        self.order = [2 * pair + i for pair in pairs for i in range(2)]  # the window of each lane
        self.floats, self.integers = ir.VectorType(F32, lanes), ir.VectorType(I32, lanes)
        self.zeros = ir.Constant(self.floats, [0.0] * lanes)
        self.folded = self._can_fold() if size == 2 else BIT(0)
        self.more_rows = builder.zext(self.folded, I64)
        two_rows = builder.shl(self.width, I64(1))
        self.advance = builder.shl(two_rows, self.more_rows)  # of a turn, in floats
        self.across = builder.select(self.folded, two_rows, I64(lanes))  # from half to half
        columns = builder.sub(self.width, self.column)
        rest = builder.select(self.folded, columns, builder.sub(columns, I64(lanes)))
        self.in_line = [self.below(columns), self.below(rest)]
        outputs = builder.sub(self.pooled_width, self.x)
        self.whole = self._whole()
        self.in_top = self.below(builder.select(self.folded, I64(lanes), outputs))
        # The first value of the next window, or where there is none any value.
        self.next = self._smaller(I64(2 * lanes), builder.sub(columns, I64(1)))

    def _can_fold(self) -> Any:
        """Whether pooled rows fill half a vector, and come in pairs."""
        builder = self.builder
        fills_half = builder.icmp_signed("==", self.pooled_width, I64(self.lanes // 2))
        in_plane = builder.icmp_signed(">=", self.width, I64(self.lanes))
        odd = builder.trunc(builder.or_(self.pooled_height, self.height), BIT)
        return builder.and_(builder.and_(fills_half, in_plane), builder.not_(odd))

    def _whole(self) -> Any:
        """The lanes, in the order of `columns`, whose windows have their last column."""
        builder = self.builder
        count = builder.lshr(builder.sub(self.width, I64(self.size - 2)), I64(1))
        count = builder.sub(count, self.x)
        lanes = self.below(builder.select(self.folded, I64(self.lanes), count))
        return builder.shuffle_vector(lanes, lanes, ir.Constant(self.integers, self.order))

    def in_left(self) -> Any:
        """The lanes to whose left there is a window."""
        builder = self.builder
        left_edge = builder.icmp_signed("==", self.x, I64(0))
        none = self.below(builder.zext(left_edge, I64))
        outputs = builder.sub(self.pooled_width, self.x)
        return builder.and_(self.below(builder.add(outputs, I64(1))), builder.not_(none))

    def below(self, count: Any) -> Any:
        """The mask of the first `count` lanes."""
        return lanes_below(self.builder, count, self.lanes)

    def all_lanes(self, value: Any) -> Any:
        """An int64, as int32 in all lanes."""
        return broadcast(self.builder, self.builder.trunc(value, I32), self.integers)

    def vector_at(self, start: Any, index: Any) -> Any:
        """The address of the vector that begins `index` floats after `start`."""
        place = self.builder.gep(start, [index])
        return self.builder.bitcast(place, self.floats.as_pointer())

    def corners(self) -> Any:
        """Where the windows of the first turn begin: row * width + column."""
        builder, lanes = self.builder, range(self.lanes)
        doubles = ir.Constant(self.integers, [2 * lane for lane in lanes])
        start = builder.add(doubles, self.all_lanes(self.column))
        fold = self.all_lanes(builder.sub(builder.shl(self.width, I64(1)), I64(self.lanes)))
        half = ir.Constant(ir.VectorType(BIT, self.lanes), [2 * i >= self.lanes for i in lanes])
        folded = builder.select(half, builder.add(start, fold), start)
        return builder.select(self.folded, folded, start)

    def column_counts(self) -> Any:
        """How many columns of each window are in the plane: the last may be cut off."""
        builder, lanes = self.builder, range(self.lanes)
        last = self.all_lanes(builder.sub(builder.sub(self.pooled_width, self.x), I64(1)))
        is_last = builder.icmp_signed("==", ir.Constant(self.integers, list(lanes)), last)
        whole = builder.add(builder.shl(self.pooled_width, I64(1)), I64(self.size - 2))
        cut_off = self.all_lanes(builder.zext(builder.icmp_signed("<", self.width, whole), I64))
        none = ir.Constant(self.integers, [0] * self.lanes)
        size = ir.Constant(self.integers, [self.size] * self.lanes)
        return builder.sub(size, builder.select(is_last, cut_off, none))

    @contextmanager
    def each_plane(self, bottom: Any, *tops: Any) -> Iterator[tuple[Any, list[Any]]]:
        """Emit a loop over planes: where in its arrays each begins, at the strip's column."""
        builder = self.builder
        size = builder.mul(self.height, self.width)
        pooled_size = builder.mul(self.pooled_height, self.pooled_width)
        self.bottom_end = builder.gep(bottom, [builder.mul(self.planes, size)])
        self.outputs = builder.mul(self.planes, pooled_size)
        last_line = builder.sub(size, self.width)
        with cgutils.for_range(builder, self.planes, intp=I64) as loop:
            first = builder.add(builder.mul(loop.index, size), self.column)
            output = builder.add(builder.mul(loop.index, pooled_size), self.x)
            self.outputs_left = builder.sub(self.outputs, output)
            plane = builder.gep(bottom, [first])
            self.last_line = builder.gep(plane, [last_line])
            yield plane, [builder.gep(top, [output]) for top in tops]

    @contextmanager
    def each_turn(self, plane: Any) -> Iterator[tuple[Any, Any, Any]]:
        """Emit a loop over pooled rows, or pairs of them if folded.

        The row, the place where its windows begin, and the number of its first output.
        """
        builder = self.builder
        asks = builder.icmp_signed("!=", self.ahead, I64(0))
        turns = builder.lshr(self.pooled_height, self.more_rows)
        outputs = builder.shl(self.pooled_width, self.more_rows)
        with cgutils.for_range(builder, turns, intp=I64) as loop:
            first = builder.gep(plane, [builder.mul(loop.index, self.advance)])
            with builder.if_then(asks, likely=False):
                self._ask_for(builder.gep(first, [self.ahead]))
            y = builder.shl(loop.index, self.more_rows)
            yield y, first, builder.mul(loop.index, outputs)
            body = builder.block
        keep_rolled(body.terminator)

    def _ask_for(self, first: Any) -> None:
        """Prefetch a turn's rows: lines so short do not start the processor's own prefetcher."""
        for line in (first, self.builder.gep(first, [self.width])):
            for start in self._halves(line):
                prefetch(self.builder, start)

    def end_of_turns(self, plane: Any) -> Any:
        """Where the row after the last turn's rows begins."""
        rows = self.builder.shl(self.pooled_height, I64(1))
        return self.builder.gep(plane, [self.builder.mul(rows, self.width)])

    def exists(self, y: Any, i: int) -> Any:
        """Whether row i of the windows of pooled row y is in the plane."""
        row = self.builder.add(self.builder.shl(y, I64(1)), I64(i))
        return self.builder.icmp_signed("<", row, self.height)

    def line(self, first: Any, i: int) -> Any:
        """Where row i of the windows whose row 0 begins at `first` begins.

        If it is the windows' last and outside the plane, where the row above begins.
        """
        builder = self.builder
        line = builder.gep(first, [builder.mul(self.width, I64(i))])
        if i == self.size - 1:
            beyond = builder.icmp_unsigned(">", line, self.last_line)
            line = builder.select(beyond, self.last_line, line)
        return line

    def columns(self, first: Any, i: int, absent: float) -> list[Any]:
        """Row i of the windows whose row 0 begins at `first`: a vector for each of their columns.

        Lane l has the window number order[l]. A column outside the plane is `absent`.
        """
        builder, order = self.builder, self.order
        line = self.line(first, i)
        starts = self._halves(line)
        places = [self.vector_at(start, I64(0)) for start in starts]
        left, right = self._load(self._in_bottom(line), places, self.in_line)
        columns = [self._shuffle(left, right, [2 * n + odd for n in order]) for odd in range(2)]
        if self.size == 3:
            numbers = [order.index((n + 1) % self.lanes) for n in order]
            third = self._shuffle(columns[0], columns[0], numbers)
            last = builder.load(builder.gep(line, [self.next]))
            columns.append(builder.insert_element(third, last, I32(order.index(self.lanes - 1))))
        none = ir.Constant(self.floats, [absent] * self.lanes)
        columns[-1] = builder.select(self.whole, columns[-1], none)
        return columns

    def in_order(self, value: Any) -> Any:
        """A vector whose lanes are those of `columns`, with window l in lane l."""
        return self._shuffle(value, value, [self.order.index(n) for n in range(self.lanes)])

    def store_tops(self, output: Any, *pairs: tuple[Any, Any]) -> None:
        """Store vectors, of floats or of int32, among the outputs: pairs of vector and array."""
        builder = self.builder
        values = [builder.bitcast(value, self.floats) for value, _ in pairs]
        places = [self.vector_at(top, output) for _, top in pairs]
        self._store(self._in_tops(output), values, places, [self.in_top] * len(places))

    def load_tops(self, output: Any, left: int, *tops: Any) -> list[Any]:
        """Of outputs the windows' own, or with left = 1 those to their left: a vector of floats of
        each array, zeros in the first where there is no window, and in the others anything."""
        builder, mask = self.builder, self.in_left() if left else self.in_top
        first = builder.sub(output, I64(left))
        inside = self._in_tops(first)
        if left:
            index = builder.sub(builder.add(output, self.outputs), self.outputs_left)
            inside = builder.and_(inside, builder.icmp_signed(">", index, I64(0)))
        places = [self.vector_at(top, first) for top in tops]
        value, *rest = self._load(inside, places, [mask] * len(places))
        return [builder.select(mask, value, self.zeros), *rest]

    def store_columns(self, evens: Any, odds: Any, line: Any) -> None:
        """Store a row of the plane from its even and its odd columns."""
        lanes = self.lanes
        mixed = [number for lane in range(lanes) for number in (lane, lanes + lane)]
        numbers = mixed[:lanes], mixed[lanes:]
        values = [self._shuffle(evens, odds, half) for half in numbers]
        places = [self.vector_at(start, I64(0)) for start in self._halves(line)]
        self._store(self._in_bottom(line), values, places, self.in_line)

    def _in_tops(self, output: Any) -> Any:
        """Whether no array of outputs ends in the vector from `output` on."""
        last = self.builder.add(output, I64(self.lanes))
        return self.builder.icmp_signed("<=", last, self.outputs_left)

    def _in_bottom(self, line: Any) -> Any:
        """Whether the planes do not end in the vectors from `line` on."""
        builder = self.builder
        last = builder.gep(line, [builder.add(self.across, I64(self.lanes))])
        return builder.icmp_unsigned("<=", last, self.bottom_end)

    def _store(self, inside: Any, values: Any, places: Any, masks: Any) -> None:
        with self.builder.if_else(inside, likely=True) as (whole, at_the_end):
            with whole:
                for value, place in zip(values, places, strict=True):
                    store(self.builder, value, place)
            with at_the_end:
                for value, place, mask in zip(values, places, masks, strict=True):
                    store(self.builder, value, place, mask)

    def _load(self, inside: Any, places: Any, masks: Any) -> list[Any]:
        builder = self.builder
        with builder.if_else(inside, likely=True) as (whole, at_the_end):
            with whole:
                vectors = [load(builder, place) for place in places]
                came_from = builder.block
            with at_the_end:
                parts = [load(builder, *pair) for pair in zip(places, masks, strict=True)]
                or_from = builder.block
        found = [builder.phi(self.floats) for _ in places]
        for phi, vector, part in zip(found, vectors, parts, strict=True):
            phi.add_incoming(vector, came_from)
            phi.add_incoming(part, or_from)
        return found

    def _smaller(self, x: Any, y: Any) -> Any:
        return self.builder.select(self.builder.icmp_signed("<", x, y), x, y)

    def _halves(self, line: Any) -> tuple[Any, Any]:
        return line, self.builder.gep(line, [self.across])

    def _shuffle(self, a: Any, b: Any, numbers: Any) -> Any:
        return self.builder.shuffle_vector(a, b, ir.Constant(self.integers, list(numbers)))


def start_of(context: Any, builder: Any, array_type: Any, array: Any, first: Any) -> Any:
    """Emit the address of array[first], a flat array of float32 or int32, as that of a float."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [first]), F32.as_pointer())
