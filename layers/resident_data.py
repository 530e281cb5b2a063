"""A dataset that lives in the GPU's memory, where a kernel makes the batches of it."""

from types import ModuleType
from typing import Any

import numpy as np

from ..errors import CaffeError
from ..glog import logger
from ..io.datum import read_alike
from ..io.lmdb_reader import LmdbReader, RecordName
from ..io.transformer import Transformer
from ..kernels.synced_memory import SyncedArray

LARGEST = 2 << 30  # bytes; MNIST takes 47 million
NO_LABELS = np.empty(0, np.float32)
_RECORDS_AT_ONCE = 1000


class ResidentData:
    """All images and labels of a database, in its order, and the position of the next batch."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, transformer: Transformer):
        self._images, self._labels = SyncedArray.holding(images), SyncedArray.holding(labels)
        self._mean = SyncedArray.holding(transformer.mean)
        self._scale = transformer.scale
        self._position = SyncedArray((1,), np.int64)
        _, self._top, self._left = transformer.places(1, images.shape[1:], None)

    @classmethod
    def of(cls, reader: LmdbReader, transformer: Transformer, first: int) -> "ResidentData | None":
        """The reader's database, beginning with the record `first`. None where it is too large, or
        its records are not raw images of one size: those are better read batch by batch."""
        whole = _read_all(reader)
        if whole is None:
            return None
        data = cls(*whole, transformer)
        data.seek(first)
        logger.info("%s: all %d records are in the GPU's memory", reader.path, reader.count)
        return data

    def seek(self, record: int) -> None:
        """Let the next batch begin with this record."""
        self._position.host()[0] = record

    def serve(self, kernels: ModuleType, out: Any, label: Any) -> None:
        """Fill `out` (N, channels, height, width) and `label` (N,), or NO_LABELS, on the GPU."""
        kernels.resident_batch(
            self._images.device(),
            self._labels.device(),
            self._position.device(),
            self._mean.device(),
            self._scale,
            int(self._top[0]),
            int(self._left[0]),
            out,
            label,
        )


def _read_all(reader: LmdbReader) -> tuple[np.ndarray, np.ndarray] | None:
    reader.seek(0)
    images = labels = None
    for start in range(0, reader.count, _RECORDS_AT_ONCE):
        records = reader.read(min(_RECORDS_AT_ONCE, reader.count - start))
        try:
            alike = read_alike(records.values, records.lengths, RecordName(reader, start))
        except CaffeError:  # said again, in its place, when its batch is read
            return None
        if alike is None:
            return None
        if images is None or labels is None:
            if alike[0][0].nbytes * reader.count > LARGEST:
                return None
            images = np.empty((reader.count, *alike[0].shape[1:]), np.uint8)
            labels = np.empty(reader.count, np.float32)
        if alike[0].shape[1:] != images.shape[1:]:
            return None
        end = start + len(alike[0])
        images[start:end], labels[start:end] = alike
    return None if images is None or labels is None else (images, labels)
