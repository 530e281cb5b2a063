"""Convolution and max pooling as one, against one after the other."""

import pytest
from convolution_cases import assert_runs_agree, run_convolution_max_pooling
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_testing import (
    SIMULATED,
    assert_same_bits_for_any_threads,
    convolution_operands,
    cpu_only,
    examples,
)

from caffe.kernels import cpu
from caffe.kernels.cpu import sparse_plan
from caffe.kernels.cpu.weighted_sum import TILES

WINDOW = ((2, 2), (0, 0), (2, 2))  # of the pooling


MOST_IMAGES, MOST_OUTPUTS, MOST_BEYOND = (2, 3, 2) if SIMULATED else (5, 20, 9)


@st.composite
def cases(draw):
    kernel, pad, stride, inputs = [], [], [], []
    for _ in range(2):
        kernel.append(draw(st.integers(1, 6)))
        pad.append(draw(st.integers(0, 2)))
        stride.append(draw(st.integers(1, 3)))
        smallest = max(1, kernel[-1] + 3 * stride[-1] - 2 * pad[-1])
        inputs.append(smallest + draw(st.integers(0, MOST_BEYOND)))
    group = draw(st.integers(1, 2))
    channels, outputs = (group * draw(st.integers(1, MOST_OUTPUTS)) for _ in range(2))
    size = draw(st.integers(2, 3))
    window = ((size, size), (0, 0), (2, 2))
    shapes = (draw(st.integers(1, MOST_IMAGES)), channels, inputs, outputs, kernel, group)
    return shapes, tuple(pad), tuple(stride), group, window


@settings(deadline=None, max_examples=examples(60))
@given(case=cases(), bias_term=st.booleans(), zeros=st.sampled_from([0.0, 0.1, 0.6]))
def test_any_form(case, bias_term, zeros):
    shapes, *form = case
    bottom, weight, bias = convolution_operands(*shapes)
    assert_runs_agree(
        run_convolution_max_pooling,
        (bottom, weight, bias if bias_term else bias[:0]),
        *form,
        zeros=zeros,
    )


@pytest.mark.parametrize(
    ("group", "window"),
    [(1, WINDOW), (2, ((2, 3), (1, 0), (3, 3))), (2, ((3, 3), (0, 0), (2, 2)))],
    ids=["side by side", "with gaps", "overlapping"],
)
def test_some_windows(group, window):
    case = convolution_operands(2, 4, (5, 8), 18, (2, 3), group)
    assert_runs_agree(run_convolution_max_pooling, case, (0, 1), (1, 1), group, window)


@cpu_only
@pytest.mark.parametrize("tile", range(len(TILES)))
def test_every_tile_of_the_gradients(tile, monkeypatch):
    monkeypatch.setattr(sparse_plan, "_cost", lambda candidate, *_: candidate != TILES[tile])
    sparse_plan.sparse_plan.cache_clear()
    try:
        case = convolution_operands(3, 10, (11, 12), 7, (3, 4), 1)
        assert_runs_agree(
            run_convolution_max_pooling, case, (1, 0), (1, 1), 1, ((2, 2), (0, 0), (2, 2))
        )
    finally:
        sparse_plan.sparse_plan.cache_clear()


@cpu_only
@pytest.mark.parametrize("most", [0, 1 << 12, 1 << 18], ids=["one sum", "some", "many"])
def test_shares_of_the_images_and_parts_of_the_outputs(most, monkeypatch):
    monkeypatch.setattr(sparse_plan, "MOST_SUMS", most)
    sparse_plan.sparse_plan.cache_clear()
    try:
        case = convolution_operands(11, 6, (8, 9), 10, (3, 3), 2)
        assert_runs_agree(
            run_convolution_max_pooling, case, (0, 0), (1, 1), 2, ((2, 2), (0, 0), (2, 2))
        )
    finally:
        sparse_plan.sparse_plan.cache_clear()


@cpu_only
def test_the_same_bits_for_any_number_of_threads():
    case = convolution_operands(9, 6, (12, 11), 14, (3, 3), 2)
    form = ((1, 1), (1, 1), 2, ((3, 3), (0, 0), (2, 2)))
    assert_same_bits_for_any_threads(
        lambda: list(run_convolution_max_pooling(cpu, case, *form).values())
    )
