"""Inner product and its gradients, forward with the bias: LeNet's and CaffeNet's layers."""

from typing import Any

import numpy as np
import pytest

from bench.aligned import empty, random
from bench.rivals import THREADS, compare, torch
from caffe.kernels import cpu

LAYERS = {  # images, inputs, outputs
    "LeNet ip1": (64, 800, 500),
    "LeNet ip2": (64, 500, 10),
    "CaffeNet fc8": (64, 4096, 1000),
}


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("direction", ["forward", "backward data", "backward weight"])
def test_inner_product(benchmark: Any, direction: str, name: str, threads: int) -> None:
    images, inputs, outputs = LAYERS[name]
    bottom, weight = random(images, inputs), random(outputs, inputs, seed=1)
    bias, top = random(outputs, seed=2), random(images, outputs, seed=3)
    shape = {"forward": top, "backward data": bottom, "backward weight": weight}[direction].shape
    out, out_numpy = empty(*shape), empty(*shape)
    out[:] = 0  # the weight's gradient is added
    ours = {
        "forward": lambda: cpu.inner_product_forward(bottom, weight, bias, out, False),
        "backward data": lambda: cpu.inner_product_backward_data(top, weight, out, False),
        "backward weight": lambda: cpu.inner_product_backward_weight(bottom, top, out, False),
    }
    numpy = {
        "forward": lambda: np.add(np.matmul(bottom, weight.T, out=out_numpy), bias, out=out_numpy),
        "backward data": lambda: np.matmul(top, weight, out=out_numpy),
        "backward weight": lambda: np.matmul(top.T, bottom, out=out_numpy),
    }
    rivals = {"NumPy": numpy[direction]}
    if torch is not None:
        x, w, b, y = map(torch.from_numpy, (bottom, weight, bias, top))
        rivals["PyTorch"] = {
            "forward": lambda: torch.nn.functional.linear(x, w, b),
            "backward data": lambda: torch.mm(y, w),
            "backward weight": lambda: torch.mm(y.T, x),
        }[direction]
    compare(
        benchmark, f"inner product {direction}", name, threads,
        ours[direction], out, rivals, 2 * images * inputs * outputs,
    )  # fmt: skip
