"""Times the steps of docs/kernels/ and writes their tables into these documents.

    python -m bench.steps.report

Each step computes the same: GEMM a product, convolution LeNet's second layer on 64 images. Every
result is compared with the NumPy definition before it is timed. GFLOP/s count the operations of the
definition, though Winograd's step does with fewer. Rounds of all contestants are
interleaved and the fastest counts, since what else the machine does only slows them down.
"""

import importlib
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
import threadpoolctl

from bench.aligned import random
from bench.contest import ROOT
from bench.machine import machine
from bench.markers import replace_between
from bench.rivals import THREADS, torch
from bench.tables import Row, table
from caffe.errors import CaffeError
from caffe.kernels import cpu, reference
from caffe.kernels.cpu.roofline import multiply_add_peak

GEMM = ("naive", "rows", "blocked", "packed", "micro_kernel", "threads")
CONVOLUTION = ("naive", "im2col", "gemm", "implicit", "threads", "winograd")
SIZES = ((512, 512, 512), (50, 4096, 500))  # rows, columns, depth; the second: LeNet's conv2
LAYER = ((64, 20, 12, 12), (50, 20, 5, 5), (64, 50, 8, 8))  # LeNet's conv2: bottom, weight, top
ROUNDS = 40
BUDGET = 0.4  # seconds for all rounds of a contestant; the slow ones have fewer rounds
PAUSE = 0.002  # seconds, for the threads of the contestant before to fall asleep
TOLERANCE = 1e-4  # of the largest value

Column = dict[tuple[str, int], float]  # of a table: GFLOP/s by name and threads


class Contestant(NamedTuple):
    """One row of a table: who computes, on how many threads, and how."""

    name: str
    threads: int
    run: Callable[[], object]


def main() -> None:
    """Write both tables; one line and exit code 1 where that fails."""
    try:
        found = machine()
        gemm, convolution = gemm_columns(), [convolution_column()]
        # Once more: beside another program the first measurement would have been too low.
        peak = {
            threads: max(found["peak"][threads], multiply_add_peak(threads)) for threads in THREADS
        }
        line = (
            f"GFLOP/s and share of the peak on the same number of threads. Measured on "
            f"{found['date']}: {found['name']}, {found['cores']} cores, vectors of "
            f"{found['width']} floats."
        )
        tables = {
            "gemm": result_table([f"{m} × {n} × {k}" for m, n, k in SIZES], gemm, peak),
            "convolution": result_table(["LeNet conv2, 64 images"], convolution, peak),
        }
        for kernel, text in tables.items():
            page = ROOT / "docs" / "kernels" / f"{kernel}.md"
            replace_between(page, f"{kernel} steps", f"{line}\n\n{text}")
            print(f"{text}\n\nWritten to {page}.\n")
    except CaffeError as error:
        sys.exit(str(error))


def gemm_columns() -> list[Column]:
    """GEMM's steps, the package's kernel and NumPy, on each of SIZES."""
    columns = []
    for rows, width, depth in SIZES:
        a, b, c = random(rows, depth), random(depth, width, seed=1), np.empty((rows, width), "f")
        wanted = np.empty_like(c)
        reference.gemm(False, False, 1.0, a, b, 0.0, wanted)
        contestants = steps("gemm", "multiply", GEMM, (a, b, c))
        for threads in THREADS:
            contestants += [
                Contestant(
                    "this package's `gemm`", threads,
                    lambda a=a, b=b, c=c: cpu.gemm(False, False, 1.0, a, b, 0.0, c),
                ),
                Contestant(
                    "NumPy (OpenBLAS)", threads, lambda a=a, b=b, c=c: np.matmul(a, b, out=c)
                ),
            ]  # fmt: skip
        columns.append(reached(contestants, c, wanted, 2 * rows * width * depth))
    return columns


