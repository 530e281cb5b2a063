"""Max pooling against its definition."""

import numba
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kernel_testing import (
    SIMULATED,
    assert_same_bits_for_any_threads,
    assert_twins_agree,
    cases,
    cpu_only,
    examples,
)
from pooling_cases import pooling_cases

from caffe.kernels import cpu, reference
from caffe.kernels.cpu.max_pooling import max_pool_planes
from caffe.kernels.cpu.max_strips import make_max_gather, make_max_search
from caffe.kernels.cpu.pooling_plan import strips


def arguments(case, values):
    bottom = values.integers(-4, 5, case.bottom).astype(np.float32)  # many ties
    top = np.full(case.top, np.nan, np.float32)
    mask = np.full(case.top, -1, np.int32)
    return bottom, top, mask, case.kernel, case.pad, case.stride


@settings(max_examples=examples(150), deadline=None)
@given(case=pooling_cases(), seed=st.integers(0, 2**32 - 1))
def test_agrees_with_the_definition(case, seed):
    values = np.random.default_rng(seed)
    (_, _, mask), _ = assert_twins_agree("max_pooling_forward", *arguments(case, values))
    top_diff = values.normal(size=case.top).astype(np.float32)
    bottom_diff = np.full(case.bottom, np.nan, np.float32)
    window = (case.kernel, case.pad, case.stride)
    assert_twins_agree("max_pooling_backward", top_diff, mask, bottom_diff, *window, atol=1e-5)


@settings(max_examples=examples(80), deadline=None)
@given(
    size=st.integers(2, 3),
    height=st.integers(3, 9 if SIMULATED else 19),
    width=st.integers(3, 9 if SIMULATED else 70),
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
    (_, _, mask), _ = assert_twins_agree("max_pooling_forward", bottom, top, mask, *window)
    top_diff = values.normal(size=top.shape).astype(np.float32)
    bottom_diff = np.full_like(bottom, np.nan)
    assert_twins_agree("max_pooling_backward", top_diff, mask, bottom_diff, *window, atol=1e-5)


@cpu_only
@pytest.mark.parametrize("lanes", [4, 8, 16])
@pytest.mark.parametrize("size", [2, 3])
def test_strips_of_any_width(size, lanes):
    """Whole vectors, parts of them, two rows in one; several planes; cut-off windows; nothing
    outside is written."""
    search, gather = make_max_search(size, lanes), make_max_gather(size, lanes)

    @numba.njit
    def run(bottom, top, mask, top_diff, bottom_diff, n, h, w, ph, pw):
        for x in strips(pw, lanes):
            search(bottom, 3, top, mask, 5, n, h, w, ph, pw, x, 0)
        for x in strips((w + 1) // 2, lanes):
            gather(top_diff, mask, 5, bottom_diff, 3, n, h, w, ph, pw, x, 0)

    values = np.random.default_rng(1)
    shapes = [(8, 8), (7, 2 * lanes), (4, lanes), (6, 11)]
    for height, width in [*shapes, (5, 2 * lanes + 1), (5, 2 * lanes + 3)]:
        pooled = [-(-(length - size) // 2) + 1 for length in (height, width)]
        bottom = values.integers(-3, 4, (1, 3, height, width)).astype(np.float32)
        top, mask = np.zeros((1, 3, *pooled), np.float32), np.zeros((1, 3, *pooled), np.int32)
        window = ((size, size), (0, 0), (2, 2))
        reference.max_pooling_forward(bottom, top, mask, *window)
        top_diff, bottom_diff = values.normal(size=top.shape).astype(np.float32), bottom * 0
        reference.max_pooling_backward(top_diff, mask, bottom_diff, *window)

        def framed(array, first):
            return np.concatenate([[9] * first, array.ravel(), [9] * 4]).astype(array.dtype)

        results = [framed(np.full_like(array, 7), first) for array, first in ((top, 5), (mask, 5))]
        results.append(framed(np.full_like(bottom, 7), 3))
        arrays = framed(bottom, 3), *results[:2], framed(top_diff, 5), results[2]
        run(*arrays, 3, height, width, *pooled)
        for result, expected in zip(results, [(top, 5), (mask, 5), (bottom_diff, 3)], strict=True):
            np.testing.assert_allclose(result, framed(*expected), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("pooled", cases([2, 5], [20]))
def test_backward_of_windows_that_see_the_whole_plane(pooled):
    """The planes look like those of 2 x 2 or 3 x 3 windows, but the masks are anywhere."""
    values = np.random.default_rng(0)
    window = ((4 * pooled + 1,) * 2, (2 * pooled,) * 2, (2, 2))
    for over in (-1, 0, 1):
        side = 2 * pooled + over
        mask = values.integers(0, side * side, (2, 3, pooled, pooled)).astype(np.int32)
        top_diff = values.normal(size=mask.shape).astype(np.float32)
        bottom_diff = np.full((2, 3, side, side), np.nan, np.float32)
        assert_twins_agree("max_pooling_backward", top_diff, mask, bottom_diff, *window, atol=1e-5)


@cpu_only
def test_planes_in_the_middle_of_arrays():
    """For jitted code: some planes, from anywhere, to anywhere, by vectors and by the loop."""
    bottom = np.random.default_rng(0).normal(size=(5, 9, 10)).astype(np.float32)
    for kernel, stride, pooled in (((2, 2), (2, 2), (5, 5)), ((3, 2), (3, 1), (3, 9))):
        expected = np.zeros((1, 5, *pooled), np.float32), np.zeros((1, 5, *pooled), np.int32)
        reference.max_pooling_forward(bottom[None], *expected, kernel, (0, 0), stride)
        area = pooled[0] * pooled[1]
        results = np.zeros(4 * area, np.float32), np.zeros(4 * area, np.int32)

        @numba.njit
        def run(bottom, top, mask, first, kernel, stride, pooled):
            max_pool_planes(
                bottom, 2 * 9 * 10, 2, 9, 10, top, mask, first, *pooled, kernel, (0, 0), stride
            )

        run(bottom.ravel(), *results, area, kernel, stride, pooled)
        for result, wanted in zip(results, expected, strict=True):
            np.testing.assert_array_equal(result[area : 3 * area], wanted[0, 2:4].ravel())
            assert not result[:area].any()
            assert not result[3 * area :].any()


@settings(max_examples=examples(30), deadline=None)
@given(case=pooling_cases(), seed=st.integers(0, 2**32 - 1))
def test_values_that_no_comparison_reaches(case, seed):
    values = np.random.default_rng(seed)
    bottom, *rest = arguments(case, values)
    bottom[values.random(bottom.shape) < 0.7] = np.nan
    bottom[values.random(bottom.shape) < 0.3] = -np.inf
    (_, top, mask), _ = assert_twins_agree("max_pooling_forward", bottom, *rest)
    assume((top == np.finfo(np.float32).min).any())
    assert mask.min() >= 0


@cpu_only
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
            cpu.max_pooling_backward(top, mask, diff, *window)
            outputs += [top, mask, diff]
        return outputs

    assert_same_bits_for_any_threads(call)
