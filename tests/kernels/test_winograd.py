"""Convolution with few multiplications, against its definition."""

import contextlib
from unittest import mock

import numpy as np
import pytest
from convolution_cases import (
    assert_runs_agree,
    output_shape,
    run_convolution,
    run_convolution_max_pooling,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_testing import assert_same_bits_for_any_threads, convolution_operands, cpu_only

from caffe.kernels import cpu
from caffe.kernels.cpu import winograd_plan as sizes
from caffe.kernels.cpu.winograd_matrices import SIDE, winograd_matrices
from caffe.kernels.cpu.winograd_plan import winograd_plan

pytestmark = cpu_only

UNIT = (1, 1)
TOLERANCE = 1e-4  # of the largest value, which of few outputs may happen to be small


@contextlib.contextmanager
def always(**more):
    """Any other way costs more; and other settings of the plan."""
    with mock.patch.multiple(sizes, DIRECT=1e9, SPARSE=1e9, **more):
        winograd_plan.cache_clear()
        yield
    winograd_plan.cache_clear()


@pytest.mark.parametrize("kernel", range(2, SIDE))
def test_the_matrices_convolve(kernel):
    a_t, g, b_t = winograd_matrices(kernel)
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=SIDE), rng.normal(size=kernel)
    found = a_t @ ((g @ weights) * (b_t @ values))
    np.testing.assert_allclose(found, np.correlate(values, weights, "valid"), rtol=1e-10)


@st.composite
def cases(draw):
    stride = draw(st.sampled_from([1, 1, 1, 2, 3, 4]))
    most = max(sizes.KERNELS) * stride
    kernel = draw(st.one_of(st.sampled_from(sizes.KERNELS), st.integers(1, most)))
    # No more, or several outputs see padding only, and which of equals is largest is chance.
    pad = tuple(draw(st.integers(0, kernel - 1)) for _ in range(2))
    inputs = [max(1, kernel - 2 * p) + draw(st.integers(0, 12)) for p in pad]
    group = draw(st.integers(1, 2))
    channels, outputs = (group * draw(st.integers(1, 12)) for _ in range(2))
    shapes = draw(st.integers(1, 9)), channels, inputs, outputs, (kernel, kernel)
    return *shapes, group, pad, (stride, stride)


@settings(deadline=None, max_examples=60)
@given(case=cases(), bias_term=st.booleans(), turn=st.sampled_from([1, 40]))
def test_any_form(case, bias_term, turn):
    *shapes, group, pad, stride = case
    bottom, weight, bias = convolution_operands(*shapes, group)
    bias = bias if bias_term else bias[:0]
    with always(TURN_TILES=turn, MOST_IN_PANEL=turn, BATCH_FLOATS=1000 * turn):
        plan = winograd_plan(bottom.shape, weight.shape, pad, stride, UNIT)
        assert plan is not None
        form = (pad, stride, UNIT)
        assert_runs_agree(run_convolution, bottom, weight, bias, form, group, tolerance=TOLERANCE)


def test_sums_in_pieces():
    """More channels and outputs than a piece of a sum has values."""
    operands = convolution_operands(2, 70, (7, 9), 150, (3, 3), 1)
    with always():
        assert_runs_agree(run_convolution, *operands, (UNIT, UNIT, UNIT), 1, tolerance=TOLERANCE)


@settings(deadline=None, max_examples=30)
@given(case=cases(), size=st.integers(2, 3))
def test_gradients_behind_a_max_pooling(case, size):
    *shapes, group, pad, stride = case
    operands = convolution_operands(*shapes, group)
    window = ((size, size), (0, 0), (2, 2))
    inputs, sides = operands[0].shape[2:], operands[1].shape[2:]
    if min(output_shape(inputs, sides, pad, stride, UNIT)) < size:
        return
    with always():
        case = (operands, pad, stride, group, window)
        assert_runs_agree(run_convolution_max_pooling, *case, tolerance=TOLERANCE)


@pytest.mark.parametrize("num", [1, 11])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (5, 2)])
def test_the_same_bits_for_any_number_of_threads(num, kernel, stride):
    operands = convolution_operands(num, 6, (13, 12), 14, (kernel, kernel), 2)
    form = ((1, 1), (stride, stride), UNIT)
    with always(SUMS_FLOATS=1 << 14):
        assert_same_bits_for_any_threads(
            lambda: list(run_convolution(cpu, *operands, form, 2).values())
        )


@pytest.mark.parametrize(
    ("bottom", "weight", "pad", "stride", "chosen"),
    [
        ((64, 20, 12, 12), (50, 20, 5, 5), (0, 0), (1, 1), True),  # LeNet's conv2
        ((64, 1, 28, 28), (20, 1, 5, 5), (0, 0), (1, 1), False),  # and conv1: one channel
        ((10, 256, 13, 13), (384, 256, 3, 3), (1, 1), (1, 1), True),  # CaffeNet's conv3
        ((1, 512, 7, 7), (512, 512, 3, 3), (1, 1), (1, 1), False),  # too few tiles for its weights
        ((4, 3, 227, 227), (96, 3, 11, 11), (0, 0), (4, 4), True),  # its conv1: 48 phases
        ((4, 64, 56, 56), (64, 64, 4, 4), (1, 1), (1, 1), True),  # as windows of 5
        ((16, 256, 24, 24), (256, 256, 3, 3), (1, 1), (2, 2), False),  # phases see 2 x 2 at most
        ((1, 64, 500, 500), (64, 64, 3, 3), (1, 1), (1, 1), False),  # too large an image
        ((64, 20, 12, 12), (50, 20, 5, 5), (0, 0), (2, 1), False),
        ((64, 20, 12, 12), (50, 20, 3, 5), (0, 0), (1, 1), False),
        ((64, 20, 12), (50, 20, 5), (0,), (1,), False),
    ],
)
def test_it_serves_where_it_is_cheaper(bottom, weight, pad, stride, chosen):
    plan = winograd_plan(bottom, weight, pad, stride, (1,) * len(pad))
    assert (plan is not None) == chosen


def test_direct_never_takes_it():
    bottom, weight, bias = convolution_operands(8, 12, (12, 12), 16, (5, 5), 1)
    top = np.empty((3, 8, 16, 8, 8), np.float32)
    size = cpu.convolution_workspace(bottom.shape, weight.shape, top.shape[1:], UNIT, 1)
    arguments = ((0, 0), UNIT, UNIT, 1, np.empty(size, np.float32))
    with always():
        cpu.convolution_forward(bottom, weight, bias, top[0], *arguments)
        cpu.convolution_forward(bottom, weight, bias, top[1], *arguments, True)
    with always(KERNELS=()):
        cpu.convolution_forward(bottom, weight, bias, top[2], *arguments)
    assert (top[1] == top[2]).all()
    assert (top[0] != top[1]).any()
