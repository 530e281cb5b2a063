"""From Datum messages, the records of Caffe's databases, to arrays."""

import numpy as np
from google.protobuf.message import DecodeError

from ..errors import CaffeError
from ..proto.caffe_pb2 import Datum

_LABEL_TAG = 0x28  # field 5, a varint
_NOT_ENCODED = b"\x38\x00"  # field 7, false


def read_datum(value: bytes, name: str) -> tuple[np.ndarray, int]:
    """The image (channels, height, width), uint8 or float32, and the label of one record.

    name: of the record, for messages. Raises CaffeError for a record that is cut short, corrupt,
    encoded, or whose number of values is not channels * height * width.
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


def read_alike(values: list[bytes], name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """The images (N, channels, height, width), uint8, and labels of records of one layout.

    This is the fast way for the usual batch: raw images of one shape with labels below 128, which
    lie at the same places of records of the same length. The first record is read with care, the
    others are compared with it byte by byte outside image and label. Returns None where they do
    not compare. name: of the first record.
    """
    length = len(values[0])
    image, _ = read_datum(values[0], name)
    if image.dtype != np.uint8 or set(map(len, values)) != {length}:
        return None
    channels, height, width = image.shape
    alone = Datum(channels=channels, height=height, width=width, data=image.tobytes())
    head = alone.SerializeToString()[: -image.size]
    start, end = len(head), len(head) + image.size
    rest = values[0][end + 2 :]
    if length < end + 2 or rest not in (b"", _NOT_ENCODED):
        return None
    raw = np.frombuffer(b"".join(values), np.uint8).reshape(len(values), length)
    label = raw[:, end + 1]
    alike = (
        (raw[:, :start] == np.frombuffer(head, np.uint8)).all()
        and (raw[:, end] == _LABEL_TAG).all()
        and (label < 128).all()
        and (raw[:, end + 2 :] == np.frombuffer(rest, np.uint8)).all()
    )
    if not alike:
        return None
    images = raw[:, start:end].copy().reshape(len(values), channels, height, width)
    return images, label.astype(np.float32)


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as messages write it: 1x28x28."""
    return "x".join(str(length) for length in shape)
