"""Datum messages to arrays: one by one, and whole batches of one layout."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caffe.errors import CaffeError
from caffe.io.datum import read_alike, read_datum
from caffe.proto.caffe_pb2 import Datum

RNG = np.random.default_rng(1701)


def alike(records, name):
    return read_alike(b"".join(records), list(map(len, records)), name)


def raw_datum(shape=(3, 4, 5), **fields):
    datum = Datum(channels=shape[0], height=shape[1], width=shape[2], **fields)
    datum.data = RNG.integers(0, 256, shape, np.uint8).tobytes()
    return datum


def test_raw_bytes():
    datum = raw_datum(label=7)
    image, label = read_datum(datum.SerializeToString(), "r")
    assert image.dtype == np.uint8
    assert image.shape == (3, 4, 5)
    assert image.tobytes() == datum.data
    assert label == 7


def test_float_data_and_no_label():
    values = RNG.standard_normal((2, 3, 1)).astype(np.float32)
    datum = Datum(channels=2, height=3, width=1, float_data=values.reshape(-1))
    image, label = read_datum(datum.SerializeToString(), "r")
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, values)
    assert label == 0


def error(value):
    with pytest.raises(CaffeError) as caught:
        read_datum(value, "record 'k' of db")
    assert str(caught.value).startswith("record 'k' of db ")
    return str(caught.value)


def test_unfit_records():
    whole = raw_datum(label=1).SerializeToString()
    assert "is no Datum: cut short or corrupt" in error(whole[:30])
    assert "is no Datum" in error(b"\xff" * 20)
    assert "holds 0 values, which is not channels x height x width = 0x0x0" in error(b"")
    short = raw_datum(label=1)
    short.data = short.data[:-1]
    assert "holds 59 values, which is not channels x height x width = 3x4x5" in error(
        short.SerializeToString()
    )
    assert "encoded images are not supported yet" in error(
        raw_datum(encoded=True).SerializeToString()
    )
    negative = Datum(channels=-1, height=-1, width=1, data=b"x")
    assert "which is not channels x height x width = -1x-1x1" in error(negative.SerializeToString())


@st.composite
def batches(draw):
    """Records that are mostly of one layout."""
    shapes = st.tuples(*[st.integers(1, 6)] * 3)
    shape = draw(shapes)
    records = []
    for _ in range(draw(st.integers(1, 6))):
        odd_shape = draw(st.sampled_from([None] * 9 + [(1, 2, 3)]))
        datum = raw_datum(odd_shape or shape)
        if draw(st.sampled_from([True] * 9 + [False])):
            datum.label = draw(st.sampled_from([0, 1, 127, 127, 128, 1000, -1]))
        if draw(st.sampled_from([False] * 9 + [True])):
            datum.encoded = False
        records.append(datum.SerializeToString())
    return records


@settings(deadline=None)
@given(batches())
def test_the_fast_way_gives_what_one_by_one_gives_or_none(records):
    found = alike(records, "r")
    if found is not None:
        images, labels = found
        assert images.flags.c_contiguous
        assert images.flags.writeable
        for record, image, label in zip(records, images, labels, strict=True):
            expected_image, expected_label = read_datum(record, "r")
            np.testing.assert_array_equal(image, expected_image)
            assert label == expected_label


@pytest.mark.parametrize("encoded", [{}, {"encoded": False}])
def test_the_fast_way_takes_the_usual_batch(encoded):
    records = [raw_datum(label=i, **encoded).SerializeToString() for i in range(5)]
    images, labels = alike(records, "r")
    assert images.shape == (5, 3, 4, 5)
    np.testing.assert_array_equal(labels, np.arange(5, dtype=np.float32))


def test_the_fast_way_sees_where_another_layout_begins():
    """Records of one length, but of other shapes, with and without a field at their end."""
    batches = [
        [raw_datum(shape, label=i, **more).SerializeToString() for i in range(3)]
        for shape, more in (
            ((1, 4, 6), {}),
            ((1, 6, 4), {}),
            ((2, 11, 1), {"encoded": False}),
            ((1, 4, 6), {}),
        )
    ]
    assert len({len(record) for batch in batches for record in batch}) == 1
    for batch in batches:
        images, labels = alike(batch, "r")
        for record, image in zip(batch, images, strict=True):
            np.testing.assert_array_equal(image, read_datum(record, "r")[0])
        assert labels.tolist() == [0, 1, 2]
    assert alike([batches[0][0], batches[1][0]], "r") is None


def test_the_fast_way_leaves_odd_records_alone():
    usual = raw_datum(label=1).SerializeToString()
    other_shape = raw_datum((4, 3, 5), label=1).SerializeToString()
    broken = usual[:-2] + b"\x30\x01"
    floats = Datum(channels=1, height=1, width=1, float_data=[1.0]).SerializeToString()
    assert alike([usual, other_shape], "r") is None
    large_label = raw_datum(label=128).SerializeToString()
    for odd in (broken, large_label):
        assert alike([usual, odd], "r") is None
        assert alike([odd, odd], "r") is None
    assert alike([usual, usual + b"\x38\x01"], "r") is None
    assert alike([floats], "r") is None
    with pytest.raises(CaffeError, match=re.escape("r is no Datum")):
        alike([usual[:20]] * 2, "r")
