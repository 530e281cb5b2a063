"""What pycaffe's caffe.io has for BlobProto and Datum."""

import numpy as np
import pytest

import caffe.io
from caffe.errors import CaffeError
from caffe.proto.caffe_pb2 import BlobProto, Datum

ARRAY = np.random.default_rng(1701).standard_normal((2, 3, 4)).astype(np.float32)


def test_blobproto():
    blob = caffe.io.array_to_blobproto(ARRAY, 2 * ARRAY)
    assert list(blob.shape.dim) == [2, 3, 4]
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(blob), ARRAY)
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(blob, return_diff=True), 2 * ARRAY)


def test_blobproto_with_old_shape_or_doubles():
    old = BlobProto(num=1, channels=2, height=3, width=4, data=ARRAY.reshape(-1))
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(old), ARRAY[np.newaxis])
    doubles = BlobProto(double_data=[1.5, 2.5])
    doubles.shape.dim.append(2)
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(doubles), [1.5, 2.5])


def test_blobproto_of_the_wrong_size():
    blob = caffe.io.array_to_blobproto(ARRAY)
    del blob.data[-1]
    with pytest.raises(CaffeError, match=r"BlobProto of shape \(2, 3, 4\) holds 23 values"):
        caffe.io.blobproto_to_array(blob)


def test_blobproto_vector():
    arrays = [ARRAY, ARRAY[0], np.zeros(3, np.float32)]
    text = caffe.io.arraylist_to_blobprotovector_str(arrays)
    back = caffe.io.blobprotovector_str_to_arraylist(text)
    assert len(back) == 3
    for array, expected in zip(back, arrays, strict=True):
        np.testing.assert_array_equal(array, expected)


def test_datum_of_bytes():
    image = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    datum = caffe.io.array_to_datum(image, 5)
    assert (datum.data, datum.label) == (image.tobytes(), 5)
    back = caffe.io.datum_to_array(datum)
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, image)


def test_datum_of_floats():
    datum = caffe.io.array_to_datum(ARRAY)
    assert not datum.HasField("label")
    back = caffe.io.datum_to_array(datum)
    assert back.dtype == np.float64
    np.testing.assert_array_equal(back, ARRAY)


def test_unfit_datum():
    with pytest.raises(CaffeError, match=r"3 axes, this one has the shape \(3, 4\)"):
        caffe.io.array_to_datum(ARRAY[0])
    with pytest.raises(CaffeError, match=r"Datum of shape \(1, 2, 2\) holds 3 values"):
        caffe.io.datum_to_array(Datum(channels=1, height=2, width=2, data=b"abc"))
