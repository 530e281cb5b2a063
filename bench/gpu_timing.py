"""Timing on the GPU, in one process: rounds of each contestant in turn, between CUDA events.

A launch from Python takes longer than most kernels, so a kernel is recorded many times over in a
graph, ours by our own Recording, PyTorch's by torch.cuda.CUDAGraph. All graphs run on streams that
wait for CUDA's default stream, where the events are.
"""

from collections.abc import Callable, Mapping
from statistics import median

import torch
from numba import cuda as numba_cuda

from caffe.kernels.cuda import Recording

REPETITIONS = 20  # of a kernel in its graph
ROUNDS = 21
_ROUND = 0.005  # seconds, about
_WARM_UP = 3

Run = Callable[[int], object]  # run(n) does n steps


def record(step: Callable[[], object], times: int = REPETITIONS) -> Callable[[], None]:
    """A call that launches a graph of `step`, our kernels, so many times over."""
    step()  # compiled and loaded

    def repeat() -> None:
        for _ in range(times):
            step()

    return Recording(repeat).replay


def capture(step: Callable[[], object], times: int = REPETITIONS) -> Callable[[], None]:
    """The same for PyTorch's. A step runs _WARM_UP times before."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(_WARM_UP):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(times):
            step()
    return graph.replay


def medians(
    runs: Mapping[str, Run], rounds: int = ROUNDS, seconds: float = _ROUND
) -> dict[str, float]:
    """Seconds a step of each contestant: the medians of rounds that take about `seconds`."""
    times = {}
    for name, run in runs.items():
        run(_WARM_UP)
        times[name] = max(1, int(seconds / _seconds(run, _WARM_UP)))
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            run(1)  # what the contestant before has left in caches is gone
            found[name].append(_seconds(run, times[name]))
    return {name: median(spent) for name, spent in found.items()}


def _seconds(run: Run, times: int) -> float:
    begin, end = numba_cuda.event(), numba_cuda.event()
    begin.record()
    run(times)
    end.record()
    end.synchronize()
    return 1e-3 * numba_cuda.event_elapsed_time(begin, end) / times
