"""The SGD update against its definition."""

import numpy as np
import pytest
from kernel_testing import assert_same_bits_for_any_threads, assert_twins_agree

from caffe.kernels import cpu


def data_diff_history(size):
    values = np.random.default_rng(size)
    return [values.normal(size=size).astype(np.float32) for _ in range(3)]


@pytest.mark.parametrize("size", [1, 50, 90_001])
@pytest.mark.parametrize("decay", [0.0, 0.01])
@pytest.mark.parametrize("l1", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_agrees_with_the_definition(size, decay, l1, momentum):
    data, diff, history = data_diff_history(size)
    data[::3] = 0
    (data, diff, history), _ = assert_twins_agree(
        "sgd_update", data, diff, history, 0.05, momentum, decay, l1
    )
    np.testing.assert_array_equal(diff, history)


def test_same_bits_for_any_threads():
    def call():
        arrays = data_diff_history(200_001)
        cpu.sgd_update(*arrays, 0.01, 0.9, 0.0005, False)
        return arrays

    assert_same_bits_for_any_threads(call)
