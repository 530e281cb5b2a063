"""GEMM, on one thread: LeNet's shapes, squares and an odd size."""

from typing import Any

import numpy as np
import pytest

from bench.aligned import empty, random
from bench.rivals import compare, torch
from caffe.kernels import cpu

SIZES = {  # rows, columns, depth, transpose a, transpose b
    "LeNet conv1": (20, 576, 25, False, False),
    "LeNet conv2": (50, 64, 500, False, False),
    "LeNet ip1": (64, 500, 800, False, True),
    "LeNet ip1, weight gradient": (500, 800, 64, True, False),
    "LeNet ip1, data gradient": (64, 800, 500, False, False),
    "LeNet ip2": (64, 10, 500, False, True),
    "67 x 131 x 517": (67, 131, 517, False, False),
    "256": (256, 256, 256, False, False),
    "512": (512, 512, 512, False, False),
    "1024": (1024, 1024, 1024, False, False),
}


@pytest.mark.parametrize("size", SIZES)
def test_gemm(benchmark: Any, size: str) -> None:
    rows, columns, depth, trans_a, trans_b = SIZES[size]
    a = random(depth, rows) if trans_a else random(rows, depth)
    b = random(columns, depth) if trans_b else random(depth, columns)
    c, c_numpy = empty(2, rows, columns)
    op_a, op_b = a.T if trans_a else a, b.T if trans_b else b
    rivals: dict[str, Any] = {"NumPy": lambda: np.matmul(op_a, op_b, out=c_numpy)}
    if torch is not None:
        x, y, z = map(torch.from_numpy, (op_a, op_b, empty(*c.shape)))
        rivals["PyTorch"] = lambda: torch.mm(x, y, out=z)
    compare(
        benchmark,
        "gemm",
        size,
        1,
        lambda: cpu.gemm(trans_a, trans_b, 1.0, a, b, 0.0, c),
        c,
        rivals,
        operations=2 * rows * columns * depth,
    )
