"""A loop whose turns run on several threads.

    parallel_for(task, count, arguments)        task(i, *arguments) for i in 0..count-1

The turns are dealt out in their order, each thread a run of them. Numba's own `prange` does the
same, but turns each loop's body into a function that is analysed and compiled anew, a second or
more of the first run for each loop, and takes Python's global lock each time, for which it waits
while another thread prepares data. Here the task is a kernel of its own, handed as it is to
Numba's threads (`numba_parallel_for`, which every one of its threading layers has).

A task must not start another loop, and must write only where no other turn reads or writes.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..threads import start_layer
from .vector import I64

POINTER = ir.IntType(8).as_pointer()
TURNS = ir.FunctionType(
    ir.VoidType(), [POINTER.as_pointer(), I64.as_pointer(), I64.as_pointer(), POINTER]
)


@intrinsic
def parallel_for(typingctx, task, count, arguments):
    """For jitted code: run task(i, *arguments) for each i below count. task: a jitted function."""
    start_layer()
    task_types = (types.int64, *arguments.types)
    task_signature = typingctx.resolve_function_type(task, task_types, {})

    def generate(context, builder, signature, values):
        compiled = task.dispatcher.get_compile_result(task_signature)
        context.active_code_library.add_linking_library(compiled.library)

        def call_task(builder, turn, data):
            turn_arguments = cgutils.unpack_tuple(builder, builder.load(data))
            converted = [
                context.cast(builder, value, given, taken)
                for value, given, taken in zip(
                    [turn, *turn_arguments], task_types, task_signature.args, strict=True
                )
            ]
            context.call_internal_no_propagate(builder, compiled.fndesc, task_signature, converted)

        _, count, arguments = values
        data = cgutils.alloca_once_value(builder, arguments)
        turns = _define_turns(builder.module, call_task, data.type)
        _launch(builder, turns, count, data)
        return context.get_dummy_value()

    return types.void(task, types.int64, arguments), generate


def _define_turns(module, call_task, data_type):
    """A function that runs some turns: as many as *sizes says, from the number on whose value is
    the pointer *bases."""
    turns = ir.Function(module, TURNS, module.get_unique_name("parallel_for_turns"))
    turns.linkage = "internal"
    bases, sizes, _, data = turns.args
    builder = ir.IRBuilder(turns.append_basic_block())
    data = builder.bitcast(data, data_type)
    first = builder.ptrtoint(builder.load(bases), I64)
    with cgutils.for_range(builder, builder.load(sizes), intp=I64) as loop:
        call_task(builder, builder.add(first, loop.index), data)
    builder.ret_void()
    return turns


def _launch(builder, turns, count, data):
    """Emit the call of `turns` on as many threads as numba.get_num_threads() says.

    Numba's loop adds the number of a turn times a step to each base, an address for its own
    purposes; with the base 0 and the step 1 that is the number itself.
    """
    base, size, step = (
        cgutils.alloca_once_value(builder, value) for value in (POINTER(None), count, I64(1))
    )
    data = builder.bitcast(data, POINTER)
    threads = builder.call(
        cgutils.get_or_insert_function(builder.module, ir.FunctionType(I64, []), "get_num_threads"),
        [],
    )
    fewer = builder.select(builder.icmp_signed("<", threads, count), threads, count)
    with builder.if_else(builder.icmp_signed(">", fewer, I64(1))) as (several, one):
        with several:
            launch = cgutils.get_or_insert_function(
                builder.module,
                ir.FunctionType(ir.VoidType(), [POINTER] * 5 + [I64] * 3),
                "numba_parallel_for",
            )
            pointers = [turns, base, size, step, data]
            pointers = [builder.bitcast(pointer, POINTER) for pointer in pointers]
            builder.call(launch, [*pointers, I64(0), I64(1), fewer])
        with one:
            builder.call(turns, [base, size, step, data])
