"""What machine this is and what it can do: python -m bench.machine prints it as JSON."""

import importlib.metadata
import json
import os
import platform
from datetime import date
from pathlib import Path
from typing import Any

from caffe.kernels.cpu.roofline import memory_bandwidth, multiply_add_peak
from caffe.kernels.cpu.vector import host_width


def machine() -> dict[str, Any]:
    """The processor's name, cores, vector width in floats, roofline (GFLOP/s and GB/s on one
    thread and on all), the versions of what is compared, and the date."""
    cores = len(os.sched_getaffinity(0))
    return {
        "name": _processor(),
        "cores": cores,
        "width": host_width(),
        "peak": {threads: _peak(threads) for threads in (1, cores)},
        "bandwidth": {threads: memory_bandwidth(threads) for threads in (1, cores)},
        "versions": {"Python": platform.python_version()}
        | {name: _version(name) for name in ("numpy", "numba", "torch")},
        "date": date.today().isoformat(),
    }


def _peak(threads: int) -> float:
    # What else the machine does may slow down one measurement, but hardly all of them.
    return max(multiply_add_peak(threads) for _ in range(5))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    print(json.dumps(machine(), indent=1))
