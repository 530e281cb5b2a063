"""Convolution and its gradients against their definitions, for any number of spatial axes."""

import math

import numpy as np
import pytest
from convolution_cases import assert_runs_agree, run_convolution
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_testing import (
    ON_GPU,
    SIMULATED,
    assert_same_bits_for_any_threads,
    cases,
    convolution_operands,
    cpu_only,
    examples,
)

from caffe.kernels import cpu, reference

MOST_IMAGES, MOST_OUTPUTS, MOST_BEYOND = (2, 2, 2) if SIMULATED else (18, 4, 5)
FORMS = {  # images, channels, inputs, outputs, kernel, pad, stride, dilation, groups
    "several tiles": (2, 3, (5, 6), 18, (3, 2), (0, 0), (1, 1), (1, 1), 1),
    "padded": (3, 3, (5, 4), 4, (3, 3), (1, 1), (1, 1), (1, 1), 1),
    "groups": (2, 4, (5, 6), 6, (3, 2), (1, 0), (2, 1), (1, 2), 2),
    "one axis": (3, 2, (9,), 5, (3,), (2,), (2,), (2,), 1),
    "three axes": (2, 2, (3, 4, 3), 3, (2, 1, 2), (1, 0, 1), (1, 2, 1), (1, 1, 2), 1),
}
LARGE_FORMS = {
    "LeNet's first": (64, 1, (28, 28), 20, (5, 5), (0, 0), (1, 1), (1, 1), 1),
    "LeNet's second": (64, 20, (12, 12), 50, (5, 5), (0, 0), (1, 1), (1, 1), 1),
    "CaffeNet's first": (2, 3, (67, 67), 96, (11, 11), (0, 0), (4, 4), (1, 1), 1),
    "CaffeNet's second": (3, 96, (27, 27), 256, (5, 5), (2, 2), (1, 1), (1, 1), 2),
}


@st.composite
def forms(draw):
    axes = draw(st.integers(0, 3))
    inputs, kernel, *form = [], [], [], [], []
    for axis in range(axes):
        kernel.append(draw(st.integers(1, 3)))
        for values, (low, high) in zip(form, [(0, 3), (1, 3), (1, 2)], strict=True):
            values.append(draw(st.integers(low, high)))
        pad, _, dilation = (values[axis] for values in form)
        smallest = max(1, dilation * (kernel[axis] - 1) + 1 - 2 * pad)
        inputs.append(smallest + draw(st.integers(0, MOST_BEYOND if axes < 3 else 2)))
    group = draw(st.integers(1, 3))
    channels, outputs = (group * draw(st.integers(1, MOST_OUTPUTS)) for _ in range(2))
    return draw(st.integers(1, MOST_IMAGES)), channels, inputs, outputs, kernel, form, group


@settings(deadline=None, max_examples=examples(80))
@given(case=forms(), bias_term=st.booleans())
def test_any_form(case, bias_term):
    num, channels, inputs, outputs, kernel, form, group = case
    bottom, weight, bias = convolution_operands(num, channels, inputs, outputs, kernel, group)
    bias = bias if bias_term else bias[:0]
    assert_runs_agree(run_convolution, bottom, weight, bias, form, group)


@pytest.mark.parametrize("name", cases([*FORMS], [*LARGE_FORMS]))
def test_some_forms(name):
    num, channels, inputs, outputs, kernel, *form, group = (FORMS | LARGE_FORMS)[name]
    operands = convolution_operands(num, channels, inputs, outputs, kernel, group)
    assert_runs_agree(run_convolution, *operands, form, group, tolerance=2e-5)


@pytest.mark.skipif(not ON_GPU, reason="of the GPU's kernels")
@pytest.mark.parametrize("most_column", [0, 600], ids=["in one product", "by columns, in parts"])
@pytest.mark.parametrize("name", ["padded", "groups"])
def test_both_ways_to_the_data_gradient(name, most_column, monkeypatch):
    from caffe.kernels.cuda import convolution_products

    monkeypatch.setattr(convolution_products, "MOST_COLUMN", most_column)
    monkeypatch.setattr(convolution_products, "COLUMN_VALUE", 0)
    num, channels, inputs, outputs, kernel, *form, group = FORMS[name]
    operands = convolution_operands(num, channels, inputs, outputs, kernel, group)
    assert_runs_agree(run_convolution, *operands, form, group)


@cpu_only
@pytest.mark.parametrize("num", [3, 64])
def test_the_same_bits_for_any_number_of_threads(num):
    case = convolution_operands(num, 6, (9, 8), 4, (3, 3), 2)
    form = ((1, 1), (2, 1), (1, 1))
    assert_same_bits_for_any_threads(lambda: list(run_convolution(cpu, *case, form, 2).values()))


def test_a_convolution_by_hand():
    """The definition itself, by the equation's own loops."""
    bottom, weight, bias = convolution_operands(2, 4, (5, 4), 6, (2, 3), 2)
    pad, stride, dilation = (1, 2), (2, 1), (1, 2)
    top = run_convolution(reference, bottom, weight, bias, (pad, stride, dilation), 2)["top"]
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
    results = run_convolution(reference, bottom, weight, bias[:0], form, 2)
    rng = np.random.default_rng(1)
    top_diff, start = rng.normal(size=results["top"].shape), rng.normal(size=weight.shape)
    product = (results["top"] * top_diff).sum()
    assert math.isclose((bottom * results["bottom_diff"]).sum(), product, rel_tol=1e-4)
    assert math.isclose((weight * (results["weight_diff"] - start)).sum(), product, rel_tol=1e-4)
