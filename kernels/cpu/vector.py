"""Short runs of floats, copied or added by vector instructions.

LLVM makes good code of long loops, but a line of an image is often 8 or 24 values long: shorter
than its unrolled loop, which then does nothing. Masked loads and stores take the whole line, or
its rest, in one instruction (where a machine has none, LLVM writes them out one by one).
"""

from typing import Any

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

F32 = ir.FloatType()
I64 = ir.IntType(64)
FLAT = types.Array(types.float32, 1, "C")


def host_features() -> dict[str, bool]:
    """The features of the processor that Numba compiles for: this one, unless the environment
    names another's (NUMBA_CPU_FEATURES="+avx2,-avx512f,...")."""
    named = numba.config.CPU_FEATURES
    if named is None:
        return dict(llvm.get_host_cpu_features())
    return {name[1:]: name[0] == "+" for name in named.split(",") if name}


def host_width() -> int:
    """How many floats one of its vector registers holds."""
    features = host_features()
    if features.get("avx512f"):
        return 16
    return 8 if features.get("avx") else 4


def element_pointer(context: Any, builder: Any, array: Any, index: Any) -> Any:
    """Emit the address of array[index], array being a flat float32 array."""
    return builder.gep(context.make_array(FLAT)(context, builder, array).data, [index])


def make_line_copy(width: int, add: bool) -> Any:
    """A function for jitted code: target[start + i] = source[first + i] for 0 <= i < count.

    line(source, first, target, start, count), or += with `add`. Arrays are flat float32.
    """
    vector = ir.VectorType(F32, width)
    lanes = ir.VectorType(I64, width)
    mask_type = ir.VectorType(ir.IntType(1), width)
    suffix = f"v{width}f32.p0"

    @intrinsic
    def line(typingctx, source, first, target, start, count):
        def generate(context, builder, signature, arguments):
            source, first, target, start, count = arguments
            source = element_pointer(context, builder, source, first)
            target = element_pointer(context, builder, target, start)
            pointer, alignment = vector.as_pointer(), ir.IntType(32)
            load = cgutils.get_or_insert_function(
                builder.module,
                ir.FunctionType(vector, [pointer, alignment, mask_type, vector]),
                f"llvm.masked.load.{suffix}",
            )
            store = cgutils.get_or_insert_function(
                builder.module,
                ir.FunctionType(ir.VoidType(), [vector, pointer, alignment, mask_type]),
                f"llvm.masked.store.{suffix}",
            )
            steps = builder.udiv(builder.add(count, I64(width - 1)), I64(width))
            zero, four = ir.Constant(vector, [0.0] * width), alignment(4)
            with cgutils.for_range(builder, steps, intp=I64) as loop:
                index = builder.mul(loop.index, I64(width))
                left = broadcast(builder, builder.sub(count, index), lanes)
                mask = builder.icmp_signed("<", ir.Constant(lanes, list(range(width))), left)
                here = builder.bitcast(builder.gep(source, [index]), pointer)
                there = builder.bitcast(builder.gep(target, [index]), pointer)
                value = builder.call(load, [here, four, mask, zero])
                if add:
                    old = builder.call(load, [there, four, mask, zero])
                    value = builder.fadd(old, value)
                builder.call(store, [value, there, four, mask])
            return context.get_dummy_value()

        return types.void(FLAT, types.int64, FLAT, types.int64, types.int64), generate

    return line


def broadcast(builder: Any, value: Any, vector: Any) -> Any:
    """Emit a vector whose elements are all `value`."""
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, undefined, zeros)


# At most eight: lines are short, and a masked load that overlaps a masked store of the line before
# waits until that is written; with sixteen, col2im takes five times as long.
LINE_WIDTH = min(host_width(), 8)
copy_line = make_line_copy(LINE_WIDTH, add=False)
add_line = make_line_copy(LINE_WIDTH, add=True)
