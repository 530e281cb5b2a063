"""The GPU's kernels beside PyTorch's, cuBLAS and cuDNN: on the shapes of the CPU's benchmarks.

Results are compared before anything is timed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numba import cuda as numba_cuda

from bench.aligned import random
from bench.bench_convolution import FIRST, LAYERS, Layer
from bench.bench_gemm import SIZES
from bench.bench_max_pooling import LAYERS as POOLINGS
from bench.bench_max_pooling import STRIDE, arrays
from bench.bench_softmax_loss import SIZES as LOSSES
from bench.contest import calls
from bench.gpu_tables import Timing
from bench.gpu_timing import REPETITIONS, capture, medians, record
from bench.results import OURS
from bench.rivals import TOLERANCE
from caffe.kernels import cuda

GEMMS = SIZES | {str(n): (n, n, n, False, False) for n in (2048, 4096)}
aten = torch.ops.aten


def time_kernels() -> list[Timing]:
    """All of them, printed as they come."""
    found: list[Timing] = []
    for time_case, cases in (
        (gemm, GEMMS),
        (convolution_forward, LAYERS),
        (convolution_backward_data, [name for name in LAYERS if name not in FIRST]),
        (convolution_backward_weight, LAYERS),
        (max_pooling_forward, POOLINGS),
        (max_pooling_backward, POOLINGS),
        (softmax_loss, LOSSES),
    ):
        for case in cases:
            timing = time_case(case)
            microseconds = f"{timing.ours * 1e6:9.1f} µs, PyTorch {timing.theirs * 1e6:9.1f} µs"
            print(f"{microseconds}: {timing.kernel}, {case}", flush=True)
            found.append(timing)
    return found


def compare(
    kernel: str,
    case: str,
    ours: Callable[[], object],
    out: Any,
    theirs: Callable[[], torch.Tensor],
    operations: int = 0,
) -> Timing:
    """Time `ours`, which writes `out`, beside `theirs`, which returns its result. Where `ours` adds
    to `out`, that must be zeros at first."""
    ours()
    found, wanted = out.copy_to_host(), theirs().cpu().numpy().reshape(out.shape)
    np.testing.assert_allclose(
        found, wanted, TOLERANCE, TOLERANCE * np.abs(wanted).max(), err_msg=f"{kernel}, {case}"
    )
    runs = {OURS: calls(record(ours)), "PyTorch": calls(capture(theirs))}
    seconds = {name: spent / REPETITIONS for name, spent in medians(runs).items()}
    return Timing(kernel, case, seconds[OURS], seconds["PyTorch"], operations)


def on_gpu(*values: np.ndarray) -> list[Any]:
    """Copies in the GPU's memory."""
    return [numba_cuda.to_device(array) for array in values]


def tensors(*values: Any) -> list[torch.Tensor]:
    """PyTorch's views of arrays on the GPU: the same memory."""
    return [torch.as_tensor(array, device="cuda") for array in values]


def gemm(case: str) -> Timing:
    """A matrix product beside cuBLAS."""
    rows, columns, depth, trans_a, trans_b = GEMMS[case]
    a, b, c = on_gpu(
        random(depth, rows) if trans_a else random(rows, depth),
        random(columns, depth, seed=1) if trans_b else random(depth, columns, seed=1),
        random(rows, columns),
    )
    x, y, z = tensors(a, b, c)
    x, y, z = x.T if trans_a else x, y.T if trans_b else y, torch.empty_like(z)
    return compare(
        "gemm", case,
        lambda: cuda.gemm(trans_a, trans_b, 1.0, a, b, 0.0, c), c,
        lambda: torch.mm(x, y, out=z), 2 * rows * columns * depth,
    )  # fmt: skip


