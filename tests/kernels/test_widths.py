"""Kernels compiled for processors with other vectors than this one's, in processes of their own."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from kernel_testing import cpu_only

from caffe.kernels.cpu.vector import host_features

pytestmark = cpu_only

SSE = "+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt"
AVX2 = f"{SSE},+avx,+avx2,+fma,+f16c,+bmi,+bmi2,+lzcnt,+movbe"
AVX512 = f"{AVX2},+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl"
PROCESSORS = {  # features, and what the script is to print: the width, and the registers used
    "nehalem": (SSE, "4 xmm"),  # 16 registers, no fused multiply-add
    "haswell": (AVX2, "8 xmm ymm"),  # 16 registers
    "skylake-avx512": (AVX512, "16 xmm ymm zmm"),  # 32 registers
}


def can_run(processor: str) -> bool:
    present = {name for name, there in host_features().items() if there}
    needed = {feature[1:] for feature in PROCESSORS[processor][0].split(",")}
    return platform.machine() == "x86_64" and needed <= present


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The script for each processor that this one can stand in for, all of them at once."""
    processes = {}
    for name, (features, _) in PROCESSORS.items():
        environment = {
            "NUMBA_CPU_NAME": name,
            "NUMBA_CPU_FEATURES": features,
            "NUMBA_CACHE_DIR": str(tmp_path_factory.mktemp(name)),
            "NUMBA_NUM_THREADS": "1",  # three processes for the cores as it is
        }
        if can_run(name):
            processes[name] = subprocess.Popen(
                [sys.executable, Path(__file__).parent / "width_checks.py"],
                env=os.environ | environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
    yield processes
    for process in processes.values():
        process.kill()
        process.wait()


@pytest.mark.parametrize("processor", PROCESSORS)
def test_kernels_of_any_width(processor, runs):
    if processor not in runs:
        pytest.skip(f"this machine cannot run code for {processor}")
    printed, log = runs[processor].communicate(timeout=300)
    assert runs[processor].returncode == 0, log
    assert printed.strip() == PROCESSORS[processor][1]
