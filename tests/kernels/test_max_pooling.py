"""Max pooling against its definition."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kernel_testing import assert_same_bits_for_any_threads, assert_twins_agree
from pooling_cases import pooling_cases

from caffe.kernels import cpu


def arguments(case, values):
    bottom = values.integers(-4, 5, case.bottom).astype(np.float32)  # many ties
    top = np.full(case.top, np.nan, np.float32)
    mask = np.full(case.top, -1, np.int32)
    return bottom, top, mask, case.kernel, case.pad, case.stride


@settings(max_examples=150, deadline=None)
@given(case=pooling_cases(), seed=st.integers(0, 2**32 - 1))
def test_agrees_with_the_definition(case, seed):
    values = np.random.default_rng(seed)
    (_, _, mask), _ = assert_twins_agree("max_pooling_forward", *arguments(case, values))
    top_diff = values.normal(size=case.top).astype(np.float32)
    bottom_diff = np.full(case.bottom, np.nan, np.float32)
    assert_twins_agree("max_pooling_backward", top_diff, mask, bottom_diff, atol=1e-5)


@settings(max_examples=80, deadline=None)
@given(
    size=st.integers(2, 3),
    height=st.integers(3, 19),
    width=st.integers(3, 70),
    cut_off=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_small_windows_with_stride_two(size, height, width, cut_off, seed):
    values = np.random.default_rng(seed)
    bottom = values.integers(-2, 3, (2, 3, height, width)).astype(np.float32)
    over = size - 1 if cut_off else 0
    pooled = [(length - size + over) // 2 + 1 for length in (height, width)]
    top = np.zeros((2, 3, *pooled), np.float32)
    mask = np.zeros(top.shape, np.int32)
    window = ((size, size), (0, 0), (2, 2))
    assert_twins_agree("max_pooling_forward", bottom, top, mask, *window)


@settings(max_examples=30, deadline=None)
@given(case=pooling_cases(), seed=st.integers(0, 2**32 - 1))
def test_values_that_no_comparison_reaches(case, seed):
    values = np.random.default_rng(seed)
    bottom, *rest = arguments(case, values)
    bottom[values.random(bottom.shape) < 0.7] = np.nan
    bottom[values.random(bottom.shape) < 0.3] = -np.inf
    (_, top, mask), _ = assert_twins_agree("max_pooling_forward", bottom, *rest)
    assume((top == np.finfo(np.float32).min).any())
    assert mask.min() >= 0


def test_same_bits_for_any_threads():
    values = np.random.default_rng(0)
    bottom = values.normal(size=(5, 7, 13, 14)).astype(np.float32)

    def call():
        outputs = []
        for size, stride, shape in ((2, 2, (6, 7)), (3, 1, (11, 12))):
            top = np.empty((5, 7, *shape), np.float32)
            mask = np.empty(top.shape, np.int32)
            diff = np.empty_like(bottom)
            window = ((size, size), (0, 0), (stride, stride))
            cpu.max_pooling_forward(bottom, top, mask, *window)
            cpu.max_pooling_backward(top, mask, diff)
            outputs += [top, mask, diff]
        return outputs

    assert_same_bits_for_any_threads(call)
