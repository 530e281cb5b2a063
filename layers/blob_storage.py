"""Blobs to and from BlobProto, the message in which models, snapshots and means are stored."""

from typing import Any

import numpy as np

from ..io.blob_proto import has_old_shape, proto_shape
from .blob import Blob

_DATA_TAG, _DIFF_TAG = b"\x2a", b"\x32"  # fields 5 and 6, packed


def blob_to_proto(blob: Blob, proto: Any, write_diff: bool = False) -> None:
    """Store a blob's shape, data and, if asked, diff in an empty BlobProto."""
    proto.shape.dim.extend(blob.shape)
    _merge_packed(proto, _DATA_TAG, blob.data)
    if write_diff:
        _merge_packed(proto, _DIFF_TAG, blob.diff)


def _merge_packed(proto: Any, tag: bytes, values: np.ndarray) -> None:
    # Parsing the wire bytes is a hundred times faster than extending the field by Python floats.
    raw = values.astype("<f4", copy=False).tobytes()
    length, rest = b"", len(raw)
    while rest > 127:
        length += bytes([rest & 127 | 128])
        rest >>= 7
    proto.MergeFromString(tag + length + bytes([rest]) + raw)


def shape_equals(shape: tuple[int, ...], proto: Any) -> bool:
    """Whether a BlobProto has this shape. Old four-axis shapes may carry leading ones."""
    if has_old_shape(proto):
        return len(shape) <= 4 and (1,) * (4 - len(shape)) + shape == proto_shape(proto)
    return shape == proto_shape(proto)


def count_of_values(proto: Any) -> int:
    """How many values a BlobProto holds, whatever its shape says."""
    return len(proto.double_data or proto.data)


def proto_to_blob(proto: Any, blob: Blob) -> None:
    """Copy the values of a BlobProto, float or double, into a blob of equal count; the diff too,
    where there is one."""
    data = np.array(proto.double_data or proto.data, np.float32)
    blob.data[...] = data.reshape(blob.shape)
    diff = proto.double_diff or proto.diff
    if diff:
        blob.diff[...] = np.array(diff, np.float32).reshape(blob.shape)
