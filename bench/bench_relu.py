"""ReLU and its gradient: LeNet's ip1 and CaffeNet's conv1, 16 images."""

from typing import Any

import numpy as np
import pytest

from bench.aligned import empty, random
from bench.copying import make_copy
from bench.rivals import THREADS, compare, torch
from caffe.kernels import cpu

SIZES = {"LeNet ip1": 64 * 500, "CaffeNet conv1": 16 * 96 * 55 * 55}


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_relu(benchmark: Any, direction: str, name: str, threads: int) -> None:
    bottom, top_diff = random(SIZES[name]), random(SIZES[name], seed=1)
    out, out_numpy = empty(*bottom.shape), empty(*bottom.shape)
    ours = {
        "forward": lambda: cpu.relu_forward(bottom, out, 0.0),
        "backward": lambda: cpu.relu_backward(bottom, top_diff, out, 0.0),
    }
    numpy = {
        "forward": lambda: np.maximum(bottom, 0, out=out_numpy),
        "backward": lambda: np.multiply(top_diff, bottom > 0, out=out_numpy),
    }
    moved = {"forward": (bottom, out), "backward": (bottom, top_diff, out)}
    rivals: dict[str, Any] = {"copy": make_copy(*moved[direction]), "NumPy": numpy[direction]}
    if torch is not None:
        x, y, z = map(torch.from_numpy, (bottom, top_diff, empty(*bottom.shape)))
        rivals["PyTorch"] = {
            "forward": lambda: torch.clamp_min(x, 0, out=z),
            "backward": lambda: torch.ops.aten.threshold_backward(y, x, 0),
        }[direction]
    compare(benchmark, f"relu {direction}", name, threads, ours[direction], out, rivals)
