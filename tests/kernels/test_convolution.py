"""Convolution and its gradients against their definitions, for any number of spatial axes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_testing import assert_same_bits_for_any_threads, convolution_operands

from caffe.kernels import cpu, reference
from caffe.kernels.reference.im2col import output_shape


def run(kernels, bottom, weight, bias, form, group, seed=1):
    """Forward and all gradients. What is overwritten starts as NaN, what is added to does not."""
    rng = np.random.default_rng(seed)
    outputs = output_shape(bottom.shape[2:], weight.shape[2:], *form)
    top = np.full((len(bottom), len(weight), *outputs), np.nan, np.float32)
    top_diff = rng.normal(size=top.shape).astype(np.float32)
    weight_diff = rng.normal(size=weight.shape).astype(np.float32)
    bias_diff = rng.normal(size=len(weight)).astype(np.float32)
    bottom_diff = np.full_like(bottom, np.nan)
    size = kernels.convolution_workspace(bottom.shape, weight.shape, top.shape, group)
    common = (*form, group, np.full(size, np.nan, np.float32))
    kernels.convolution_forward(bottom, weight, bias, top, *common)
    kernels.convolution_backward_data(top_diff, weight, bottom_diff, *common)
    kernels.convolution_backward_weight(bottom, top_diff, weight_diff, *common)
    kernels.convolution_backward_bias(top_diff, bias_diff)
    return {
        "top": top,
        "bottom_diff": bottom_diff,
        "weight_diff": weight_diff,
        "bias_diff": bias_diff,
    }


@st.composite
def cases(draw):
    axes = draw(st.integers(0, 3))
    inputs, kernel, *form = [], [], [], [], []
    for axis in range(axes):
        kernel.append(draw(st.integers(1, 3)))
        for values, (low, high) in zip(form, [(0, 3), (1, 3), (1, 2)], strict=True):
            values.append(draw(st.integers(low, high)))
        pad, _, dilation = (values[axis] for values in form)
        smallest = max(1, dilation * (kernel[axis] - 1) + 1 - 2 * pad)
        inputs.append(smallest + draw(st.integers(0, 5 if axes < 3 else 2)))
    group = draw(st.integers(1, 3))
    channels, outputs = (group * draw(st.integers(1, 4)) for _ in range(2))
    return draw(st.integers(1, 18)), channels, inputs, outputs, kernel, form, group


@settings(deadline=None, max_examples=80)
@given(case=cases(), bias_term=st.booleans())
def test_any_form(case, bias_term):
    num, channels, inputs, outputs, kernel, form, group = case
    bottom, weight, bias = convolution_operands(num, channels, inputs, outputs, kernel, group)
    bias = bias if bias_term else bias[:0]
    results = [run(kernels, bottom, weight, bias, form, group) for kernels in (cpu, reference)]
    for name, actual in results[0].items():
        expected = results[1][name]
        largest = np.abs(expected).max()
        np.testing.assert_allclose(actual, expected, 1e-5, 1e-5 * largest, err_msg=name)


@pytest.mark.parametrize("num", [3, 64])
def test_the_same_bits_for_any_number_of_threads(num):
    case = convolution_operands(num, 6, (9, 8), 4, (3, 3), 2)
    form = ((1, 1), (2, 1), (1, 1))
    assert_same_bits_for_any_threads(lambda: list(run(cpu, *case, form, 2).values()))


def test_a_convolution_by_hand():
    """The definition itself, by the equation's own loops."""
    bottom, weight, bias = convolution_operands(2, 4, (5, 4), 6, (2, 3), 2)
    pad, stride, dilation = (1, 2), (2, 1), (1, 2)
    top = run(reference, bottom, weight, bias, (pad, stride, dilation), 2)["top"]
    for n, m, *o in np.ndindex(*top.shape):
        total = float(bias[m])
        for c, *k in np.ndindex(*weight.shape[1:]):
            i = [o[a] * stride[a] + k[a] * dilation[a] - pad[a] for a in range(2)]
            if 0 <= i[0] < 5 and 0 <= i[1] < 4:
                total += float(weight[(m, c, *k)]) * float(bottom[(n, m // 3 * 2 + c, *i)])
        assert math.isclose(top[(n, m, *o)], total, rel_tol=1e-5, abs_tol=1e-5)


def test_gradients_are_the_transpose_of_forward():
    """<forward(x, w), d> = <x, backward_data(d)> = <w, backward_weight(x, d)>, in the reference."""
    bottom, weight, bias = convolution_operands(2, 4, (5, 4), 6, (2, 3), 2)
    form = ((1, 2), (2, 1), (1, 2))
    results = run(reference, bottom, weight, bias[:0], form, 2)
    rng = np.random.default_rng(1)
    top_diff, start = rng.normal(size=results["top"].shape), rng.normal(size=weight.shape)
    product = (results["top"] * top_diff).sum()
    assert math.isclose((bottom * results["bottom_diff"]).sum(), product, rel_tol=1e-4)
    assert math.isclose((weight * (results["weight_diff"] - start)).sum(), product, rel_tol=1e-4)
