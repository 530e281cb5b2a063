"""The report of bench/gpu.py, from its results; nothing here needs a GPU."""

from typing import Any, NamedTuple

from bench.results import OURS, geometric_mean, share
from bench.tables import Row, table

GRAPH = ", CUDA graph"  # ends the names of PyTorch's variants that replay one


class Timing(NamedTuple):
    """A kernel on one shape: seconds a call, ours and PyTorch's, and the operations of one call, a
    multiply-add counted as two; 0 where it does not multiply."""

    kernel: str
    case: str
    ours: float
    theirs: float
    operations: int

    @property
    def ratio(self) -> float:
        """How many times as fast as PyTorch we are."""
        return self.theirs / self.ours


def report(found: dict[str, Any]) -> str:
    """The results of bench/gpu.py as Markdown: where, goals, training, kernels."""
    peak = found["device"]["peak"]
    timings = [Timing(**timing) for timing in found["kernels"]]
    head = ("goal", "measured", "wanted", "")
    return "\n\n".join(
        [
            f"# {found['device']['name']}",
            device_text(found["device"]),
            table(head, goal_rows(found["lenet"], timings)),
            "LeNet, batches of 64 that lie on the GPU:",
            training_table(found["lenet"], peak),
            f"Kernels, each in a graph of repetitions; in all {mean_text(timings)}:",
            kernel_table(timings, peak),
        ]
    )


def device_text(device: dict[str, Any]) -> str:
    """What was measured on, and what its peak is taken to be."""
    versions = ", ".join(f"{name} {version}" for name, version in device["versions"].items())
    return (
        f"Measured on {device['date']}: compute capability {device['capability']}, driver "
        f"{device['driver']}, {versions}. The multiply-add peak in float32 is taken to be "
        f"{device['peak'] / 1e3:.1f} TFLOP/s: that of {device['multiprocessors']} multiprocessors "
        f"at their highest clock, {device['clock']:.0f} MHz. PyTorch computes without TF32, "
        "and with cuDNN's benchmark mode."
    )


def goal_rows(lenet: dict[str, Any], timings: list[Timing]) -> list[Row]:
    """What the GPU's kernels are meant to reach, what they did, and whether that is it."""
    ours, eager, graph = _iterations(lenet["iteration"])
    large = [timing.ratio for timing in timings if (timing.kernel, timing.case) == ("gemm", "4096")]
    seconds, accuracy = lenet["ten_thousand"], lenet["accuracy"]
    rows = [
        _at_least("LeNet's iteration, over PyTorch with CUDA graphs", graph / ours, 1.5, " ×"),
        _at_least("LeNet's iteration, over PyTorch eager", eager / ours, 5, " ×"),
        _goal("10,000 iterations with tests", f"{seconds:.2f} s", "< 1.5 s", seconds < 1.5),
        _goal("their accuracy", f"{accuracy:.4f}", "≥ 0.990", accuracy >= 0.990),
    ]
    return [*rows, *(_at_least("GEMM of 4096, over cuBLAS", ratio, 0.8, " ×") for ratio in large)]


def _iterations(seconds: dict[str, float]) -> tuple[float, float, float]:
    """Seconds of ours, of the fastest eager PyTorch and of the fastest under CUDA graphs."""
    rivals = {name: spent for name, spent in seconds.items() if name != OURS}
    eager = min(spent for name, spent in rivals.items() if not name.endswith(GRAPH))
    graph = min(spent for name, spent in rivals.items() if name.endswith(GRAPH))
    return seconds[OURS], eager, graph


def _at_least(what: str, value: float, wanted: float, unit: str) -> Row:
    return _goal(what, f"{value:.2f}{unit}", f"≥ {wanted:g}{unit}", value >= wanted)


def _goal(what: str, measured: str, wanted: str, reached: bool) -> Row:
    return (what, measured, wanted, "reached" if reached else "missed")


def training_table(lenet: dict[str, Any], peak: float) -> str:
    """Each contestant's iteration."""
    ours = lenet["iteration"][OURS]
    rows = [
        (
            name,
            f"{spent * 1e6:.1f}",
            f"{spent / ours:.2f} ×",
            _share(lenet["operations"], spent, peak),
        )
        for name, spent in lenet["iteration"].items()
    ]
    return table(("", "µs an iteration", "of our time", "of peak"), rows)


def kernel_table(timings: list[Timing], peak: float) -> str:
    """Every case."""
    rows = [
        (
            timing.kernel,
            timing.case,
            f"{timing.ours * 1e6:,.1f}",
            f"{timing.theirs * 1e6:,.1f}",
            f"{timing.ratio:.2f} ×",
            _share(timing.operations, timing.ours, peak),
        )
        for timing in timings
    ]
    return table(("kernel", "case", "ours, µs", "PyTorch, µs", "ratio", "of peak"), rows)


def mean_text(timings: list[Timing]) -> str:
    """How fast we are over all cases."""
    return f"{geometric_mean([timing.ratio for timing in timings]):.2f} × as fast as PyTorch"


def _share(operations: int, seconds: float, peak: float) -> str:
    return f"{share(operations, seconds, peak):.0%}" if operations else ""
