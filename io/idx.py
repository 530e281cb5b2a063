"""IDX files, the format of MNIST: a magic number, the lengths of the axes, then bytes."""

import gzip
import math
import os
import zlib

import numpy as np

from ..errors import CaffeError
from ..proto.files import read_bytes

IMAGES_MAGIC = 2051  # unsigned bytes, 3 axes: item, row, column
LABELS_MAGIC = 2049  # unsigned bytes, 1 axis
_GZIP = b"\x1f\x8b"


def read_images(path: str | os.PathLike[str]) -> np.ndarray:
    """The images in an IDX file, plain or gzip-compressed: (number, rows, columns) uint8.

    Raises CaffeError for a file that is missing, of another kind, cut short or too long.
    """
    return _read(path, IMAGES_MAGIC, "image")


def read_labels(path: str | os.PathLike[str]) -> np.ndarray:
    """The labels in an IDX file, plain or gzip-compressed: (number,) uint8. Raises as above."""
    return _read(path, LABELS_MAGIC, "label")


def _read(path: str | os.PathLike[str], magic: int, kind: str) -> np.ndarray:
    content = read_bytes(path)
    if content.startswith(_GZIP):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise CaffeError(f"{path}: cut short or corrupt: {error}; fetch it again") from error
    found = int.from_bytes(content[:4], "big")
    if found != magic:
        raise CaffeError(
            f"{path}: Incorrect {kind} file magic: {found}; an IDX file of {kind}s has {magic}"
        )
    axes = magic & 0xFF
    start = 4 + 4 * axes
    shape = [int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4)]
    if len(content) != start + math.prod(shape):
        raise CaffeError(
            f"{path}: cut short or corrupt: it has {len(content)} bytes where its header asks for "
            f"{start + math.prod(shape)}; fetch it again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
