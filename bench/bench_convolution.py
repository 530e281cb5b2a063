"""Convolution and its gradients: the layers of LeNet, CIFAR-10-quick and CaffeNet.

PyTorch's two: NCHW, its default, and channels_last.
"""

from typing import Any

import numpy as np
import pytest

from bench.aligned import empty, random
from bench.rivals import THREADS, compare, torch
from caffe.kernels import cpu

LAYERS = {  # images, channels, height = width, outputs, kernel, pad, stride, group
    "LeNet conv1": (64, 1, 28, 20, 5, 0, 1, 1),
    "LeNet conv2": (64, 20, 12, 50, 5, 0, 1, 1),
    "CIFAR-10-quick conv1": (100, 3, 32, 32, 5, 2, 1, 1),
    "CIFAR-10-quick conv2": (100, 32, 16, 32, 5, 2, 1, 1),
    "CIFAR-10-quick conv3": (100, 32, 8, 64, 5, 2, 1, 1),
    "CaffeNet conv1": (4, 3, 227, 96, 11, 0, 4, 1),
    "CaffeNet conv2": (4, 96, 27, 256, 5, 2, 1, 2),
    "CaffeNet conv3": (4, 256, 13, 384, 3, 1, 1, 1),
    "CaffeNet conv4": (4, 384, 13, 384, 3, 1, 1, 2),
    "CaffeNet conv5": (4, 384, 13, 256, 3, 1, 1, 2),
}
FIRST = {name for name, layer in LAYERS.items() if layer[1] <= 3}  # its bottom needs no gradient


class Layer:
    """The arrays of a layer, and how each side is called."""

    def __init__(self, name: str):
        images, channels, size, outputs, kernel, pad, stride, group = LAYERS[name]
        out = (size + 2 * pad - kernel) // stride + 1
        self.bottom = random(images, channels, size, size)
        self.weight = random(outputs, channels // group, kernel, kernel, seed=1)
        self.bias = random(outputs, seed=2)
        self.top = random(images, outputs, out, out, seed=3)
        shapes = (self.bottom.shape, self.weight.shape, self.top.shape)
        workspace = empty(cpu.convolution_workspace(*shapes, (stride, stride), group))
        self.ours = ((pad, pad), (stride, stride), (1, 1), group, workspace)
        self.torch_forward: Any = ((stride, stride), (pad, pad), (1, 1), group)
        self.torch_backward: Any = (None, *self.torch_forward[:3], False, (0, 0), group)
        self.operations = 2 * self.top.size * self.weight[0].size

    def tensors(self, *names: str) -> dict[str, list[Any]]:
        """These arrays as PyTorch's tensors, in each of its two layouts."""
        if torch is None:
            return {}
        found = [torch.from_numpy(getattr(self, name)) for name in names]
        last = [t.contiguous(memory_format=torch.channels_last) for t in found if t.ndim == 4]
        return {"PyTorch": found, "PyTorch, channels_last": last + found[len(last) :]}


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name", LAYERS)
def test_forward(benchmark: Any, name: str, threads: int) -> None:
    layer = Layer(name)
    arrays = (layer.bottom, layer.weight, layer.bias, layer.top)
    rivals = {
        rival: lambda t=tensors: torch.conv2d(*t, *layer.torch_forward)
        for rival, tensors in layer.tensors("bottom", "weight", "bias").items()
    }
    compare(
        benchmark, "convolution forward", name, threads,
        lambda: cpu.convolution_forward(*arrays, *layer.ours), layer.top,
        rivals, layer.operations,
    )  # fmt: skip


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name", [name for name in LAYERS if name not in FIRST])
def test_backward_data(benchmark: Any, name: str, threads: int) -> None:
    layer = Layer(name)
    diff = empty(*layer.bottom.shape)
    compare(
        benchmark, "convolution backward data", name, threads,
        lambda: cpu.convolution_backward_data(layer.top, layer.weight, diff, *layer.ours), diff,
        _backward(layer, 0), layer.operations,
    )  # fmt: skip


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name", LAYERS)
def test_backward_weight(benchmark: Any, name: str, threads: int) -> None:
    layer = Layer(name)
    diff = np.zeros_like(layer.weight)
    compare(
        benchmark, "convolution backward weight", name, threads,
        lambda: cpu.convolution_backward_weight(layer.bottom, layer.top, diff, *layer.ours), diff,
        _backward(layer, 1), layer.operations,
    )  # fmt: skip


def _backward(layer: Layer, which: int) -> dict[str, Any]:
    """PyTorch's gradients with respect to bottom (0) or weight (1)."""
    mask = [which == 0, which == 1, False]
    return {
        rival: lambda t=tensors: torch.ops.aten.convolution_backward(
            *t, *layer.torch_backward, mask
        )[which]
        for rival, tensors in layer.tensors("top", "bottom", "weight").items()
    }
