"""Short runs of floats, copied or added by vectors.

LLVM makes good code of long loops, but a line of an image is often 8 or 24 values long: shorter
than its unrolled loop, which then does nothing. Here whole vectors are moved one by one, and what
is left of the line by a masked load and store. Of every second, third or fourth float, as a
convolution's stride asks for, LLVM makes a loop that takes them one by one: here they are picked
out of whole vectors.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import jit
from .vector import F32, FLAT, I32, I64, element_pointer, host_width, lanes_below, load, store


def make_line_copy(width: int, add: bool = False, stride: int = 1) -> Any:
    """A function for jitted code: target[start + i] = source[first + i * stride], 0 <= i < count.

    line(source, first, target, start, count), or += with `add`. Arrays are flat float32.
    """
    vector = ir.VectorType(F32, width)

    @intrinsic
    def line(typingctx, source, first, target, start, count):
        def generate(context, builder, signature, arguments):
            source, first, target, start, count = arguments
            source = element_pointer(context, builder, source, first)
            target = element_pointer(context, builder, target, start)
            # Floats up to the last one that is wanted.
            floats = builder.sub(builder.mul(count, I64(stride)), I64(stride - 1))

            def step(index, masked):
                """Move a vector; with masks, what is left of one."""

                def read(base, first, limit):
                    place = builder.bitcast(builder.gep(base, [first]), vector.as_pointer())
                    mask = lanes_below(builder, builder.sub(limit, first), width)
                    return load(builder, place, mask if masked else None), place, mask

                begin = builder.mul(index, I64(stride))
                firsts = [builder.add(begin, I64(k * width)) for k in range(stride)]
                value = _every(builder, [read(source, first, floats)[0] for first in firsts])
                before, place, mask = read(target, index, count)
                if add:
                    value = builder.fadd(before, value)
                store(builder, value, place, mask if masked else None)

            # Of every n-th float the last vector reads less than n vectors.
            whole = builder.sdiv(builder.sub(count, I64(int(stride > 1))), I64(width))
            with cgutils.for_range(builder, whole, intp=I64) as loop:
                step(builder.mul(loop.index, I64(width)), masked=False)
            done = builder.mul(whole, I64(width))
            with builder.if_then(builder.icmp_signed("<", done, count)):
                step(done, masked=True)
            return context.get_dummy_value()

        return types.void(FLAT, types.int64, FLAT, types.int64, types.int64), generate

    return line


def _every(builder: Any, pieces: list[Any]) -> Any:
    """Emit the vector of every n-th float of n vectors that follow each other."""
    value, stride, width = pieces[0], len(pieces), pieces[0].type.count
    for k in range(1, stride):
        lanes = []
        for i in range(width):
            piece, lane = divmod(i * stride, width)
            found = lane if k == 1 else i  # the first piece still lies as it came
            lanes.append(width + lane if piece == k else found if piece < k else 0)
        numbers = ir.Constant(ir.VectorType(I32, width), lanes)
        value = builder.shuffle_vector(value, pieces[k], numbers)
    return value


# At most eight: lines are short, and a masked load that overlaps a masked store of the line before
# waits until that is written; with sixteen, col2im takes five times as long.
LINE_WIDTH = min(host_width(), 8)
copy_line = make_line_copy(LINE_WIDTH)
add_line = make_line_copy(LINE_WIDTH, add=True)
_copy_2, _copy_3, _copy_4 = (make_line_copy(host_width(), stride=stride) for stride in (2, 3, 4))


@jit(inline=True)
def copy_every(source, first, stride, target, start, count):
    """target[start + i] = source[first + i * stride] for 0 <= i < count. Arrays are flat."""
    if stride == 1:
        copy_line(source, first, target, start, count)
    else:
        _copy_some(source, first, stride, target, start, count)


@jit
def _copy_some(source, first, stride, target, start, count):
    if stride == 2:
        _copy_2(source, first, target, start, count)
    elif stride == 3:
        _copy_3(source, first, target, start, count)
    elif stride == 4:
        _copy_4(source, first, target, start, count)
    else:
        for i in range(count):
            target[start + i] = source[first + i * stride]


@jit(inline=True)
def add_to_every(target, start, stride, source, first, count):
    """target[start + i * stride] += source[first + i] for 0 <= i < count. Arrays are flat."""
    if stride == 1:
        add_line(source, first, target, start, count)
    else:
        for i in range(count):
            target[start + i * stride] += source[first + i]
