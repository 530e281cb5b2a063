"""What compute-sanitizer watches: every kernel once, on odd shapes, then LeNet's training.

compute-sanitizer --error-exitcode=1 python tests/gpu/sanitized.py
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numba import cuda as numba_cuda

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / folder) for folder in ("net", "solver")]

from net_testing import fill_inputs, lenet_text  # noqa: E402
from solver_testing import solver_param  # noqa: E402

from caffe.kernels import reference, twins  # noqa: E402
from caffe.solver import get_solver  # noqa: E402

NONE = np.empty(0, np.float32)  # no bias, no share of each class
NOT_A_KERNEL = {"Recording", "synchronize"}
ITERATIONS = 4  # launched twice, recorded and repeated, repeated
_rng = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    """Random values."""
    return _rng.normal(size=shape).astype(np.float32)


def integers(*shape: int, below: int = 1) -> np.ndarray:
    """Random whole numbers, as floats: labels."""
    return _rng.integers(0, below, shape).astype(np.float32)


def counters(count: int) -> np.ndarray:
    """Zeros, int64."""
    return np.zeros(count, np.int64)


def calls() -> dict[str, tuple]:
    """Arguments for each kernel."""
    return elementwise() | products() | convolutions() | pooling() | losses() | training()


def elementwise() -> dict[str, tuple]:
    """Kernels on flat arrays, and those that make batches."""
    x, y, z = floats(1031), floats(1031), floats(1031)
    places = np.array([True, False]), np.array([0, 1]), np.array([2, 0])
    return {
        "add": (x, y, z),
        "asum": (x,),
        "axpy": (2.0, x, y),
        "copy": (x, y),
        "dot": (x, y),
        "fill": (2.0, x),
        "rng_gaussian": (1, 0.0, 1.0, x),
        "rng_uniform": (1, 0.0, 1.0, x),
        "relu_backward": (x, y, z, 0.1),
        "relu_forward": (x, y, 0.1),
        "scale": (2.0, x),
        "sum_of_squares": (x,),
        "tanh_backward": (x, y, z),
        "tanh_forward": (x, y),
        "transform": (floats(2, 3, 7, 8), floats(3, 7, 8), 0.5, *places, floats(2, 3, 5, 6)),
        "resident_batch": (
            floats(7, 3, 6, 5), integers(7), counters(1), floats(3, 1, 1), 0.5, 1, 0,
            floats(4, 3, 5, 5), floats(4),
        ),
    }  # fmt: skip


def products() -> dict[str, tuple]:
    """Matrix products."""
    bottom, weight, top = floats(33, 141), floats(67, 141), floats(33, 67)
    return {
        "gemm": (True, True, 0.5, floats(141, 33), weight, 0.5, top),
        "inner_product_backward_bias": (top, floats(67)),
        "inner_product_backward_data": (top, weight, bottom, False),
        "inner_product_backward_weight": (bottom, top, weight, False),
        "inner_product_forward": (bottom, weight, NONE, top, False),
    }


def convolutions() -> dict[str, tuple]:
    """Convolutions: (3, 4, 9, 8) into (3, 6, 5, 4) by windows of 3 x 3, two groups."""
    bottom, weight, bias, top = (
        floats(3, 4, 9, 8),
        floats(6, 2, 3, 3),
        floats(6),
        floats(3, 6, 5, 4),
    )
    pooled, mask = floats(3, 6, 3, 2), np.zeros((3, 6, 3, 2), np.int32)
    pad, stride, one, window = (1, 1), (2, 2), (1, 1), ((2, 2), (0, 0), (2, 2))
    reference.max_pooling_forward(top, pooled, mask, *window)
    kernels = twins.current()
    shapes = bottom.shape, weight.shape
    workspace = floats(kernels.convolution_workspace(*shapes, top.shape, stride, 2))
    layer = pad, stride, one, 2, workspace
    pooling_workspace = floats(
        kernels.convolution_max_pooling_workspace(*shapes, pooled.shape, pad, stride, 2)
    )
    fused = pad, stride, 2, window, pooling_workspace
    column = floats(4 * 9, 5 * 4)
    return {
        "col2im": (column, (3, 3), pad, stride, one, bottom[0]),
        "im2col": (bottom[0], (3, 3), pad, stride, one, column),
        "convolution_backward": (bottom, top, weight, weight.copy(), bottom.copy(), *layer),
        "convolution_backward_bias": (top, bias),
        "convolution_backward_data": (top, weight, bottom, *layer),
        "convolution_backward_weight": (bottom, top, weight, *layer),
        "convolution_forward": (bottom, weight, bias, top, *layer),
        "convolution_max_pooling_backward": (
            bottom,
            pooled,
            mask,
            weight,
            weight.copy(),
            bottom.copy(),
            *fused,
        ),
        "convolution_max_pooling_backward_data": (pooled, mask, weight, bottom, *fused),
        "convolution_max_pooling_backward_weight": (bottom, pooled, mask, weight, *fused),
        "convolution_max_pooling_forward": (bottom, weight, bias, top, pooled, mask, *fused),
    }


def pooling() -> dict[str, tuple]:
    """Windows of 3 x 3 that overlap, the last ones beyond the border."""
    bottom, top, mask = floats(3, 2, 8, 9), floats(3, 2, 4, 5), np.zeros((3, 2, 4, 5), np.int32)
    window = (3, 3), (0, 1), (2, 2)
    reference.max_pooling_forward(bottom, top, mask, *window)
    return {
        "average_pooling_backward": (top, bottom, *window),
        "average_pooling_forward": (bottom, top, *window),
        "max_pooling_backward": (top, mask, bottom, *window),
        "max_pooling_forward": (bottom, top, mask, *window),
    }


def losses() -> dict[str, tuple]:
    """Softmax and what compares it with labels."""
    x, y, z, label = floats(5, 11, 3), floats(5, 11, 3), floats(5, 11, 3), integers(5, 3, below=11)
    status = np.array([15, -1], np.int32)
    return {
        "accuracy": (x, label, 2.0, 3, floats(1), NONE, status[:1]),
        "softmax_backward": (x, y, z),
        "softmax_forward": (x, y),
        "softmax_loss_backward": (x, label, 2.0, floats(1), 0.0, status, y),
        "softmax_loss_forward": (x, label, 2.0, 0.0, y, floats(1), status),
    }


def training() -> dict[str, tuple]:
    """What an iteration ends with."""
    size = 2 * twins.current().SEGMENT
    one = floats(1)
    return {
        "begin_update": (counters(1), one, floats(9), one, floats(9), one, 0.5),
        "collect": (floats(3), 1, counters(1), floats(2, 5)),
        "next_row": (counters(1),),
        "sgd_update": (
            floats(size), floats(size), floats(size), one, floats(2), floats(2), 0.9, True, one,
        ),
    }  # fmt: skip


def run_kernels() -> None:
    """Call each kernel once."""
    kernels: Any = twins.current()
    arguments = calls()
    is_kernel = {name: callable(getattr(kernels, name)) for name in kernels.__all__}
    wanted = {name for name, found in is_kernel.items() if found} - NOT_A_KERNEL
    assert arguments.keys() == {name for name in wanted if not name.endswith("_workspace")}
    for name, given in arguments.items():
        on_device = [
            numba_cuda.to_device(a) if isinstance(a, np.ndarray) and a.size else a for a in given
        ]
        getattr(kernels, name)(*on_device)
        kernels.synchronize()
        print(name, flush=True)


def train() -> None:
    """Train LeNet on random numbers."""
    solver = get_solver(solver_param('base_lr: 0.01 lr_policy: "fixed"', lenet_text()))
    fill_inputs(solver.net, classes=10)
    solver.step(ITERATIONS)
    print(f"loss {solver.loss}")


if __name__ == "__main__":
    twins.use_gpu()
    run_kernels()
    train()
