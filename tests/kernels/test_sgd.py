"""The SGD update against its definition."""

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

SEGMENT = cpu.SEGMENT
FINE = np.ones(1, np.float32)  # a loss


def operands(segments):
    """data, diff, history, rate, rate_mult, decay."""
    values = np.random.default_rng(segments)
    arrays = [values.normal(size=segments * SEGMENT).astype(np.float32) for _ in range(3)]
    rate = np.array([0.05], np.float32)
    rate_mult = (np.arange(segments) % 3).astype(np.float32)
    decay = np.where(np.arange(segments) % 4, 0.01, 0).astype(np.float32)
    return [*arrays, rate, rate_mult, decay]


@pytest.mark.parametrize("segments", cases([0, 1, 3], [88]))
@pytest.mark.parametrize("l1", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_agrees_with_the_definition(segments, l1, momentum):
    data, *rest = operands(segments)
    data[::3] = 0
    (_, diff, history, *_), _ = assert_twins_agree("sgd_update", data, *rest, momentum, l1, FINE)
    np.testing.assert_array_equal(diff, history)


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_no_number_updates_nothing(loss):
    arrays = operands(2)
    left, _ = run_kernel("sgd_update", *arrays, 0.9, False, np.array([loss], np.float32))
    for array, before in zip(left, arrays, strict=False):
        np.testing.assert_array_equal(array, before)


@cpu_only
def test_same_bits_for_any_threads():
    def call():
        arrays = operands(196)
        cpu.sgd_update(*arrays, 0.9, False, FINE)
        return arrays

    assert_same_bits_for_any_threads(call)
