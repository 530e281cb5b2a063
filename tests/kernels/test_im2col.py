"""im2col and col2im against their definitions, for any number of spatial axes."""

import math

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_testing import SIMULATED, assert_twins_agree, cpu_only, examples

from caffe.kernels import reference
from caffe.kernels.cpu.line_copy import make_line_copy
from caffe.kernels.reference.im2col import output_shape

MOST_AXES, MOST_KERNEL, MOST_PAD, MOST_BEYOND = (3, 3, 2, 2) if SIMULATED else (4, 4, 3, 5)


@st.composite
def windows(draw):
    """The shape of an image and the form of windows that fit into it."""
    forms = []
    for _ in range(draw(st.integers(0, MOST_AXES))):
        kernel, pad = draw(st.integers(1, MOST_KERNEL)), draw(st.integers(0, MOST_PAD))
        stride, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        smallest = max(1, dilation * (kernel - 1) + 1 - 2 * pad)
        size = smallest + draw(st.integers(0, MOST_BEYOND if len(forms) < 2 else 1))
        forms.append((size, kernel, pad, stride, dilation))
    return tuple(zip(*forms, strict=True)) if forms else ((),) * 5


@settings(deadline=None, max_examples=examples(200))
@given(form=windows(), channels=st.integers(1, 3))
def test_im2col_and_col2im(form, channels):
    inputs, *form = form
    rng = np.random.default_rng(0)
    image = rng.normal(size=(channels, *inputs)).astype(np.float32)
    shape = (channels * math.prod(form[0]), math.prod(output_shape(inputs, *form)))
    column = np.full(shape, np.nan, np.float32)
    assert_twins_agree("im2col", image, *form, column, rtol=0, atol=0)

    column[:] = rng.normal(size=shape)
    back = np.full_like(image, np.nan)
    assert_twins_agree("col2im", column, *form, back, atol=1e-5)


def test_an_image_by_hand():
    image = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    column = np.empty((2, 4), np.float32)
    reference.im2col(image, (1, 2), (0, 1), (1, 2), (1, 1), column)
    np.testing.assert_array_equal(column, [[0, 1, 0, 4], [0, 2, 3, 5]])


@cpu_only
def test_long_and_short_lines():
    """Lines around the length of a vector, and not beyond their end."""
    copies = {}
    for width in (4, 8, 16):
        line, add = make_line_copy(width, add=False), make_line_copy(width, add=True)

        @numba.njit
        def run(source, target, count, line=line, add=add):
            line(source, 1, target, 2, count)
            add(source, 0, target, 2, count)

        copies[width] = run
    source = np.arange(1, 51, dtype=np.float32)
    for run in copies.values():
        for count in (0, 1, 4, 5, 15, 16, 17, 40):
            target = np.zeros(50, np.float32)
            run(source, target, count)
            expected = np.zeros(50, np.float32)
            expected[2 : 2 + count] = source[1 : 1 + count] + source[:count]
            np.testing.assert_array_equal(target, expected)


@cpu_only
@pytest.mark.parametrize("width", [4, 8, 16])
@pytest.mark.parametrize("stride", [2, 3, 4, 7])
def test_copies_of_every_few_floats(width, stride):
    """Nothing is read beyond the last one that is wanted."""
    line = make_line_copy(width, stride=stride)

    @numba.njit
    def run(source, target, count):
        line(source, 1, target, 2, count)

    for count in (0, 1, 4, 5, 16, 17, 40):
        values = np.arange(count, dtype=np.float32)
        source = np.full(1 + max(0, (count - 1) * stride + 1), np.nan, np.float32)
        source[1::stride] = values
        target = np.zeros(50, np.float32)
        run(source, target, count)
        np.testing.assert_array_equal(target[2 : 2 + count], values)
        assert not target[:2].any()
        assert not target[2 + count :].any()
