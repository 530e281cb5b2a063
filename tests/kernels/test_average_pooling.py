"""Average pooling against its definition."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_testing import (
    SIMULATED,
    assert_same_bits_for_any_threads,
    assert_twins_agree,
    cpu_only,
    examples,
    run_kernel,
)
from pooling_cases import pooling_cases

from caffe.kernels import cpu, reference
from caffe.kernels.cpu.average_strips import make_average_gather, make_average_strip
from caffe.kernels.cpu.pooling_plan import strips


@settings(max_examples=examples(150), deadline=None)
@given(case=pooling_cases(), seed=st.integers(0, 2**32 - 1))
def test_agrees_with_the_definition(case, seed):
    values = np.random.default_rng(seed)
    window = (case.kernel, case.pad, case.stride)
    bottom = values.normal(size=case.bottom).astype(np.float32)
    top_diff = values.normal(size=case.top).astype(np.float32)
    top, bottom_diff = np.full_like(top_diff, np.nan), np.full_like(bottom, np.nan)
    assert_twins_agree("average_pooling_forward", bottom, top, *window)
    assert_twins_agree("average_pooling_backward", top_diff, bottom_diff, *window)


@settings(max_examples=examples(60), deadline=None)
@given(
    height=st.integers(3, 9 if SIMULATED else 19),
    width=st.integers(3, 9 if SIMULATED else 70),
    cut_off=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_windows_of_3_x_3_with_stride_two(height, width, cut_off, seed):
    values = np.random.default_rng(seed)
    pooled = [(length - 3 + cut_off) // 2 + 1 for length in (height, width)]
    bottom = values.normal(size=(2, 3, height, width)).astype(np.float32)
    top_diff = values.normal(size=(2, 3, *pooled)).astype(np.float32)
    top, bottom_diff = np.full_like(top_diff, np.nan), np.full_like(bottom, np.nan)
    window = ((3, 3), (0, 0), (2, 2))
    assert_twins_agree("average_pooling_forward", bottom, top, *window)
    assert_twins_agree("average_pooling_backward", top_diff, bottom_diff, *window)


@cpu_only
@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_strips_of_any_width(lanes):
    """Whole vectors and parts of them; several planes; cut-off windows; nothing outside is
    written."""
    average, gather = make_average_strip(lanes), make_average_gather(lanes)

    @numba.njit
    def run(bottom, top, top_diff, bottom_diff, n, h, w, ph, pw):
        for x in strips(pw, lanes):
            average(bottom, 3, top, 5, n, h, w, ph, pw, x, 0)
        for x in strips((w + 1) // 2, lanes):
            gather(top_diff, 5, bottom_diff, 3, n, h, w, ph, pw, x, 0)

    values = np.random.default_rng(1)
    window = ((3, 3), (0, 0), (2, 2))
    for height, width in [(8, 8), (7, 2 * lanes), (6, 11), (5, 2 * lanes + 3), (5, 2 * lanes + 1)]:
        pooled = [-(-(length - 3) // 2) + 1 for length in (height, width)]
        bottom = values.normal(size=(1, 3, height, width)).astype(np.float32)
        top_diff = values.normal(size=(1, 3, *pooled)).astype(np.float32)
        top, bottom_diff = np.zeros_like(top_diff), np.zeros_like(bottom)
        reference.average_pooling_forward(bottom, top, *window)
        reference.average_pooling_backward(top_diff, bottom_diff, *window)

        def framed(array, first):
            return np.concatenate([[9] * first, array.ravel(), [9] * 4]).astype(np.float32)

        tops, diffs = framed(np.full_like(top, 7), 5), framed(np.full_like(bottom, 7), 3)
        run(framed(bottom, 3), tops, framed(top_diff, 5), diffs, 3, height, width, *pooled)
        np.testing.assert_allclose(tops, framed(top, 5), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(diffs, framed(bottom_diff, 3), rtol=1e-5, atol=1e-6)


def test_the_area_counts_padding_up_to_the_padded_edge():
    ones = np.ones((1, 1, 3, 3), np.float32)
    top = np.zeros((1, 1, 2, 2), np.float32)
    (_, top, *_), _ = run_kernel("average_pooling_forward", ones, top, (3, 3), (1, 1), (3, 3))
    # Windows of rows -1..1 and 2..3: 2 of 3 rows inside the image, then 1 of 2.
    np.testing.assert_allclose(top[0, 0], np.outer([2 / 3, 1 / 2], [2 / 3, 1 / 2]))


@cpu_only
def test_same_bits_for_any_threads():
    bottom = np.random.default_rng(0).normal(size=(5, 7, 13, 14)).astype(np.float32)
    window = ((3, 3), (1, 1), (2, 2))

    def call():
        top, diff = np.empty((5, 7, 7, 7), np.float32), np.empty_like(bottom)
        cpu.average_pooling_forward(bottom, top, *window)
        cpu.average_pooling_backward(top, diff, *window)
        return [top, diff]

    assert_same_bits_for_any_threads(call)
