"""A loop whose turns run on several threads.

    parallel_for(task, count, arguments)             task(i, *arguments) for i in 0..count-1
    parallel_for_workers(task, count, arguments)     task(i, worker, *arguments)

Each thread has a run of the turns. One that is done with its own takes turns of the others, so that
nobody waits long for a thread which the machine has made slow. Which thread takes a turn is chance;
tasks that need memory of their own ask for the number of the thread, the worker.

Numba's own `prange` turns each loop's body into a function that is analysed and compiled anew, a
second or more of the first run for each loop, and takes Python's global lock each time, for which
it waits while another thread prepares data. Here the task is a kernel of its own, handed as it is
to Numba's threads (`numba_parallel_for`, which every one of its threading layers has).

A task must not start another loop, and must write only where no other turn reads or writes.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..threads import start_layer
from .jit import jit
from .vector import I64

POINTER = ir.IntType(8).as_pointer()
WORKERS = ir.FunctionType(
    ir.VoidType(), [POINTER.as_pointer(), I64.as_pointer(), I64.as_pointer(), POINTER]
)
MOST_WORKERS = 256
LINE = 8  # int64 numbers in a cache line: each worker's counter has its own


@intrinsic
def parallel_for(typingctx, task, count, arguments):
    """For jitted code: run task(i, *arguments) for each i below count. task: a jitted function."""
    return _declare(typingctx, task, arguments, with_worker=False)


@intrinsic
def parallel_for_workers(typingctx, task, count, arguments):
    """For jitted code: run task(i, worker, *arguments) for each i below count, with a number below
    `worker_count()` that no turn which runs at the same time has too."""
    return _declare(typingctx, task, arguments, with_worker=True)


@jit
def worker_count() -> int:
    """How many turns may run at the same time."""
    return min(_thread_count(), MOST_WORKERS)


@intrinsic
def _thread_count(typingctx):
    # numba.get_num_threads, which would keep what calls it out of the cache.
    start_layer()

    def generate(context, builder, signature, arguments):
        return _call_thread_count(builder)

    return types.int64(), generate


def _call_thread_count(builder):
    kind = ir.FunctionType(I64, [])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, "get_num_threads"), [])


def _declare(typingctx, task, arguments, with_worker):
    start_layer()
    numbers = (types.int64,) * (1 + with_worker)
    task_types = (*numbers, *arguments.types)
    task_signature = typingctx.resolve_function_type(task, task_types, {})

    def generate(context, builder, signature, values):
        compiled = task.dispatcher.get_compile_result(task_signature)
        context.active_code_library.add_linking_library(compiled.library)

        def call_task(builder, turn, worker, data):
            turn_arguments = cgutils.unpack_tuple(builder, builder.load(data))
            given = [turn, worker][: len(numbers)] + turn_arguments
            converted = [
                context.cast(builder, value, has, taken)
                for value, has, taken in zip(given, task_types, task_signature.args, strict=True)
            ]
            context.call_internal_no_propagate(builder, compiled.fndesc, task_signature, converted)

        _, count, arguments = values
        arguments = _borrowed(context, builder, signature.args[2], arguments)
        work = _Work(builder, count, arguments)
        _launch(builder, _define_workers(builder.module, call_task, work.type), work)
        return context.get_dummy_value()

    return types.void(task, types.int64, arguments), generate


def _borrowed(context, builder, kind, value):
    """The same value, but Numba counts no references to its arrays, which outlive the loop: all
    threads would change one counter, and wait for it, wherever an array is cut or handed on."""
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        return array._getvalue()
    if isinstance(kind, types.BaseTuple):
        parts = zip(kind.types, cgutils.unpack_tuple(builder, value), strict=True)
        return context.make_tuple(
            builder, kind, [_borrowed(context, builder, *part) for part in parts]
        )
    return value


class _Work:
    """What the workers share, in the memory of whoever launches them: the tasks' arguments, the
    numbers of turns and of workers, and for each worker the next turn of its run."""

    def __init__(self, builder, count, arguments):
        with builder.goto_entry_block():  # not Numba's alloca_once, which fills it with zeros
            counters = builder.alloca(ir.ArrayType(I64, MOST_WORKERS * LINE))
        self.type = ir.LiteralStructType([arguments.type, I64, I64, counters.type])
        threads = _call_thread_count(builder)
        self.workers = _smaller(builder, _smaller(builder, threads, count), I64(MOST_WORKERS))
        self.place = cgutils.alloca_once(builder, self.type)
        for i, value in enumerate((arguments, count, self.workers, counters)):
            builder.store(value, _field(builder, self.place, i))
        with cgutils.for_range(builder, self.workers, intp=I64) as loop:
            first = _first_turn(builder, count, self.workers, loop.index)
            builder.store(first, _counter(builder, counters, loop.index))


def _smaller(builder, x, y):
    return builder.select(builder.icmp_signed("<", x, y), x, y)


def _field(builder, place, i):
    return builder.gep(place, [ir.IntType(32)(0), ir.IntType(32)(i)])


def _counter(builder, counters, worker):
    return builder.gep(counters, [I64(0), builder.mul(worker, I64(LINE))])


def _first_turn(builder, count, workers, worker):
    return builder.sdiv(builder.mul(count, worker), workers)


def _define_workers(module, call_task, work_type):
    """A function that is some workers: as many as *sizes says, from the number on whose value is
    the pointer *bases."""
    function = ir.Function(module, WORKERS, module.get_unique_name("parallel_for_workers"))
    function.linkage = "internal"
    bases, sizes, _, work = function.args
    builder = ir.IRBuilder(function.append_basic_block())
    work = builder.bitcast(work, work_type.as_pointer())
    data = _field(builder, work, 0)
    count, workers, counters = (builder.load(_field(builder, work, i)) for i in (1, 2, 3))
    first = builder.ptrtoint(builder.load(bases), I64)
    with cgutils.for_range(builder, builder.load(sizes), intp=I64) as loop:
        worker = builder.add(first, loop.index)
        with cgutils.for_range(builder, workers, intp=I64) as victims:
            victim = builder.urem(builder.add(worker, victims.index), workers)
            last = _first_turn(builder, count, workers, builder.add(victim, I64(1)))
            counter = _counter(builder, counters, victim)
            more = function.append_basic_block("more")
            take, done = function.append_basic_block("take"), function.append_basic_block("done")
            builder.branch(more)
            builder.position_at_end(more)
            turn = builder.atomic_rmw("add", counter, I64(1), "monotonic")
            builder.cbranch(builder.icmp_signed("<", turn, last), take, done)
            builder.position_at_end(take)
            call_task(builder, turn, worker, data)
            builder.branch(more)
            builder.position_at_end(done)
    builder.ret_void()
    return function


def _launch(builder, workers, work):
    """Emit the call of `workers` on as many threads as there are.

    Numba's loop adds the number of a worker times a step to each base, an address for its own
    purposes; with the base 0 and the step 1 that is the number itself.
    """
    base, size, step = (
        cgutils.alloca_once_value(builder, value) for value in (POINTER(None), work.workers, I64(1))
    )
    data = builder.bitcast(work.place, POINTER)
    with builder.if_else(builder.icmp_signed(">", work.workers, I64(1))) as (several, one):
        with several:
            launch = cgutils.get_or_insert_function(
                builder.module,
                ir.FunctionType(ir.VoidType(), [POINTER] * 5 + [I64] * 3),
                "numba_parallel_for",
            )
            pointers = [workers, base, size, step, data]
            pointers = [builder.bitcast(pointer, POINTER) for pointer in pointers]
            builder.call(launch, [*pointers, I64(0), I64(1), work.workers])
        with one:
            builder.call(workers, [base, size, step, data])
