"""Records of one layout taken apart, against the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_testing import assert_twins_agree, cpu_only

pytestmark = cpu_only


def make(number: int, size: int, rest: int) -> tuple:
    """Arguments for records of two bytes, an image, two bytes with the label, and a rest."""
    rng = np.random.default_rng(size)
    pattern = rng.integers(0, 256, 4 + size + rest, np.uint8)
    records = np.tile(pattern, (number, 1))
    records[:, 2 : 2 + size] = rng.integers(0, 256, (number, size), np.uint8)
    records[:, 3 + size] = rng.integers(0, 128, number, np.uint8)
    images, labels = np.zeros((number, size), np.uint8), np.zeros(number, np.float32)
    return records, pattern, 2, 3 + size, images, labels


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(0, 100), st.integers(0, 3))
def test_records_that_are_alike(number, size, rest) -> None:
    arguments = make(number, size, rest)
    records = arguments[0]
    (*_, images, labels), alike = assert_twins_agree("split_records", *arguments)
    assert alike
    np.testing.assert_array_equal(images, records[:, 2 : 2 + size])
    np.testing.assert_array_equal(labels, records[:, 3 + size])


@pytest.mark.parametrize("place", [0, 1, 42, 44, 45])
def test_one_other_byte_is_found(place) -> None:
    for n in range(3):
        arguments = make(3, 40, 2)
        arguments[0][n, place] ^= 1
        assert not assert_twins_agree("split_records", *arguments)[1]


def test_labels_of_two_bytes_are_found() -> None:
    arguments = make(3, 40, 0)
    arguments[0][2, 43] = 128
    assert not assert_twins_agree("split_records", *arguments)[1]
