"""Max pooling, beside PyTorch and beside copying as many bytes as it reads and writes.

Copying n bytes reads n/2 and writes n/2. The layers of LeNet, CIFAR-10-quick and CaffeNet.
"""

from typing import Any

import numpy as np
import pytest

from bench.aligned import empty, random
from bench.copying import make_copy
from bench.rivals import THREADS, compare, torch
from caffe.kernels import cpu

LAYERS = {  # images, channels, height = width, kernel, pooled height
    "LeNet pool1": (64, 20, 24, 2, 12),
    "LeNet pool2": (64, 50, 8, 2, 4),
    "CIFAR-10-quick pool1": (100, 32, 32, 3, 16),
    "CaffeNet pool1": (16, 96, 55, 3, 27),
    "CaffeNet pool2": (16, 256, 27, 3, 13),
    "CaffeNet pool5": (16, 256, 13, 3, 6),
}
STRIDE = (2, 2)


def arrays(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]:
    """bottom, top, mask and the kernel; top and mask are those of a forward pass."""
    images, channels, size, kernel, pooled = LAYERS[name]
    bottom = random(images, channels, size, size)
    top = empty(images, channels, pooled, pooled)
    mask = empty(*top.shape, dtype=np.int32)
    cpu.max_pooling_forward(bottom, top, mask, (kernel, kernel), (0, 0), STRIDE)
    return bottom, top, mask, (kernel, kernel)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name", LAYERS)
def test_forward(benchmark: Any, name: str, threads: int) -> None:
    bottom, top, mask, kernel = arrays(name)
    rivals: dict[str, Any] = {"copy": make_copy(bottom, top, mask)}
    if torch is not None:
        x = torch.from_numpy(bottom)
        rivals["PyTorch"] = lambda: torch.ops.aten.max_pool2d_with_indices(
            x, kernel, STRIDE, ceil_mode=True
        )[0]
    compare(
        benchmark, "max pooling forward", name, threads,
        lambda: cpu.max_pooling_forward(bottom, top, mask, kernel, (0, 0), STRIDE), top, rivals,
    )  # fmt: skip


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name", LAYERS)
def test_backward(benchmark: Any, name: str, threads: int) -> None:
    bottom, top, mask, kernel = arrays(name)
    diff = empty(*bottom.shape)
    rivals: dict[str, Any] = {"copy": make_copy(bottom, top, mask)}
    if torch is not None:
        x, y, indices = map(torch.from_numpy, (bottom, top, mask.astype(np.int64)))
        rivals["PyTorch"] = lambda: torch.ops.aten.max_pool2d_with_indices_backward(
            y, x, kernel, STRIDE, (0, 0), (1, 1), True, indices
        )
    compare(
        benchmark, "max pooling backward", name, threads,
        lambda: cpu.max_pooling_backward(top, mask, diff, kernel, (0, 0), STRIDE), diff, rivals,
    )  # fmt: skip
