"""A kernel timed beside its rivals: results checked first, then rounds of each in turn."""

import functools
import os
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import numba
import numpy as np
import threadpoolctl

try:
    import torch  # before caffe, which chooses how long OpenMP's threads spin
except ImportError:
    torch = None  # type: ignore[assignment]

from caffe.kernels.cpu.roofline import multiply_add_peak

OURS = "numba-caffe"
THREADS = sorted({1, len(os.sched_getaffinity(0))})
TOLERANCE = 1e-4  # of the largest value
_BLOCK = 0.004  # seconds that the calls of one round take, about
_BUDGET = 0.3  # seconds for all rounds of one case, about
_WARM_UP = 0.004  # seconds of calls before those that are timed
_PAUSE = 0.01  # seconds between looks at whether threads sleep: longer than a tick of their clock


def compare(
    benchmark: Any,
    kernel: str,
    case: str,
    threads: int,
    ours: Callable[[], object],
    out: np.ndarray,
    rivals: Mapping[str, Callable[[], Any]],
    operations: int = 0,
) -> None:
    """Time `ours`, which writes `out`, beside its rivals, each of which returns its result.

    A rival that returns None is a yardstick and computes something else. operations: of one call,
    a multiply-add counted as two. The medians, in seconds a call, go to benchmark.extra_info.
    """
    _use_threads(threads)
    ours()
    wanted = out.copy()
    for name, rival in rivals.items():
        if (result := rival()) is not None:
            np.testing.assert_allclose(
                np.asarray(result).reshape(wanted.shape),
                wanted,
                rtol=TOLERANCE,
                atol=TOLERANCE * np.abs(wanted).max(),
                err_msg=f"{name} and numba-caffe do not compute the same",
            )
    blocks = {name: _block(run) for name, run in {OURS: ours, **rivals}.items()}
    rounds = int(min(max(_BUDGET / sum(spent for _, _, spent in blocks.values()), 5), 40))
    seconds: dict[str, list[float]] = {name: [] for name in rivals}

    def rivals_turn() -> None:
        for name, found in seconds.items():
            _wake(rivals[name])
            run, times, _ = blocks[name]
            started = time.perf_counter()
            run()
            found.append((time.perf_counter() - started) / times)
        _wake(ours)

    run, times, _ = blocks[OURS]
    benchmark.pedantic(run, setup=rivals_turn, rounds=rounds)
    medians = {name: median(found) for name, found in seconds.items()}
    medians[OURS] = median(benchmark.stats.stats.data) / times
    benchmark.extra_info |= {
        "kernel": kernel,
        "case": case,
        "threads": threads,
        "seconds": medians,
        "operations": operations,
        "peak": _peak(kernel, threads) if operations else 0,
    }


def _use_threads(threads: int) -> None:
    numba.set_num_threads(threads)
    threadpoolctl.threadpool_limits(threads, user_api="blas")
    if torch is not None:
        torch.set_num_threads(threads)


def _wait_for_sleep() -> None:
    """Wait until no thread of the rival before spins. OpenBLAS's do so for 100 ms after their work,
    and whoever comes next would share a core with them."""
    if numba.get_num_threads() == 1:
        return
    spent = _PAUSE
    while spent > _PAUSE / 10:
        before = time.process_time()
        time.sleep(_PAUSE)
        spent = time.process_time() - before


def _wake(run: Callable[[], object]) -> None:
    """Call it, once others' threads sleep, until its own are awake: the first calls after a pause
    take several times as long."""
    _wait_for_sleep()
    started = time.perf_counter()
    run()
    while time.perf_counter() - started < _WARM_UP:
        run()


@functools.cache
def _peak(kernel: str, threads: int) -> float:
    """The machine's peak, measured once beside each kernel: what else runs may slow down some of
    the measurements, and the best one counts."""
    return multiply_add_peak(threads)


def _block(run: Callable[[], object]) -> tuple[Callable[[], None], int, float]:
    """As many calls as take about _BLOCK, but one at least: their number and their seconds."""
    _wake(run)
    started = time.perf_counter()
    run()
    once = time.perf_counter() - started
    times = max(1, int(_BLOCK / once))

    def block() -> None:
        for _ in range(times):
            run()

    return block, times, times * once
