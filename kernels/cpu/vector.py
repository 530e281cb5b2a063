"""LLVM's vector instructions, for the intrinsics of this folder.

Where a machine has no masked loads and stores, LLVM writes them out one by one.
"""

from typing import Any

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

F32 = ir.FloatType()
I32 = ir.IntType(32)
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


def many_registers() -> bool:
    """Whether it has 32 vector registers rather than 16."""
    features = host_features()
    return bool(features.get("avx512f") or features.get("neon"))


def element_pointer(context: Any, builder: Any, array: Any, index: Any) -> Any:
    """Emit the address of array[index], array being a flat float32 array."""
    return builder.gep(context.make_array(FLAT)(context, builder, array).data, [index])


def vector_pointer(builder: Any, start: Any, index: int, vector: Any) -> Any:
    """Emit the address of vector number `index` from the float at `start` on."""
    place = builder.gep(start, [I64(index * vector.count)])
    return builder.bitcast(place, vector.as_pointer())


def load(builder: Any, pointer: Any, mask: Any = None) -> Any:
    """Emit the load of a vector; where its mask is false, nothing is read and the value is 0."""
    if mask is None:
        return builder.load(pointer, align=4)
    vector = pointer.type.pointee
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(vector, [pointer.type, I32, mask.type, vector]),
        f"llvm.masked.load.v{vector.count}f32.p0",
    )
    zero = ir.Constant(vector, [0.0] * vector.count)
    return builder.call(function, [pointer, I32(4), mask, zero])


def store(builder: Any, value: Any, pointer: Any, mask: Any = None) -> None:
    """Emit the store of a vector; where its mask is false, nothing is written."""
    if mask is None:
        builder.store(value, pointer, align=4)
        return
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(ir.VoidType(), [value.type, pointer.type, I32, mask.type]),
        f"llvm.masked.store.v{value.type.count}f32.p0",
    )
    builder.call(function, [value, pointer, I32(4), mask])


def prefetch(builder: Any, pointer: Any) -> None:
    """Emit the wish that memory which is about to be written be in the nearest cache."""
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(ir.VoidType(), [pointer.type, I32, I32, I32]),
        "llvm.prefetch.p0",
    )
    builder.call(function, [pointer, I32(1), I32(3), I32(1)])


def lanes_below(builder: Any, count: Any, width: int) -> Any:
    """Emit the mask whose first `count` lanes, at most all, are true."""
    lanes = ir.VectorType(I64, width)
    numbers = ir.Constant(lanes, list(range(width)))
    return builder.icmp_signed("<", numbers, broadcast(builder, count, lanes))


def broadcast(builder: Any, value: Any, vector: Any) -> Any:
    """Emit a vector whose elements are all `value`."""
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, value, I32(0))
    zeros = ir.Constant(ir.VectorType(I32, vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, undefined, zeros)


def fmuladd(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """Emit a * b + c. Not llvm.fma, which becomes a library call where the machine has no fused
    multiply-add."""
    vector = a.type
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(vector, [vector, vector, vector]),
        f"llvm.fmuladd.v{vector.count}f32",
    )
    return builder.call(function, [a, b, c])


def keep_rolled(jump: Any) -> None:
    """Have LLVM not unroll the loop that this jump repeats. It would load the values of several
    turns beforehand, for which there are too few registers."""
    module = jump.function.module
    wish = module.add_metadata([ir.MetaDataString(module, "llvm.loop.unroll.disable")])
    loop = module.add_metadata([wish])
    loop.operands = (loop, wish)  # a loop's node begins with itself
    jump.set_metadata("llvm.loop", loop)


def horizontal_sum(builder: Any, value: Any) -> Any:
    """Emit the sum of a vector's elements: halves are added until one is left."""
    undefined = ir.Constant(value.type, ir.Undefined)
    count = value.type.count
    while count > 1:
        count //= 2
        low, high = (
            builder.shuffle_vector(
                value,
                undefined,
                ir.Constant(ir.VectorType(I32, count), list(range(start, start + count))),
            )
            for start in (0, count)
        )
        value = builder.fadd(low, high)
        undefined = ir.Constant(value.type, ir.Undefined)
    return builder.extract_element(value, I32(0))


def transposed(builder: Any, lines: list[Any]) -> list[Any]:
    """Emit the transpose of a matrix whose lines are vectors: vector j of the result has the
    elements number j of `lines`."""
    count, length = len(lines), lines[0].type.count
    size = 1 << (max(count, length, 4) - 1).bit_length()
    # A square whose side is a power of 2. LLVM leaves out what is not used of it.
    undefined = ir.Constant(lines[0].type, ir.Undefined)
    lines = [_resized(builder, line, size) for line in lines]
    lines += [_resized(builder, undefined, size)] * (size - count)
    lanes = ir.VectorType(I32, size)

    def exchange(i, j, low, step):
        pair = lines[i], lines[j]
        for line, mask in ((i, low), (j, [k + step for k in low])):
            lines[line] = builder.shuffle_vector(*pair, ir.Constant(lanes, mask))

    # Blocks of half x half change places across the diagonal, then of half that size.
    half = size // 2
    while half > 2:
        low = [k if not k & half else size + k - half for k in range(size)]
        for i in range(size):
            if not i & half:
                exchange(i, i + half, low, half)
        half //= 2
    # The last blocks, of 4 x 4: first single elements of two lines in turn, then pairs of them.
    quads = range(0, size, 4)
    singles = [k for q in quads for k in (q, size + q, q + 1, size + q + 1)]
    pairs = [k for q in quads for k in (q, q + 1, size + q, size + q + 1)]
    for i in range(0, size, 4):
        exchange(i, i + 1, singles, 2)
        exchange(i + 2, i + 3, singles, 2)
        exchange(i, i + 2, pairs, 2)
        exchange(i + 1, i + 3, pairs, 2)
        lines[i + 1], lines[i + 2] = lines[i + 2], lines[i + 1]
    return [_resized(builder, line, count) for line in lines[:length]]


def _resized(builder, value, count):
    """The vector's first `count` elements, or all of them and then any."""
    if value.type.count == count:
        return value
    mask = [min(i, value.type.count) for i in range(count)]
    undefined = ir.Constant(value.type, ir.Undefined)
    return builder.shuffle_vector(value, undefined, ir.Constant(ir.VectorType(I32, count), mask))


def make_transpose(width: int) -> Any:
    """A function for jitted code: target[start + i * target_stride + j] =
    source[first + j * stride + i] for i, j < width.

    transpose(source, first, stride, target, start, target_stride). Arrays are flat float32.
    """
    vector = ir.VectorType(F32, width)

    @intrinsic
    def transpose(typingctx, source, first, stride, target, start, target_stride):
        def generate(context, builder, signature, arguments):
            source, first, stride, target, start, target_stride = arguments
            source = element_pointer(context, builder, source, first)
            target = element_pointer(context, builder, target, start)

            def line(base, step, i):
                place = builder.gep(base, [builder.mul(step, I64(i))])
                return builder.bitcast(place, vector.as_pointer())

            lines = [load(builder, line(source, stride, i)) for i in range(width)]
            lines = transposed(builder, lines)
            for i, value in enumerate(lines):
                store(builder, value, line(target, target_stride, i))
            return context.get_dummy_value()

        i64 = types.int64
        return types.void(FLAT, i64, i64, FLAT, i64, i64), generate

    return transpose
