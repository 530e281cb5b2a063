"""pycaffe's conversions between arrays and the messages BlobProto and Datum."""

import math
from collections.abc import Iterable

import numpy as np

from ..errors import CaffeError
from ..proto.caffe_pb2 import BlobProto, BlobProtoVector, Datum

_OLD_AXES = ("num", "channels", "height", "width")


def has_old_shape(blob: BlobProto) -> bool:
    """Whether a BlobProto gives its shape in the old way: num, channels, height, width."""
    return any(blob.HasField(axis) for axis in _OLD_AXES)


def proto_shape(blob: BlobProto) -> tuple[int, ...]:
    """The shape that a BlobProto states."""
    if has_old_shape(blob):
        return tuple(getattr(blob, axis) for axis in _OLD_AXES)
    return tuple(blob.shape.dim)


def blobproto_to_array(blob: BlobProto, return_diff: bool = False) -> np.ndarray:
    """The data of a BlobProto, or its diff, as an array of the blob's shape.

    Raises CaffeError where the number of values is not that of the shape.
    """
    if return_diff:
        values = np.array(blob.diff or blob.double_diff)
    else:
        values = np.array(blob.data or blob.double_data)
    shape = proto_shape(blob)
    if values.size != math.prod(shape):
        raise CaffeError(f"a BlobProto of shape {shape} holds {values.size} values")
    return values.reshape(shape)


def array_to_blobproto(arr: np.ndarray, diff: np.ndarray | None = None) -> BlobProto:
    """A BlobProto of the array's shape that holds it and, if given, a diff."""
    blob = BlobProto()
    blob.shape.dim.extend(arr.shape)
    blob.data.extend(arr.astype(float).flat)
    if diff is not None:
        blob.diff.extend(diff.astype(float).flat)
    return blob


def arraylist_to_blobprotovector_str(arraylist: Iterable[np.ndarray]) -> bytes:
    """A serialized BlobProtoVector of several arrays."""
    vector = BlobProtoVector(blobs=[array_to_blobproto(arr) for arr in arraylist])
    return vector.SerializeToString()


def blobprotovector_str_to_arraylist(text: bytes) -> list[np.ndarray]:
    """The arrays in a serialized BlobProtoVector."""
    return [blobproto_to_array(blob) for blob in BlobProtoVector.FromString(text).blobs]


def array_to_datum(arr: np.ndarray, label: int | None = None) -> Datum:
    """A Datum of an image (channels, height, width): raw bytes if it is uint8, else floats.

    Raises CaffeError for an array that has not three axes.
    """
    if arr.ndim != 3:
        raise CaffeError(f"a Datum holds an array of 3 axes, this one has the shape {arr.shape}")
    datum = Datum()
    datum.channels, datum.height, datum.width = arr.shape
    if arr.dtype == np.uint8:
        datum.data = arr.tobytes()
    else:
        datum.float_data.extend(arr.astype(float).flat)
    if label is not None:
        datum.label = label
    return datum


def datum_to_array(datum: Datum) -> np.ndarray:
    """The image of a Datum, (channels, height, width): uint8, or float64 for float_data.

    The label is datum.label. Raises CaffeError where the number of values is not that of the
    shape.
    """
    if datum.data:
        values = np.frombuffer(datum.data, np.uint8).copy()
    else:
        values = np.array(datum.float_data).astype(float)
    shape = (datum.channels, datum.height, datum.width)
    if values.size != math.prod(shape):
        raise CaffeError(f"a Datum of shape {shape} holds {values.size} values")
    return values.reshape(shape)
