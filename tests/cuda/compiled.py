"""Every CUDA kernel, compiled and assembled without a GPU: what the assembler says of each.

    python -m tests.cuda.compiled

writes the table in docs/kernels/cuda.md. It needs numba-cuda and ptxas, which
`pip install 'numba-caffe[cuda]'` brings.
"""

import importlib
import multiprocessing
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

ARCHITECTURES = ((8, 0), (9, 0))
COMMAND = "python -m tests.cuda.compiled"
PAGE = Path(__file__).parents[2] / "docs" / "kernels" / "cuda.md"


class Launch(NamedTuple):
    """A kernel that a call launches."""

    function: str
    case: str
    kernel: Any
    types: tuple
    threads: int  # of a block


class Compiled(NamedTuple):
    """What came of it for one architecture. Sizes in bytes, of a thread, `shared` of a block."""

    registers: int
    stack: int
    spilled: int
    shared: int
    ptx: str


def find_ptxas() -> str | None:
    """The assembler: of the package nvidia-cuda-nvcc, or in PATH."""
    try:
        folders = importlib.import_module("nvidia.cu13").__path__
    except ImportError:
        folders = []
    beside = [str(Path(folder, "bin", "ptxas")) for folder in folders]
    return next(filter(None, map(shutil.which, [*beside, "ptxas"])), None)


def launches() -> list[Launch]:
    """Each kernel that the calls in calls.py launch, with the first case in which they do."""
    from caffe.kernels import cuda
    from caffe.kernels.cuda import launch
    from tests.cuda.calls import all_calls, array

    found: dict[tuple, Launch] = {}
    with mock.patch.object(launch, "empty", lambda shape, dtype: array(shape, dtype=dtype)):
        for case, function, arguments in all_calls():

            def note(
                kernel: Any, blocks: Any, threads: Any, flat: tuple,
                case: str = case, function: str = function,
            ) -> None:  # fmt: skip
                types = tuple(map(_type_of, flat))
                item = Launch(function, case, kernel, types, int(np.prod(threads)))
                found.setdefault((kernel, types, item.threads), item)

            with launch.redirected(note):
                getattr(cuda, function)(*arguments)
    return list(found.values())


def _type_of(value: Any) -> Any:
    from numba import typeof, types

    if isinstance(value, np.ndarray):
        return types.Array(typeof(value.dtype).dtype, value.ndim, "C")
    return typeof(value)


def compile_launch(launch: Launch, architecture: tuple[int, int]) -> Compiled:
    """Compile and assemble a kernel as numba-cuda does at its first launch."""
    from numba import cuda

    here = mock.Mock(compute_capability=architecture)  # the GPU that `@device` functions ask for
    with mock.patch("numba.cuda.dispatcher.get_current_device", return_value=here):
        ptx, _ = cuda.compile(
            launch.kernel.py_func,
            launch.types,
            cc=architecture,
            device=False,
            abi="numba",
            output="ptx",
            launch_bounds=launch.kernel.targetoptions.get("launch_bounds"),
        )
    said = _assemble(ptx, architecture)
    return Compiled(
        _number(r"Used (\d+) registers", said),
        _number(r"(\d+) bytes stack", said),
        _number(r"(\d+) bytes spill stores", said) + _number(r"(\d+) bytes spill loads", said),
        _number(r"(\d+) bytes smem", said),
        ptx,
    )


def _assemble(ptx: str, architecture: tuple[int, int]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "kernel.ptx")
        source.write_text(ptx)
        name = "sm_{}{}".format(*architecture)
        command = [find_ptxas(), "-v", f"-arch={name}", source, "-o", Path(folder, "kernel.cubin")]
        return subprocess.run(command, check=True, capture_output=True, text=True).stderr


def _number(pattern: str, text: str) -> int:
    match = re.search(pattern, text)
    return int(match[1]) if match else 0


def compile_all() -> list[tuple[Launch, tuple[Compiled, ...]]]:
    """All launches, each with what it was compiled to for each of ARCHITECTURES."""
    global _all
    _all = launches()
    # Numba compiles one kernel at a time: processes, which inherit the kernels made so far.
    with multiprocessing.get_context("fork").Pool() as pool:
        return list(zip(_all, pool.map(_compile_for_each, range(len(_all)), 1), strict=True))


_all: list[Launch] = []


def _compile_for_each(i: int) -> tuple[Compiled, ...]:
    return tuple(compile_launch(_all[i], architecture) for architecture in ARCHITECTURES)


def table(results: list[tuple[Launch, tuple[Compiled, ...]]]) -> str:
    """A row for each kernel, in Markdown."""
    names = ["sm_{}{}".format(*architecture) for architecture in ARCHITECTURES]
    rows = [
        "| function | case | kernel | threads | "
        + " | ".join(f"registers, {name}" for name in names)
        + " | shared memory | spilled |",
        "| --- | --- | --- |" + " ---: |" * (len(names) + 3),
    ]
    for launch, compiled in results:
        registers = " | ".join(str(c.registers) for c in compiled)
        shared, spilled = max(c.shared for c in compiled), max(c.spilled for c in compiled)
        function = launch.kernel.py_func
        name = f"{function.__module__.rpartition('.')[2]}: {function.__name__.strip('_')}"
        cells = launch.function, launch.case, name, launch.threads, registers, shared, spilled
        rows.append("| {} | {} | {} | {} | {} | {} | {} |".format(*cells))
    return "\n".join(rows)


def main() -> None:
    """Write the table."""
    from bench.markers import replace_between
    from caffe.errors import CaffeError

    results = compile_all()
    try:
        replace_between(PAGE, "compiled kernels", table(results), COMMAND)
    except CaffeError as error:
        sys.exit(str(error))
    print(f"{len(results)} kernels, written to {PAGE}")


if __name__ == "__main__":
    main()
