"""Vector helpers against their definitions."""

import numpy as np
import pytest
from kernel_testing import (
    SIMULATED,
    assert_same_bits_for_any_threads,
    assert_twins_agree,
    cases,
    cpu_only,
    run_kernel,
)

from caffe.kernels import cpu


def normal(size, seed):
    return np.random.default_rng(seed).normal(size=size).astype(np.float32)


@pytest.mark.parametrize("size", cases([0, 1, 7, 1000], [70_001]))
def test_against_the_definitions(size):
    x, y, out = normal(size, 1), normal(size, 2), np.full(size, np.nan, np.float32)
    assert_twins_agree("axpy", -0.3, x, y)
    assert_twins_agree("scale", 1.7, x)
    assert_twins_agree("copy", x, out)
    assert_twins_agree("fill", 2.5, out)
    assert_twins_agree("add", x, y, out)
    for name in ("asum", "sum_of_squares"):
        assert_twins_agree(name, x, rtol=1e-12)
    assert_twins_agree("dot", x, y, rtol=1e-12, atol=1e-10)


def test_copy_converts():
    x = np.array([3, -1, 2**20], np.int32)
    assert_twins_agree("copy", x, np.empty(3, np.float32))


@cpu_only
def test_add_may_write_into_an_operand():
    x, y = normal(100, 3), normal(100, 4)
    expected = x + y
    cpu.add(x, y, x)
    np.testing.assert_array_equal(x, expected)


@pytest.mark.skipif(SIMULATED, reason="too many for the simulator")
@pytest.mark.parametrize(("name", "operands"), [("asum", 1), ("sum_of_squares", 1), ("dot", 2)])
def test_sums_are_exact_where_float32_would_round(name, operands):
    x = np.ones(2**24 + 3, np.float32)
    _, total = run_kernel(name, *[x] * operands)
    assert total == 2**24 + 3


@cpu_only
def test_same_bits_for_any_threads():
    x, y = normal(200_001, 5), normal(200_001, 6)
    assert_same_bits_for_any_threads(
        lambda: [np.array([cpu.asum(x), cpu.sum_of_squares(x), cpu.dot(x, y)])]
    )
