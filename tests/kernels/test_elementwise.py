"""ReLU and tanh against their definitions, below and above the size that takes threads."""

import numpy as np
import pytest
from kernel_testing import (
    assert_same_bits_for_any_threads,
    assert_twins_agree,
    cases,
    cpu_only,
    run_kernel,
)

from caffe.kernels import cpu

SIZES = cases([0, 1, 37, 300], [100_003])


def normal(size, seed):
    return np.random.default_rng(seed).normal(size=size).astype(np.float32)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("slope", [0.0, 0.1, -0.5])
def test_relu(size, slope):
    bottom, top_diff, out = normal(size, 1), normal(size, 2), np.full(size, np.nan, np.float32)
    bottom[::5] = 0
    assert_twins_agree("relu_forward", bottom, out, slope)
    assert_twins_agree("relu_backward", bottom, top_diff, out, slope)


@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_relu_keeps_nan(slope):
    values = np.array([np.nan, 1, -1], np.float32)
    (_, top, _), _ = run_kernel("relu_forward", values, np.empty_like(values), slope)
    assert np.isnan(top).tolist() == [True, False, False]


@pytest.mark.parametrize("size", SIZES)
def test_tanh(size):
    bottom, top_diff, out = 3 * normal(size, 3), normal(size, 4), np.full(size, np.nan, np.float32)
    (_, top), _ = assert_twins_agree("tanh_forward", bottom, out)
    assert_twins_agree("tanh_backward", top, top_diff, out)


def test_tanh_of_large_and_small_values():
    bottom = np.array([-200, -20, -1e-20, 0, 1e-6, 20, 200], np.float32)
    assert_twins_agree("tanh_forward", bottom, np.empty_like(bottom), rtol=1e-6, atol=0)


@cpu_only
def test_same_bits_for_any_threads():
    bottom, top_diff = normal(200_001, 5), normal(200_001, 6)

    def call():
        outputs = [np.empty_like(bottom) for _ in range(4)]
        cpu.relu_forward(bottom, outputs[0], 0.1)
        cpu.relu_backward(bottom, top_diff, outputs[1], 0.1)
        cpu.tanh_forward(bottom, outputs[2])
        cpu.tanh_backward(outputs[2], top_diff, outputs[3])
        return outputs

    assert_same_bits_for_any_threads(call)
