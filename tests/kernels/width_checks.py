"""Run by test_widths.py, in a process whose environment names another processor: the kernels that
are made of vectors of the host's width, on odd shapes, against their definitions.

Prints that width, and which vector registers the compiled code uses.
"""

import re

import numba.core.event
import numpy as np
from kernel_testing import assert_twins_agree

from caffe.kernels import cpu
from caffe.kernels.cpu.vector import host_width
from caffe.kernels.reference.im2col import output_shape

RANDOM = np.random.default_rng(1)


def values(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def check_gemm() -> None:
    for rows, columns, depth in [(7, 131, 45), (67, 18, 517)]:
        for trans_a, trans_b in [(False, False), (True, True)]:
            a = values(depth, rows) if trans_a else values(rows, depth)
            b = values(columns, depth) if trans_b else values(depth, columns)
            c = values(rows, columns)
            assert_twins_agree("gemm", trans_a, trans_b, -0.5, a, b, 0.25, c, atol=1e-4)


def check_inner_product() -> None:
    bottom, weight, bias, top = values(9, 70), values(37, 70), values(37), values(9, 37)
    assert_twins_agree("inner_product_forward", bottom, weight, bias, top, False, atol=1e-4)
    assert_twins_agree("inner_product_backward_data", top, weight, bottom, False, atol=1e-4)
    assert_twins_agree("inner_product_backward_weight", bottom, top, weight, False, atol=1e-4)
    assert_twins_agree("inner_product_backward_bias", top, bias, atol=1e-4)


def check_convolution() -> None:
    for channels, outputs, inputs, kernel, form, group in [
        (3, 7, (13, 21), (5, 5), ((0, 0), (1, 1), (1, 1)), 1),
        (4, 6, (12, 19), (3, 2), ((1, 2), (2, 1), (1, 2)), 2),
        (2, 6, (4, 5, 6), (2, 2, 2), ((1, 0, 1), (1, 2, 1), (1, 1, 1)), 2),  # by im2col
    ]:
        bottom, weight = values(3, channels, *inputs), values(outputs, channels // group, *kernel)
        top = values(3, outputs, *output_shape(inputs, kernel, *form))
        bias = values(outputs)
        size = cpu.convolution_workspace(bottom.shape, weight.shape, top.shape, group)
        common = (*form, group)
        for name, *arrays in [
            ("forward", bottom, weight, bias, top),
            ("backward_data", top, weight, bottom),
            ("backward_weight", bottom, top, weight),
        ]:
            check_with_workspace(f"convolution_{name}", arrays, common, size)
        assert_twins_agree("convolution_backward_bias", top, bias, atol=1e-4)


def check_with_workspace(name, arrays, common, size):
    """The definitions leave the workspace alone, so it cannot be compared."""
    from caffe.kernels import reference

    output = []
    for twin in (cpu, reference):
        copied = [array.copy() for array in arrays]
        getattr(twin, name)(*copied, *common, np.full(size, np.nan, np.float32))
        output.append(copied[-1])
    np.testing.assert_allclose(*output, rtol=1e-5, atol=1e-4, err_msg=name)


def check_pooling() -> None:
    bottom = values(2, 3, 21, 37)
    for size, stride in [(2, 2), (3, 2), (3, 1)]:
        window = ((size, size), (0, 0), (stride, stride))
        shape = (2, 3, *(-(-(length - size) // stride) + 1 for length in (21, 37)))
        top, mask = values(*shape), np.zeros(shape, np.int32)
        (_, _, mask), _ = assert_twins_agree("max_pooling_forward", bottom, top, mask, *window)
        assert_twins_agree("max_pooling_backward", top, mask, bottom)
        assert_twins_agree("average_pooling_forward", bottom, top, *window)
        assert_twins_agree("average_pooling_backward", top, bottom, *window)


class CompiledKernels(numba.core.event.Listener):
    """Which functions Numba compiled."""

    def __init__(self) -> None:
        self.dispatchers: set[numba.core.dispatcher.Dispatcher] = set()

    def on_start(self, event: numba.core.event.Event) -> None:
        self.dispatchers.add(event.data["dispatcher"])

    def on_end(self, event: numba.core.event.Event) -> None:
        pass


if __name__ == "__main__":
    with numba.core.event.install_listener("numba:compile", CompiledKernels()) as compiled:
        check_gemm()
        check_inner_product()
        check_convolution()
        check_pooling()
    codes = [code for kernel in compiled.dispatchers for code in kernel.inspect_asm().values()]
    print(host_width(), *sorted(set(re.findall("[xyz]mm", "".join(codes)))))
