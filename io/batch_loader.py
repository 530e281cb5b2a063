"""Making a data layer's batches: read the records and decode them, then transform the images."""

from dataclasses import dataclass, field

import numpy as np

from ..errors import CaffeError
from .datum import read_alike, read_datum, shape_text
from .lmdb_reader import LmdbReader, RecordName, Records
from .rng import numbered_generator
from .transformer import Places, Transformer

_TRANSFORM_STREAM = 0


@dataclass
class Batch:
    """The records of one forward of a data layer, decoded."""

    first_record: int = 0  # the index of its first record in the database
    shape: tuple[int, ...] = ()  # (batch_size, channels, height, width) after the transformation
    label: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))  # (batch_size,)
    # images (n, channels, height, width) of one shape, and what is taken of them
    groups: list[tuple[np.ndarray, Places]] = field(default_factory=list)


class BatchLoader:
    """Fills one batch after the other with the records that follow in the database.

    `fill` may run in a thread of its own. It leaves to `transform` what makes four bytes of each
    pixel, so that they are written once, where the batch is wanted.

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
        """Read and decode the next batch.

        Raises CaffeError, naming the record, for one that is corrupt or does not fit.
        """
        records = self._reader.read(self._batch_size)
        first = RecordName(self._reader, records.first)
        alike = read_alike(records.values, records.lengths, first)
        if alike is not None:
            groups, batch.label = [alike[0]], alike[1]
        else:
            groups, batch.label = self._read_each(records)
        batch.first_record = records.first
        self._place(groups, batch)
        self._number += 1

    def transform(self, batch: Batch, out: np.ndarray) -> None:
        """Fill `out`, float32 of the batch's shape, with its transformed images."""
        start = 0
        for images, places in batch.groups:
            end = start + len(images)
            self._transformer.transform(images, places, out[start:end])
            start = end

    def _read_each(self, records: Records) -> tuple[list[np.ndarray], np.ndarray]:
        """The images in groups (n, channels, height, width) of one shape, and the labels."""
        images: list[np.ndarray] = []
        labels: list[int] = []
        first = RecordName(self._reader, records.first)
        for i, value in enumerate(records.split()):
            name = RecordName(self._reader, records.first + i)
            image, label = read_datum(value, name)
            if images:
                self._check_alike(image.shape, images[0].shape, name, first)
            images.append(image)
            labels.append(label)
        if len({(image.shape, image.dtype) for image in images}) == 1:
            groups = [np.stack(images)]
        else:
            groups = [np.stack([image]) for image in images]
        return groups, np.array(labels, np.float32)

    def _check_alike(
        self,
        shape: tuple[int, ...],
        first: tuple[int, ...],
        name: RecordName,
        first_name: RecordName,
    ) -> None:
        # A crop makes one size of many, but not one number of channels.
        if shape == first or (self._transformer.crop_size and shape[0] == first[0]):
            return
        raise CaffeError(
            f"{name} is {shape_text(shape)}, but the batch begins with {first_name}, which is "
            f"{shape_text(first)}; the images of a batch need one number of channels and, unless "
            "crop_size is set, one size"
        )

    def _place(self, groups: list[np.ndarray], batch: Batch) -> None:
        transformer = self._transformer
        out_shape: tuple[int, ...] = ()
        start = 0
        for images in groups:
            name = RecordName(self._reader, batch.first_record + start)
            out_shape = transformer.output_shape(images.shape[1:], name)
            start += len(images)
        batch.shape = (start, *out_shape)
        generator = None
        if transformer.random:
            generator = numbered_generator(self._seed, _TRANSFORM_STREAM, self._number)
        batch.groups = [
            (images, transformer.places(len(images), images.shape[1:], generator))
            for images in groups
        ]
