"""Making a data layer's batches: read the records, decode them, transform the images."""

from dataclasses import dataclass, field

import numpy as np

from ..errors import CaffeError
from .datum import read_alike, read_datum, shape_text
from .lmdb_reader import LmdbReader
from .rng import numbered_generator
from .transformer import Transformer

_TRANSFORM_STREAM = 0


@dataclass
class Batch:
    """What one forward of a data layer hands over."""

    data: np.ndarray  # (batch_size, channels, height, width) float32
    label: np.ndarray  # (batch_size,) float32
    keys: list[bytes] = field(default_factory=list)  # of the records


class BatchLoader:
    """Fills one batch after the other with the records that follow in the database.

    The random numbers of a batch depend on the seed and the batch's number only, so that to go on
    from any batch is exact.
    """

    def __init__(
        self, reader: LmdbReader, transformer: Transformer, batch_size: int, seed: int, number: int
    ):
        """seed: of the random numbers; number: of the first batch that will be made."""
        self._reader = reader
        self._transformer = transformer
        self._batch_size = batch_size
        self._seed = seed
        self._number = number

    def fill(self, batch: Batch) -> None:
        """Make the next batch; its data gets new memory where the shape is another.

        Raises CaffeError, naming the record, for one that is corrupt or does not fit.
        """
        records = self._reader.read(self._batch_size)
        batch.keys = [key for key, _ in records]
        alike = read_alike([value for _, value in records], self._name(batch.keys[0]))
        if alike is not None:
            groups, batch.label = [alike[0]], alike[1]
        else:
            groups, batch.label = self._read_each(records)
        self._transform(groups, batch)
        self._number += 1

    def _name(self, key: bytes) -> str:
        return self._reader.record_name(key)

    def _read_each(self, records: list[tuple[bytes, bytes]]) -> tuple[list[np.ndarray], np.ndarray]:
        """The images in groups (n, channels, height, width) of one shape, and the labels."""
        images: list[np.ndarray] = []
        labels: list[int] = []
        for key, value in records:
            image, label = read_datum(value, self._name(key))
            if images:
                self._check_alike(image.shape, images[0].shape, key, records[0][0])
            images.append(image)
            labels.append(label)
        if len({(image.shape, image.dtype) for image in images}) == 1:
            groups = [np.stack(images)]
        else:
            groups = [np.stack([image]) for image in images]
        return groups, np.array(labels, np.float32)

    def _check_alike(
        self, shape: tuple[int, ...], first: tuple[int, ...], key: bytes, first_key: bytes
    ) -> None:
        # A crop makes one size of many, but not one number of channels.
        if shape == first or (self._transformer.crop_size and shape[0] == first[0]):
            return
        raise CaffeError(
            f"{self._name(key)} is {shape_text(shape)}, but the batch begins with "
            f"{self._name(first_key)}, which is {shape_text(first)}; the images of a batch need "
            "one number of channels and, unless crop_size is set, one size"
        )

    def _transform(self, groups: list[np.ndarray], batch: Batch) -> None:
        transformer = self._transformer
        out_shape: tuple[int, ...] = ()
        start = 0
        for images in groups:
            name = self._name(batch.keys[start])
            out_shape = transformer.output_shape(images.shape[1:], name)
            start += len(images)
        if batch.data.shape != (start, *out_shape):
            batch.data = np.empty((start, *out_shape), np.float32)
        generator = None
        if transformer.random:
            generator = numbered_generator(self._seed, _TRANSFORM_STREAM, self._number)
        start = 0
        for images in groups:
            end = start + len(images)
            transformer.transform(images, generator, batch.data[start:end])
            start = end
