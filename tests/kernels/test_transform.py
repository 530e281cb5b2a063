"""The transform kernel against its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_testing import SIMULATED, assert_twins_agree, examples, run_kernel

SIDES = st.integers(1, 9 if SIMULATED else 40)


@settings(max_examples=examples(100), deadline=None)
@given(
    st.data(),
    st.sampled_from([np.uint8, np.float32]),
    st.integers(1, 5),
    st.integers(1, 3),
    SIDES,
    SIDES,
)
def test_agrees_with_the_definition(data, dtype, number, channels, height, width):
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    images = rng.integers(0, 256, (number, channels, height, width)).astype(dtype)
    whole = data.draw(st.booleans())
    out_height = height if whole else data.draw(st.integers(1, height))
    out_width = width if whole else data.draw(st.integers(1, width))
    mean_shape = data.draw(
        st.sampled_from([(channels, height, width), (channels, 1, 1), (1, 1, 1)])
    )
    assert_twins_agree(
        "transform",
        images,
        rng.uniform(0, 255, mean_shape).astype(np.float32),
        data.draw(st.sampled_from([1.0, 0.00390625, -2.5])),
        rng.integers(0, 2, number) == 1,
        rng.integers(0, height - out_height + 1, number),
        rng.integers(0, width - out_width + 1, number),
        np.full((number, channels, out_height, out_width), np.nan, np.float32),
        atol=1e-3,
    )


def test_by_hand():
    images = np.array([[[[1, 2, 3], [4, 5, 6]]]] * 2, np.uint8)
    (*_, out), _ = run_kernel(
        "transform",
        images,
        np.ones((1, 1, 1), np.float32),
        0.5,
        np.array([False, True]),
        np.array([0, 1]),
        np.array([1, 0]),
        np.empty((2, 1, 1, 2), np.float32),
    )
    assert out.reshape(2, 2).tolist() == [[0.5, 1.0], [2.0, 1.5]]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_nothing_to_do_copies(dtype):
    images = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5).astype(dtype)
    zeros = np.zeros(2, np.int64)
    mean = np.zeros((1, 1, 1), np.float32)
    out = np.empty(images.shape, np.float32)
    (*_, out), _ = run_kernel("transform", images, mean, 1.0, zeros == 1, zeros, zeros, out)
    np.testing.assert_array_equal(out, images)
