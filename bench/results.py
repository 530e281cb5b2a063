"""What the benchmarks have found, read back for the report: build/bench/*.json."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caffe.errors import CaffeError

OURS = "numba-caffe"
WHO = (OURS, "NumPy", "PyTorch")


@dataclass(frozen=True)
class Case:
    """One kernel on one shape: the median seconds of a call, by who computes it."""

    kernel: str
    case: str
    threads: int
    seconds: dict[str, float]
    operations: int
    peak: float  # GFLOP/s, as measured beside it

    @property
    def ours(self) -> float:
        """Our seconds."""
        return self.seconds[OURS]

    def fastest(self, name: str) -> float:
        """The seconds of the fastest variant of this name; infinity where there is none."""
        found = [seconds for who, seconds in self.seconds.items() if who.startswith(name)]
        return min(found, default=math.inf)


def read_cases(path: Path) -> list[Case]:
    """The cases in pytest-benchmark's file: GEMM first, the other kernels by name, forward before
    backward. Raises CaffeError where there are none."""
    cases = [Case(**benchmark["extra_info"]) for benchmark in read_results(path)["benchmarks"]]
    return sorted(cases, key=_place)


def _place(case: Case) -> tuple[bool, str, bool, str]:
    name, backward, what = case.kernel.partition(" backward")
    return (case.kernel != "gemm", name.removesuffix(" forward"), bool(backward), what)


def read_results(path: Path) -> Any:
    """The content of a result file. Raises CaffeError where it cannot be read."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CaffeError(f"{path}: no results to read: {error}; run make bench") from error


def peaks(cases: Iterable[Case], machine: dict[str, Any]) -> dict[int, float]:
    """The machine's multiply-add peak in GFLOP/s, by the number of threads: the best measured."""
    best = {int(threads): peak for threads, peak in machine["peak"].items()}
    for case in cases:
        best[case.threads] = max(best.get(case.threads, 0), case.peak)
    return best


def share(operations: float, seconds: float, peak: float) -> float:
    """The share of the peak (GFLOP/s) that so many operations in so many seconds reach."""
    return 1e-9 * operations / seconds / peak


def shares(cases: Iterable[Case], best: dict[int, float]) -> dict[str, dict[str, float]]:
    """What each of WHO reaches, by kernel: each GEMM, and each other kernel on all layers of a net,
    on as many threads as were timed. Left out are kernels that do not multiply."""
    groups: dict[str, list[Case]] = {}
    most = max(best)
    for case in cases:
        if case.kernel == "gemm":
            groups[f"gemm, {case.case} ({case.threads})"] = [case]
        elif case.operations and case.threads == most:
            net = case.case.rpartition(" ")[0]
            groups.setdefault(f"{case.kernel}, {net} ({most})", []).append(case)
    return {name: _shares(group, best[group[0].threads]) for name, group in groups.items()}


def _shares(group: list[Case], peak: float) -> dict[str, float]:
    operations = sum(case.operations for case in group)
    seconds = {who: sum(case.fastest(who) for case in group) for who in WHO}
    return {who: share(operations, spent, peak) for who, spent in seconds.items()}


def training_shares(found: dict[str, Any], best: dict[int, float]) -> dict[str, dict[str, float]]:
    """The same of a whole training iteration, by the results of bench/lenet.py."""
    most = max(best)
    seconds = found["training"][str(most)]
    reached = {
        who: share(found["operations"], seconds[who], best[most]) for who in WHO if who in seconds
    }
    return {f"LeNet, training iteration ({most})": reached}


def geometric_mean(values: list[float]) -> float:
    """The geometric mean of positive numbers."""
    return math.exp(math.fsum(map(math.log, values)) / len(values))
