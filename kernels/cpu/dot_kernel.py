"""The innermost loop of a product of rows with rows, summed over images: a tile of C, each of
whose elements is a vector register of partial sums.

    C[i, j] = beta * C[i, j] + sum over images n, pixels p of a[n, i, p] * b[n, j, p]


Both operands lie pixel by pixel, so the lanes run over pixels: for each vector of pixels, SIDE
vectors of a and SIDE of b are loaded and make SIDE * SIDE vector multiply-adds. The lanes are
added up once, at the end.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .micro_kernel import accumulators
from .vector import (
    F32,
    FLAT,
    I32,
    I64,
    broadcast,
    element_pointer,
    fmuladd,
    host_width,
    lanes_below,
    load,
    many_registers,
    store,
)


def host_side() -> int:
    """For this machine: 25 accumulators where there are 32 vector registers, 9 of 16."""
    return 5 if many_registers() else 3


def make_dot_kernel(side: int, width: int) -> Any:
    """The kernel for tiles of side x side and vectors of `width`, callable from jitted code:

    dot_kernel(images, pixels, a, a_start, a_row, a_image, b, b_start, b_rows, b_image,
               beta, c, c_start, c_row, rows, columns)

    a, b, c: flat float32 arrays. a[n, i] begins at a[a_start + n * a_image + i * a_row], b[n, j]
    at b[b_start + n * b_image + b_rows[j]], b_rows being a table (int64), C[i, j] is
    c[c_start + i * c_row + j]. Nothing beyond `rows` and `columns` is read or written. Where beta
    is 0, C is not read.
    """
    vector = ir.VectorType(F32, width)
    table = types.Array(types.int64, 1, "C")
    letters = {"i": types.int64, "f": types.float32, "x": FLAT, "t": table}
    # As many elements of C as a vector has lanes are summed up together: some rows, or part of one.
    columns_at_once = min(side, width)
    rows_at_once = width // columns_at_once
    parts = [
        (range(i, min(i + rows_at_once, side)), range(j, min(j + columns_at_once, side)))
        for i in range(0, side, rows_at_once)
        for j in range(0, side, columns_at_once)
    ]

    @intrinsic
    def dot_kernel(typingctx, images, pixels, a, a_start, a_row, a_image, b, b_start, b_rows, b_image, beta, c, c_start, c_row, rows, columns):  # fmt: skip  # noqa: E501
        def generate(context, builder, signature, arguments):
            (images, pixels, a, a_start, a_row, a_image, b, b_start, b_rows, b_image,
             beta, c, c_start, c_row, rows, columns) = arguments  # fmt: skip
            a = element_pointer(context, builder, a, a_start)
            b = element_pointer(context, builder, b, b_start)
            c = element_pointer(context, builder, c, c_start)
            b_rows = context.make_array(table)(context, builder, b_rows).data

            def clamped(i, count):  # rows outside repeat the last one, and are not written
                return _smaller(builder, I64(i), builder.sub(count, I64(1)))

            lines = (
                [builder.gep(a, [builder.mul(clamped(i, rows), a_row)]) for i in range(side)],
                [
                    builder.gep(b, [builder.load(builder.gep(b_rows, [clamped(j, columns)]))])
                    for j in range(side)
                ],
            )
            slots = accumulators(builder, side, side, vector)

            def multiply(starts, p, mask=None):
                left, right = (
                    [
                        load(
                            builder,
                            builder.bitcast(
                                builder.gep(line, [builder.add(start, p)]), vector.as_pointer()
                            ),
                            mask,
                        )
                        for line in side_lines
                    ]
                    for side_lines, start in zip(lines, starts, strict=True)
                )
                for x, row in zip(left, slots, strict=True):
                    for y, slot in zip(right, row, strict=True):
                        builder.store(fmuladd(builder, x, y, builder.load(slot)), slot)

            steps = builder.udiv(pixels, I64(width))
            done = builder.mul(steps, I64(width))
            rest = builder.sub(pixels, done)
            with cgutils.for_range(builder, images, intp=I64) as image:
                starts = [builder.mul(image.index, stride) for stride in (a_image, b_image)]
                with cgutils.for_range(builder, steps, intp=I64) as step:
                    multiply(starts, builder.mul(step.index, I64(width)))
                with builder.if_then(builder.icmp_signed(">", rest, I64(0))):
                    multiply(starts, done, lanes_below(builder, rest, width))
            betas, reads = (
                broadcast(builder, beta, vector),
                builder.fcmp_unordered("!=", beta, F32(0)),
            )
            for at_once, some in parts:
                found = _sums(builder, [builder.load(slots[i][j]) for i in at_once for j in some])
                for n, i in enumerate(at_once):
                    with builder.if_then(builder.icmp_signed("<", I64(i), rows)):
                        # The row's sums are the lanes from `lane` on: they go where they are.
                        lane = n * len(some)
                        start = builder.add(builder.mul(I64(i), c_row), I64(some[0] - lane))
                        place = builder.bitcast(builder.gep(c, [start]), vector.as_pointer())
                        last = _smaller(builder, builder.sub(columns, I64(some[0])), I64(len(some)))
                        inside = lanes_below(builder, builder.add(last, I64(lane)), width)
                        before = ir.Constant(inside.type, [k < lane for k in range(width)])
                        inside = builder.and_(inside, builder.not_(before))
                        read = builder.and_(inside, broadcast(builder, reads, inside.type))
                        sums = fmuladd(builder, betas, load(builder, place, read), found)
                        store(builder, sums, place, inside)
            return context.get_dummy_value()

        return types.void(*[letters[letter] for letter in "iixiiixitifxiiii"]), generate

    return dot_kernel


def _smaller(builder: Any, x: Any, y: Any) -> Any:
    return builder.select(builder.icmp_signed("<", x, y), x, y)


def _sums(builder: Any, vectors: list[Any]) -> Any:
    """Emit the vector whose element j is the sum of the elements of vectors[j].

    Of two vectors at a time the halves are added, so that one has both their sums to come: for
    few instructions an element, and in the order in which one vector alone is summed up.
    """
    width = vectors[0].type.count
    heads = [[j] for j in range(len(vectors))]  # whose sums a vector has, part by part
    while len(vectors) > 1:
        if len(vectors) % 2:
            vectors, heads = [*vectors, vectors[-1]], [*heads, heads[-1]]
        half = width // len(heads[0]) // 2
        starts = [
            part * 2 * half + which * width for part in range(len(heads[0])) for which in (0, 1)
        ]
        vectors = [
            _added_halves(builder, x, y, starts, half)
            for x, y in zip(vectors[::2], vectors[1::2], strict=True)
        ]
        heads = [
            [head for pair in zip(x, y, strict=True) for head in pair]
            for x, y in zip(heads[::2], heads[1::2], strict=True)
        ]
    (vector,), (order,) = vectors, heads
    part = width // len(order)
    while part > 1:
        part //= 2
        starts = [2 * part * i for i in range(len(order))]
        vector = _added_halves(builder, vector, vector, [*starts, *starts], part)
    lanes = [order.index(j) for j in sorted(set(order))]
    lanes += [0] * (width - len(lanes))
    return _shuffled(builder, vector, vector, lanes)


def _added_halves(builder: Any, x: Any, y: Any, starts: list[int], half: int) -> Any:
    """Emit the sums of the `half` elements of (x, y) from each start and the as many behind."""
    first = [start + i for start in starts for i in range(half)]
    low = _shuffled(builder, x, y, first)
    return builder.fadd(low, _shuffled(builder, x, y, [lane + half for lane in first]))


def _shuffled(builder: Any, x: Any, y: Any, lanes: list[int]) -> Any:
    numbers = ir.Constant(ir.VectorType(I32, len(lanes)), lanes)
    return builder.shuffle_vector(x, y, numbers)


SIDE = host_side()
dot_kernel = make_dot_kernel(SIDE, host_width())
