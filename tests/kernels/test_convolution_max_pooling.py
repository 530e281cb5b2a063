"""Convolution and max pooling as one, against one after the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_testing import assert_same_bits_for_any_threads, convolution_operands

from caffe.kernels import cpu, reference
from caffe.kernels.cpu import sparse_plan
from caffe.kernels.cpu.weighted_sum import TILES
from caffe.kernels.reference.im2col import output_shape


def run(kernels, operands, pad, stride, group, window, zeros=0.0):
    """Forward and all gradients. What is overwritten starts as NaN, what is added to does not."""
    rng = np.random.default_rng(1)
    bottom, weight, bias = operands
    outputs = output_shape(bottom.shape[2:], weight.shape[2:], pad, stride, (1, 1))
    top = np.full((len(bottom), len(weight), *outputs), np.nan, np.float32)
    kernel, _, pooling_stride = window
    pooled_size = [
        -(-(outputs[i] - kernel[i]) // pooling_stride[i]) + 1 for i in (0, 1)
    ]  # rounded up, as Caffe does
    pooled = np.full((*top.shape[:2], *pooled_size), np.nan, np.float32)
    mask = np.full(pooled.shape, -1, np.int32)
    size = kernels.convolution_workspace(bottom.shape, weight.shape, top.shape, group)
    workspace = np.full(size, np.nan, np.float32)
    kernels.convolution_max_pooling_forward(
        bottom, weight, bias, top, pooled, mask, pad, stride, group, window, workspace
    )
    pooled_diff = rng.normal(size=pooled.shape).astype(np.float32)
    pooled_diff[rng.random(pooled.shape) < zeros] = 0
    weight_diff = rng.normal(size=weight.shape).astype(np.float32)
    bottom_diff = np.full_like(bottom, np.nan)
    size = kernels.convolution_max_pooling_workspace(
        bottom.shape, weight.shape, pooled.shape, pad, stride, group
    )
    form = (pad, stride, group, np.full(size, np.nan, np.float32))
    kernels.convolution_max_pooling_backward_data(pooled_diff, mask, weight, bottom_diff, *form)
    kernels.convolution_max_pooling_backward_weight(bottom, pooled_diff, mask, weight_diff, *form)
    return {
        "top": top,
        "pooled": pooled,
        "mask": mask,
        "weight_diff": weight_diff,
        "bottom_diff": bottom_diff,
    }


def assert_agree(case, *form, **more):
    ours, wanted = (run(kernels, case, *form, **more) for kernels in (cpu, reference))
    np.testing.assert_array_equal(ours.pop("mask"), wanted.pop("mask"))
    for name, expected in wanted.items():
        largest = np.abs(expected).max()
        np.testing.assert_allclose(ours[name], expected, 1e-5, 1e-5 * largest, err_msg=name)


@st.composite
def cases(draw):
    kernel, pad, stride, inputs = [], [], [], []
    for _ in range(2):
        kernel.append(draw(st.integers(1, 6)))
        pad.append(draw(st.integers(0, 2)))
        stride.append(draw(st.integers(1, 3)))
        smallest = max(1, kernel[-1] + 3 * stride[-1] - 2 * pad[-1])
        inputs.append(smallest + draw(st.integers(0, 9)))
    group = draw(st.integers(1, 2))
    channels, outputs = (group * draw(st.integers(1, 20)) for _ in range(2))
    size = draw(st.integers(2, 3))
    window = ((size, size), (0, 0), (2, 2))
    shapes = (draw(st.integers(1, 5)), channels, inputs, outputs, kernel, group)
    return shapes, tuple(pad), tuple(stride), group, window


@settings(deadline=None, max_examples=60)
@given(case=cases(), bias_term=st.booleans(), zeros=st.sampled_from([0.0, 0.1, 0.6]))
def test_any_form(case, bias_term, zeros):
    shapes, *form = case
    bottom, weight, bias = convolution_operands(*shapes)
    assert_agree((bottom, weight, bias if bias_term else bias[:0]), *form, zeros=zeros)


@pytest.mark.parametrize("tile", range(len(TILES)))
def test_every_tile_of_the_gradients(tile, monkeypatch):
    monkeypatch.setattr(sparse_plan, "_cost", lambda candidate, *_: candidate != TILES[tile])
    sparse_plan.sparse_plan.cache_clear()
    try:
        case = convolution_operands(3, 10, (11, 12), 7, (3, 4), 1)
        assert_agree(case, (1, 0), (1, 1), 1, ((2, 2), (0, 0), (2, 2)))
    finally:
        sparse_plan.sparse_plan.cache_clear()


def test_more_images_than_are_packed_at_a_time(monkeypatch):
    monkeypatch.setattr(sparse_plan, "MOST_FLOATS", 0)
    sparse_plan.sparse_plan.cache_clear()
    try:
        case = convolution_operands(11, 3, (8, 9), 6, (3, 3), 1)
        assert_agree(case, (0, 0), (1, 1), 1, ((2, 2), (0, 0), (2, 2)))
    finally:
        sparse_plan.sparse_plan.cache_clear()


def test_the_same_bits_for_any_number_of_threads():
    case = convolution_operands(9, 6, (12, 11), 14, (3, 3), 2)
    form = ((1, 1), (1, 1), 2, ((3, 3), (0, 0), (2, 2)))
    assert_same_bits_for_any_threads(lambda: list(run(cpu, case, *form).values()))
