"""Kernels compiled for processors with other vectors than this one's, in processes of their own."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from caffe.kernels.cpu.vector import host_features

SSE = "+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt"
AVX2 = f"{SSE},+avx,+avx2,+fma,+f16c,+bmi,+bmi2,+lzcnt,+movbe"
AVX512 = f"{AVX2},+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="these are processors by Intel")
@pytest.mark.parametrize(
    ("name", "features", "printed"),
    [
        ("nehalem", SSE, "4 xmm"),  # no fused multiply-add
        ("haswell", AVX2, "8 xmm ymm"),
        ("skylake-avx512", AVX512, "16 xmm ymm zmm"),
    ],
)
def test_kernels_of_any_width(name, features, printed, tmp_path):
    if not {feature[1:] for feature in features.split(",")} <= host_names():
        pytest.skip(f"this machine cannot run code for {name}")
    done = subprocess.run(
        [sys.executable, Path(__file__).parent / "width_checks.py"],
        env=os.environ
        | {
            "NUMBA_CPU_NAME": name,
            "NUMBA_CPU_FEATURES": features,
            "NUMBA_CACHE_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == printed


def host_names() -> set[str]:
    return {name for name, present in host_features().items() if present}
