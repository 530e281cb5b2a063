"""From Datum messages, the records of Caffe's databases, to arrays."""

import math
from typing import NamedTuple

import numpy as np
from google.protobuf.message import DecodeError

from ..errors import CaffeError
from ..kernels.cpu.split_records import split_records
from ..proto.caffe_pb2 import Datum

_NOT_ENCODED = b"\x38\x00"  # field 7, false


def read_datum(value: bytes, name: object) -> tuple[np.ndarray, int]:
    """The image (channels, height, width), uint8 or float32, and the label of one record.

    name: str(name) names the record in messages. Raises CaffeError for a record that is cut short,
    corrupt, encoded, or whose number of values is not channels * height * width.
    """
    datum = Datum()
    try:
        datum.ParseFromString(value)
    except DecodeError as error:
        raise CaffeError(f"{name} is no Datum: cut short or corrupt; make it again") from error
    if datum.encoded:
        raise CaffeError(
            f"{name} holds an encoded image (JPEG, PNG or the like); encoded images are not "
            "supported yet, so make the database without --encoded"
        )
    if datum.data:
        values = np.frombuffer(datum.data, np.uint8)
    else:
        values = np.array(datum.float_data, np.float32)
    shape = (datum.channels, datum.height, datum.width)
    if min(shape) <= 0 or values.size != shape[0] * shape[1] * shape[2]:
        raise CaffeError(
            f"{name} is cut short or corrupt: it holds {values.size} values, which is not "
            f"channels x height x width = {shape_text(shape)}; make it again"
        )
    return values.reshape(shape), datum.label


class _Layout(NamedTuple):
    """Where image and label lie in a record, of which everything else is as in `record`."""

    record: np.ndarray
    shape: tuple[int, ...]
    image_at: int
    label_at: int


_layouts: dict[int, _Layout] = {}  # length of a record -> the layout found last


def read_alike(
    values: bytes, lengths: list[int], name: object
) -> tuple[np.ndarray, np.ndarray] | None:
    """The images (N, channels, height, width), uint8, and labels of records of one layout.

    This is the fast way for the usual batch: raw images of one shape with labels below 128, which
    lie at the same places of records of the same length. One record was once read with care, all
    are compared with it byte by byte outside image and label. Returns None where they do not
    compare. values: the records, one after the other; name: of the first one.
    """
    length = lengths[0]
    if set(lengths) != {length}:
        return None
    records = np.frombuffer(values, np.uint8).reshape(-1, length)
    known = _layouts.get(length)
    alike = known and _split(records, known)
    if alike:
        return alike
    found = _find_layout(values[:length], name)
    if found is None:
        return None
    _layouts[length] = found
    return _split(records, found)


def _split(records: np.ndarray, layout: _Layout) -> tuple[np.ndarray, np.ndarray] | None:
    count = len(records)
    images = np.empty((count, math.prod(layout.shape)), np.uint8)
    labels = np.empty(count, np.float32)
    if split_records(records, layout.record, layout.image_at, layout.label_at, images, labels):
        return images.reshape(count, *layout.shape), labels
    return None


def _find_layout(record: bytes, name: object) -> _Layout | None:
    """The layout of a record, read with care; None for one that is not as Caffe's tools write it
    or has a label that does not fit into one byte."""
    image, label = read_datum(record, name)
    if image.dtype != np.uint8 or not 0 <= label < 128:
        return None
    channels, height, width = image.shape
    datum = Datum(channels=channels, height=height, width=width, data=image.tobytes(), label=label)
    usual = datum.SerializeToString()
    if record not in (usual, usual + _NOT_ENCODED):
        return None
    label_at = len(usual) - 1
    pattern = np.frombuffer(record, np.uint8)
    return _Layout(pattern, image.shape, label_at - 1 - image.size, label_at)


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as messages write it: 1x28x28."""
    return "x".join(str(length) for length in shape)
