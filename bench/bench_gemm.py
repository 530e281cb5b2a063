"""GEMM beside NumPy's (OpenBLAS) on squares, an odd size and LeNet's shapes.

    make bench        or: python -m pytest bench -o python_files='bench_*.py' --benchmark-enable

Every result is checked before it is timed.
"""

import numpy as np
import pytest

from caffe.kernels import cpu

SIZES = {  # rows, columns, depth, transpose a, transpose b
    "256": (256, 256, 256, False, False),
    "512": (512, 512, 512, False, False),
    "1024": (1024, 1024, 1024, False, False),
    "odd": (67, 131, 517, False, False),
    "conv1": (20, 576, 25, False, False),
    "conv2": (50, 64, 500, False, False),
    "ip1": (64, 500, 800, False, True),
    "ip1 weight gradient": (500, 800, 64, True, False),
    "ip2": (64, 10, 500, False, True),
}


@pytest.mark.parametrize("who", ["numba-caffe", "numpy"])
@pytest.mark.parametrize("size", SIZES)
def test_gemm(benchmark, size: str, who: str) -> None:
    rows, columns, depth, trans_a, trans_b = SIZES[size]
    rng = np.random.default_rng(0)
    a = rng.normal(size=(depth, rows) if trans_a else (rows, depth)).astype(np.float32)
    b = rng.normal(size=(columns, depth) if trans_b else (depth, columns)).astype(np.float32)
    c = np.empty((rows, columns), np.float32)
    op_a, op_b = a.T if trans_a else a, b.T if trans_b else b
    cpu.gemm(trans_a, trans_b, 1.0, a, b, 0.0, c)
    wanted = op_a.astype(np.float64) @ op_b
    np.testing.assert_allclose(c, wanted, rtol=1e-4, atol=1e-5 * np.abs(wanted).max())
    benchmark.group = size
    if who == "numpy":
        benchmark(np.matmul, op_a, op_b, out=c)
    else:
        benchmark(cpu.gemm, trans_a, trans_b, 1.0, a, b, 0.0, c)
    benchmark.extra_info["GFLOP/s"] = 2e-9 * rows * columns * depth / benchmark.stats["median"]