def convolution_column() -> Column:
    """Convolution's steps, the package's kernel and PyTorch, on LeNet's second layer."""
    bottom, weight = random(*LAYER[0]), random(*LAYER[1], seed=1)
    top, wanted = np.empty((2, *LAYER[2]), np.float32)
    workspace = np.empty(cpu.convolution_workspace(*LAYER, (1, 1), 1), np.float32)
    form: Any = ((0, 0), (1, 1), (1, 1), 1, workspace)  # pad, stride, dilation, group
    reference.convolution_forward(bottom, weight, cpu.NO_BIAS, wanted, *form)
    contestants = steps("convolution", "convolve", CONVOLUTION, (bottom, weight, top))
    for threads in THREADS:
        contestants.append(
            Contestant(
                "this package's `convolution_forward`", threads,
                lambda: cpu.convolution_forward(bottom, weight, cpu.NO_BIAS, top, *form),
            )
        )  # fmt: skip
        if torch is not None:
            first = [torch.from_numpy(array) for array in (bottom, weight)]
            last = [tensor.contiguous(memory_format=torch.channels_last) for tensor in first]
            contestants += [
                Contestant("PyTorch", threads, lambda x=first: torch.conv2d(*x)),
                Contestant("PyTorch, channels_last", threads, lambda x=last: torch.conv2d(*x)),
            ]
    return reached(contestants, top, wanted, 2 * top.size * weight[0].size)


def steps(
    kernel: str, function: str, names: tuple[str, ...], arrays: tuple[np.ndarray, ...]
) -> list[Contestant]:
    """The steps, each on one thread; from the one named threads on, on all."""
    contestants = []
    for number, name in enumerate(names, 1):
        module = importlib.import_module(f"bench.steps.{kernel}_{number}_{name}")
        title = f"{number} {name.replace('_', ' ')}"
        link = f"[{title}](../../bench/steps/{kernel}_{number}_{name}.py)"
        threads = THREADS[-1] if "threads" in names[:number] else 1
        run = getattr(module, function)
        contestants.append(Contestant(link, threads, lambda run=run: run(*arrays)))
    return contestants


def reached(
    contestants: list[Contestant], out: np.ndarray, wanted: np.ndarray, operations: int
) -> Column:
    """GFLOP/s by name and threads. A contestant returns its result, or has written it to `out`."""
    for contestant in contestants:
        out[:] = 0
        result = use_threads(contestant).run()
        np.testing.assert_allclose(
            out if result is None else np.asarray(result), wanted,
            rtol=TOLERANCE, atol=TOLERANCE * np.abs(wanted).max(), err_msg=contestant.name,
        )  # fmt: skip
    seconds: dict[Contestant, list[float]] = {contestant: [] for contestant in contestants}
    for _ in range(ROUNDS):
        for contestant, found in seconds.items():
            if sum(found) < BUDGET:
                time.sleep(PAUSE)
                run = use_threads(contestant).run
                started = time.perf_counter()
                run()
                found.append(time.perf_counter() - started)
    return {
        (who.name, who.threads): 1e-9 * operations / min(found) for who, found in seconds.items()
    }


def use_threads(contestant: Contestant) -> Contestant:
    """Set every library to the contestant's number of threads."""
    numba.set_num_threads(contestant.threads)
    threadpoolctl.threadpool_limits(contestant.threads, user_api="blas")
    if torch is not None:
        torch.set_num_threads(contestant.threads)
    return contestant


def result_table(heads: list[str], columns: list[Column], peak: dict[int, float]) -> str:
    """One row for each name and number of threads, the machine's peak last."""
    rows: list[Row] = []
    for name, threads in columns[0]:
        values = [column[name, threads] for column in columns]
        cells = (f"{value:.1f} ({value / peak[threads]:.0%})" for value in values)
        rows.append((name, str(threads), *cells))
    rows += [
        ("the machine's peak", str(threads), *[f"{peak[threads]:.1f}"] * len(columns))
        for threads in THREADS
    ]
    return table(("step", "threads", *heads), rows)


if __name__ == "__main__":
    main()
