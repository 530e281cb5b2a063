"""Run by test_widths.py, in a process whose environment names another processor: the kernels that
are made of vectors of the host's width, on odd shapes, against their definitions.

Prints that width, and which vector registers the compiled code uses.
"""

import re
from typing import Any

import numpy as np
from convolution_cases import (
    assert_runs_agree,
    run_convolution,
    run_convolution_max_pooling,
)
from kernel_testing import assert_twins_agree, convolution_operands
from numba.core.event import Event, Listener, install_listener

from caffe.kernels.cpu.vector import host_width

RANDOM = np.random.default_rng(1)


def values(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def check_gemm() -> None:
    for rows, columns, depth in [(7, 131, 45), (67, 18, 517), (3, 5, 400)]:
        for trans_a, trans_b in [(False, False), (True, False), (False, True), (True, True)]:
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
        (16, 32, (7, 6), (3, 3), ((1, 1), (1, 1), (1, 1)), 1),  # outputs in the lanes
        (20, 24, (18, 18), (5, 5), ((0, 0), (1, 1), (1, 1)), 1),  # with few multiplications
        (32, 48, (17, 18), (3, 3), ((1, 1), (1, 1), (1, 1)), 2),
        (2, 6, (4, 5, 6), (2, 2, 2), ((1, 0, 1), (1, 2, 1), (1, 1, 1)), 2),  # by im2col
    ]:
        case = convolution_operands(3, channels, inputs, outputs, kernel, group)
        assert_runs_agree(run_convolution, *case, form, group)


def check_convolution_max_pooling() -> None:
    for channels, outputs, inputs, kernel, group, size in [
        (3, 7, (13, 21), (5, 5), 1, 2),
        (20, 6, (12, 19), (3, 4), 2, 3),
    ]:
        case = convolution_operands(3, channels, inputs, outputs, kernel, group)
        window = ((size, size), (0, 0), (2, 2))
        assert_runs_agree(
            run_convolution_max_pooling, case, pad=(0, 1), stride=(1, 1), group=group, window=window
        )


def check_pooling() -> None:
    bottom = values(2, 3, 21, 37)
    for size, stride in [(2, 2), (3, 2), (3, 1)]:
        window = ((size, size), (0, 0), (stride, stride))
        shape = (2, 3, *(-(-(length - size) // stride) + 1 for length in (21, 37)))
        top, mask = values(*shape), np.zeros(shape, np.int32)
        (_, _, mask), _ = assert_twins_agree("max_pooling_forward", bottom, top, mask, *window)
        assert_twins_agree("max_pooling_backward", top, mask, bottom, *window)
        assert_twins_agree("average_pooling_forward", bottom, top, *window)
        assert_twins_agree("average_pooling_backward", top, bottom, *window)


class CompiledKernels(Listener):
    """Which functions Numba compiled, and made machine code for."""

    def __init__(self) -> None:
        self.kernels: set[Any] = set()

    def on_start(self, event: Event) -> None:
        self.kernels.add(event.data["dispatcher"])

    def on_end(self, event: Event) -> None:
        pass

    def registers(self) -> set[str]:
        """The kinds of vector registers in their code: xmm, ymm, zmm."""
        codes = [code for kernel in self.kernels for code in kernel.inspect_asm().values()]
        return set(re.findall("[xyz]mm", "".join(codes)))


if __name__ == "__main__":
    with install_listener("numba:compile", CompiledKernels()) as compiled:
        check_gemm()
        check_inner_product()
        check_convolution()
        check_convolution_max_pooling()
        check_pooling()
    print(host_width(), *sorted(compiled.registers()))