class Convolution(Layer):
    """A layer's arrays on the GPU, and as tensors."""

    def __init__(self, case: str):
        super().__init__(case)
        self.arrays = on_gpu(self.bottom, self.weight, self.bias, self.top)
        self.on_torch = tensors(*self.arrays)
        pad, stride, dilation, group, _ = self.ours
        shapes = self.bottom.shape, self.weight.shape, self.top.shape
        floats = cuda.convolution_workspace(*shapes, stride, group)
        self.how = pad, stride, dilation, group, numba_cuda.device_array(floats, np.float32)

    def torch_gradient(self, which: int) -> torch.Tensor:
        """PyTorch's, with respect to the bottom (0) or the weight (1)."""
        bottom, weight, _, top = self.on_torch
        mask = [which == 0, which == 1, False]
        return aten.convolution_backward(top, bottom, weight, *self.torch_backward, mask)[which]


def convolution_forward(case: str) -> Timing:
    """A convolution beside cuDNN."""
    layer = Convolution(case)
    bottom, weight, bias, top = layer.arrays
    return compare(
        "convolution forward", case,
        lambda: cuda.convolution_forward(bottom, weight, bias, top, *layer.how), top,
        lambda: torch.conv2d(*layer.on_torch[:3], *layer.torch_forward), layer.operations,
    )  # fmt: skip


def convolution_backward_data(case: str) -> Timing:
    """Its gradient with respect to the bottom."""
    layer = Convolution(case)
    _, weight, _, top = layer.arrays
    [diff] = on_gpu(layer.bottom)
    return compare(
        "convolution backward data", case,
        lambda: cuda.convolution_backward_data(top, weight, diff, *layer.how), diff,
        lambda: layer.torch_gradient(0), layer.operations,
    )  # fmt: skip


def convolution_backward_weight(case: str) -> Timing:
    """Its gradient with respect to the weight."""
    layer = Convolution(case)
    bottom, _, _, top = layer.arrays
    [diff] = on_gpu(np.zeros_like(layer.weight))
    return compare(
        "convolution backward weight", case,
        lambda: cuda.convolution_backward_weight(bottom, top, diff, *layer.how), diff,
        lambda: layer.torch_gradient(1), layer.operations,
    )  # fmt: skip


def max_pooling_forward(case: str) -> Timing:
    """Max pooling."""
    *values, kernel = arrays(case)
    bottom, top, mask = on_gpu(*values)
    [x] = tensors(bottom)
    return compare(
        "max pooling forward", case,
        lambda: cuda.max_pooling_forward(bottom, top, mask, kernel, (0, 0), STRIDE), top,
        lambda: aten.max_pool2d_with_indices(x, kernel, STRIDE, ceil_mode=True)[0],
    )  # fmt: skip


def max_pooling_backward(case: str) -> Timing:
    """Its gradient."""
    *values, kernel = arrays(case)
    bottom, top, mask = on_gpu(*values)
    [diff] = on_gpu(values[0])
    x, y, indices = tensors(bottom, top, mask)
    indices = indices.long()
    return compare(
        "max pooling backward", case,
        lambda: cuda.max_pooling_backward(top, mask, diff, kernel, (0, 0), STRIDE), diff,
        lambda: aten.max_pool2d_with_indices_backward(
            y, x, kernel, STRIDE, (0, 0), (1, 1), True, indices
        ),
    )  # fmt: skip


def softmax_loss(case: str) -> Timing:
    """Softmax loss, forward and backward together."""
    images, classes = LOSSES[case]
    labels = np.random.default_rng(1).integers(0, classes, (images, 1)).astype(np.float32)
    scores, one = random(images, classes, 1), np.ones(1, np.float32)
    bottom, prob, diff = on_gpu(scores, scores, scores)
    label, loss, weight, status = on_gpu(labels, one, one, np.zeros(2, np.int32))
    x, wanted = tensors(bottom, label)
    x, wanted = x[:, :, 0].clone().requires_grad_(), wanted[:, 0].long()
    normalizer = float(images)

    def ours() -> None:
        cuda.softmax_loss_forward(bottom, label, cuda.NO_LABEL, normalizer, prob, loss, status)
        cuda.softmax_loss_backward(prob, label, cuda.NO_LABEL, weight, normalizer, status, diff)

    def theirs() -> torch.Tensor:
        return torch.autograd.grad(torch.nn.functional.cross_entropy(x, wanted), x)[0]

    return compare("softmax loss", case, ours, diff, theirs)
