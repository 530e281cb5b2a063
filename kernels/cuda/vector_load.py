"""Four floats in one instruction: the compiler does not join single loads and stores by itself.

In the simulator, functions of the same meaning.
"""

from typing import Any

from llvmlite import ir
from numba import types

from .launch import SIMULATED

ALIGNMENT = None if SIMULATED else 16  # of shared arrays, in bytes, that are read so

if SIMULATED:

    def load4(array: Any, index: Any) -> Any:
        """The floats array[index : index + 4], as a tuple. They lie at a multiple of 16 bytes."""
        return tuple(array[index + i] for i in range(4))

    def store4(array: Any, index: Any, values: Any) -> None:
        """Set array[index : index + 4] to a tuple. They lie at a multiple of 16 bytes."""
        for i in range(4):
            array[index + i] = values[i]

else:
    from numba.cuda.extending import intrinsic

    VECTOR = ir.VectorType(ir.FloatType(), 4)

    def _pointer(context, builder, array_type, array, index):
        data = context.make_array(array_type)(context, builder, array).data
        return builder.bitcast(builder.gep(data, [index]), VECTOR.as_pointer(data.type.addrspace))

    @intrinsic
    def load4(typing_context, array, index):
        """The floats array[index : index + 4], as a tuple. They lie at a multiple of 16 bytes."""
        result = types.UniTuple(types.float32, 4)

        def generate(context, builder, signature, arguments):
            index_type = signature.args[1]
            index64 = context.cast(builder, arguments[1], index_type, types.int64)
            pointer = _pointer(context, builder, signature.args[0], arguments[0], index64)
            vector = builder.load(pointer, align=16)
            floats = [builder.extract_element(vector, ir.IntType(32)(i)) for i in range(4)]
            return context.make_tuple(builder, result, floats)

        return result(array, index), generate

    @intrinsic
    def store4(typing_context, array, index, values):
        """Set array[index : index + 4] to a tuple. They lie at a multiple of 16 bytes."""

        def generate(context, builder, signature, arguments):
            index_type = signature.args[1]
            index64 = context.cast(builder, arguments[1], index_type, types.int64)
            pointer = _pointer(context, builder, signature.args[0], arguments[0], index64)
            vector = ir.Constant(VECTOR, ir.Undefined)
            for i in range(4):
                value = builder.extract_value(arguments[2], i)
                vector = builder.insert_element(vector, value, ir.IntType(32)(i))
            builder.store(vector, pointer, align=16)
            return context.get_dummy_value()

        return types.void(array, index, values), generate


def is_wide(matrix: Any) -> bool:
    """Whether each row can be read four floats at a time: where it begins, and its length."""
    rows_fit = matrix.shape[1] % 4 == 0
    return rows_fit and (SIMULATED or matrix.__cuda_array_interface__["data"][0] % 16 == 0)
