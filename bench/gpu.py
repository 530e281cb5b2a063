"""The GPU's kernels and training beside PyTorch.

    python -m bench.gpu

Writes bench/results/NAME.json and NAME.md, NAME being the GPU's, and prints the latter. Everything
runs in one process, in turns; medians are shown. Needs a GPU and the extras bench and cuda.
"""

import importlib
import json
import logging
import platform
import subprocess
import sys
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.contest import ROOT
from bench.gpu_tables import report
from caffe.kernels import twins

RESULTS = ROOT / "bench" / "results"


def describe_device() -> dict[str, Any]:
    """The GPU, its peak in GFLOP/s and clock in MHz, the driver and versions, the date."""
    from numba import cuda

    from caffe.kernels.cuda.roofline import multiply_add_peak

    device = cuda.get_current_device()
    return {
        "name": device.name,
        "capability": ".".join(map(str, device.compute_capability)),
        "multiprocessors": device.MULTIPROCESSOR_COUNT,
        "clock": device.CLOCK_RATE / 1e3,
        "peak": multiply_add_peak(),
        "driver": _driver(),
        "versions": {"Python": platform.python_version()}
        | {name: version(name) for name in ("numba", "numba-cuda", "torch")},
        "date": date.today().isoformat(),
    }


def _driver() -> str:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.split()[0]


def measure() -> dict[str, Any]:
    """Time everything."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    twins.use_gpu()
    from bench.gpu_kernels import time_kernels
    from bench.gpu_lenet import time_lenet
    from bench.lenet import prepare

    found = {
        "device": describe_device(),
        "kernels": [timing._asdict() for timing in time_kernels()],
    }
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        found["lenet"] = time_lenet(Path(folder))
    return found


def _why_no_torch() -> str:
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return "PyTorch is missing; install it: pip install -e '.[bench,cuda]'"
    return "" if torch.cuda.is_available() else "this PyTorch cannot use the GPU"


def main() -> None:
    """Measure, write and print; one line and exit code 1 where that cannot be."""
    why_not = twins.why_no_gpu() or ("the GPU is simulated" if twins.is_simulated() else "")
    if not why_not:
        why_not = _why_no_torch()
    if why_not:
        sys.exit(f"nothing to measure: {why_not}")
    logging.getLogger("caffe").setLevel(logging.WARNING)
    found = measure()
    RESULTS.mkdir(exist_ok=True)
    path, text = RESULTS / found["device"]["name"].replace(" ", "_"), report(found) + "\n"
    Path(f"{path}.json").write_text(json.dumps(found, indent=1) + "\n")
    Path(f"{path}.md").write_text(text)
    print(f"\n{text}\nWritten to {path}.json and .md.")


if __name__ == "__main__":
    main()
