"""Average pooling of 3 x 3 windows, beside PyTorch and copying the same bytes: CIFAR-10-quick's
layers."""

from typing import Any

import pytest

from bench.aligned import empty, random
from bench.copying import make_copy
from bench.rivals import THREADS, compare, torch
from caffe.kernels import cpu

LAYERS = {  # images, channels, height = width, pooled height
    "CIFAR-10-quick pool2": (100, 32, 16, 8),
    "CIFAR-10-quick pool3": (100, 64, 8, 4),
}
WINDOW = ((3, 3), (0, 0), (2, 2))  # kernel, pad, stride


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_average_pooling(benchmark: Any, direction: str, name: str, threads: int) -> None:
    images, channels, size, pooled = LAYERS[name]
    bottom, top = random(images, channels, size, size), random(images, channels, pooled, pooled)
    out = empty(*(top if direction == "forward" else bottom).shape)
    ours = {
        "forward": lambda: cpu.average_pooling_forward(bottom, out, *WINDOW),
        "backward": lambda: cpu.average_pooling_backward(top, out, *WINDOW),
    }
    rivals: dict[str, Any] = {"copy": make_copy(bottom, top)}
    if torch is not None:
        kernel, pad, stride = WINDOW
        x, y = torch.from_numpy(bottom), torch.from_numpy(top)
        rivals["PyTorch"] = {
            "forward": lambda: torch.ops.aten.avg_pool2d(x, kernel, stride, pad, True),
            "backward": lambda: torch.ops.aten.avg_pool2d_backward(
                y, x, kernel, stride, pad, True, True, None
            ),
        }[direction]
    compare(benchmark, f"average pooling {direction}", name, threads, ours[direction], out, rivals)
