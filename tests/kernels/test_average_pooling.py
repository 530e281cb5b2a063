"""Average pooling against its definition."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_testing import assert_same_bits_for_any_threads, assert_twins_agree
from pooling_cases import pooling_cases

from caffe.kernels import cpu


@settings(max_examples=150, deadline=None)
@given(case=pooling_cases(), seed=st.integers(0, 2**32 - 1))
def test_agrees_with_the_definition(case, seed):
    values = np.random.default_rng(seed)
    window = (case.kernel, case.pad, case.stride)
    bottom = values.normal(size=case.bottom).astype(np.float32)
    top_diff = values.normal(size=case.top).astype(np.float32)
    top, bottom_diff = np.full_like(top_diff, np.nan), np.full_like(bottom, np.nan)
    assert_twins_agree("average_pooling_forward", bottom, top, *window)
    assert_twins_agree("average_pooling_backward", top_diff, bottom_diff, *window)


def test_the_area_counts_padding_up_to_the_padded_edge():
    ones = np.ones((1, 1, 3, 3), np.float32)
    top = np.zeros((1, 1, 2, 2), np.float32)
    cpu.average_pooling_forward(ones, top, (3, 3), (1, 1), (3, 3))
    # Windows of rows -1..1 and 2..3: 2 of 3 rows inside the image, then 1 of 2.
    np.testing.assert_allclose(top[0, 0], np.outer([2 / 3, 1 / 2], [2 / 3, 1 / 2]))


def test_same_bits_for_any_threads():
    bottom = np.random.default_rng(0).normal(size=(5, 7, 13, 14)).astype(np.float32)
    window = ((3, 3), (1, 1), (2, 2))

    def call():
        top, diff = np.empty((5, 7, 7, 7), np.float32), np.empty_like(bottom)
        cpu.average_pooling_forward(bottom, top, *window)
        cpu.average_pooling_backward(top, diff, *window)
        return [top, diff]

    assert_same_bits_for_any_threads(call)
