"""Data: batches of images and labels from an LMDB database, made in the background."""

import math
from collections.abc import Sequence
from typing import Any

from ..errors import CaffeError
from ..glog import logger
from ..io.batch_loader import Batch, BatchLoader
from ..io.datum import read_datum
from ..io.lmdb_reader import LmdbReader, RecordName
from ..io.prefetch import Prefetcher
from ..io.rng import fresh_seed, numbered_generator
from ..io.transformer import Transformer
from ..kernels import cpu
from ..proto.caffe_pb2 import DataParameter, SolverState
from .blob import Blob
from .layer import Layer
from .registry import register
from .resident_data import NO_LABELS, ResidentData
from .staged_data import StagedBatches, use_of_gpu

_SKIP_STREAM = 1  # of random numbers; the loader's are another
# Small batches are made many at a time, at less cost each: so many, of so many values, at most.
_BATCHES_AHEAD = 16
_VALUES_AHEAD = 1 << 20


@register
class Data(Layer):
    """top[0]: the images after transform_param, (batch_size, channels, height, width);
    top[1], if asked for: their labels, (batch_size,).

    The records come in the order of their keys, round and round, beginning at a random one of the
    first `rand_skip`. A thread reads and decodes `prefetch` batches ahead, or more where they are
    small; it starts at the first forward.

    Raises CaffeError for a database that is missing, empty or not LMDB, and, naming the record,
    for one that is corrupt or does not fit.

    On the GPU, a dataset that fits into its memory is copied there once, and batches are made of it
    there (resident_data.py). Others are made on the host and copied one ahead (staged_data.py).
    """

    type = "Data"
    num_bottom = (0, 0)
    num_top = (1, 2)
    has_gpu_twin = True

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Open the database and find the shape of its first image."""
        param = self.param.data_param
        self._check(param)
        self._prefetcher: Prefetcher[Batch] | None = None
        self._resident: ResidentData | None = None
        self._staged: StagedBatches | None = None
        self._served_record: int | None = None  # the first of the batch served last
        self._seed = fresh_seed()
        self._first_batch = 0  # the number of the batch that begins at _first_record
        self._served = 0  # batches since then
        try:
            self._transformer = Transformer(self.param.transform_param, self.phase)
            self._reader = LmdbReader(param.source)
            self._shape = self._first_shape()
        except CaffeError as error:
            raise self.error(str(error)) from error
        self._first_record = self._skip(param.rand_skip)
        logger.info("output data size: %s", ",".join(map(str, self._shape)))
        if self.on_device and not self._transformer.random:
            self._resident = ResidentData.of(self._reader, self._transformer, self._first_record)
        self.on_device = self._resident is not None

    def _check(self, param: Any) -> None:
        if not param.source:
            raise self.error("data_param has no source; give the folder of an LMDB")
        if param.backend != DataParameter.LMDB:
            given = "" if param.HasField("backend") else " (the default)"
            raise self.error(
                f"backend LEVELDB{given} is not supported; convert {param.source} to LMDB and set "
                "backend: LMDB"
            )
        if param.batch_size == 0:
            raise self.error("data_param.batch_size must be positive")
        if param.prefetch == 0:
            raise self.error("data_param.prefetch must be positive")

    def _first_shape(self) -> tuple[int, ...]:
        name = RecordName(self._reader, 0)
        image, _ = read_datum(self._reader.read(1).values, name)
        self._reader.seek(0)
        shape = self._transformer.output_shape(image.shape, name)
        return (self.param.data_param.batch_size, *shape)

    def _skip(self, most: int) -> int:
        if most == 0:
            return 0
        skip = int(numbered_generator(self._seed, _SKIP_STREAM, 0).integers(most))
        logger.info("Skipping first %d data points.", skip)
        return skip % self._reader.count

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Give the tops the shapes of the batch served last, at first of the first image."""
        top[0].reshape(*self._shape)
        if len(top) > 1:
            top[1].reshape(self._shape[0])

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Serve the next batch."""
        if self._resident is not None:
            label = self.data(top[1]) if len(top) > 1 else NO_LABELS
            self._resident.serve(self.kernels, self.data(top[0]), label)
            self.count_batch()
            return
        prefetcher = self._prefetcher or self._start()
        try:
            if self._staged is not None:
                first_record = self._serve_staged(self._staged, top)
            else:
                first_record = self._serve(prefetcher, top)
        except CaffeError as error:
            self._stop()  # the next forward tries again
            raise self.error(str(error)) from error
        self._count(first_record)

    def _serve(self, prefetcher: Prefetcher[Batch], top: Sequence[Blob]) -> int:
        batch = prefetcher.get()
        self._take_shape(batch.shape, top)
        self._loader.transform(batch, top[0].data)
        if len(top) > 1:
            top[1].data[...] = batch.label
        prefetcher.recycle(batch)
        return batch.first_record

    def _serve_staged(self, staged: StagedBatches, top: Sequence[Blob]) -> int:
        staged.check()
        first_record = staged.first_record
        self._take_shape(staged.shape, top)
        self.kernels.copy(staged.image.reshape(-1), top[0].device_data_as(-1))
        if len(top) > 1:
            self.kernels.copy(staged.label, top[1].device_data_as(-1))
        staged.advance()
        return first_record

    def _take_shape(self, shape: tuple[int, ...], top: Sequence[Blob]) -> None:
        self._shape = shape
        if top[0].shape != shape:
            self.reshape((), top)

    def count_batch(self) -> None:
        """Note that the GPU has served a batch by itself."""
        self._count(self._next_record())

    def _count(self, first_record: int) -> None:
        self._served_record = first_record
        self._served += 1

    def _start(self) -> Prefetcher[Batch]:
        param = self.param.data_param
        self._reader.seek(self._next_record())
        self._loader = BatchLoader(
            self._reader,
            self._transformer,
            param.batch_size,
            self._seed,
            self._first_batch + self._served,
        )
        batches = [Batch() for _ in range(self._batches_ahead())]
        if self.kernels is cpu:
            self._prefetcher = Prefetcher(self._loader.fill, batches)
        else:
            self._prefetcher = Prefetcher(self._loader.fill, batches, use_of_gpu())
            self._staged = StagedBatches(self._prefetcher, self._loader)
        return self._prefetcher

    def _batches_ahead(self) -> int:
        a_round = self._reader.count // self._shape[0]
        few = min(_BATCHES_AHEAD, _VALUES_AHEAD // math.prod(self._shape), a_round)
        return max(self.param.data_param.prefetch, few)

    def _stop(self) -> None:
        if self._prefetcher is not None:
            self._prefetcher.close()
            self._prefetcher = self._staged = None

    def _next_record(self) -> int:
        read = self._served * self.param.data_param.batch_size
        return (self._first_record + read) % self._reader.count

    def cursor(self) -> SolverState.Cursor:
        """Where the next forward reads: its first record, the batch's number, the seed."""
        return SolverState.Cursor(
            layer=self.name,
            record=self._next_record(),
            batch=self._first_batch + self._served,
            seed=self._seed,
        )

    def seek(self, cursor: SolverState.Cursor) -> None:
        """Go on where `cursor` was taken, exactly."""
        self._stop()
        count = self._reader.count
        if cursor.record >= count:
            logger.warning(
                "layer '%s': the snapshot goes on at record %d, but %s has only %d; is it another "
                "database? Going on at record %d",
                self.name,
                cursor.record,
                self._reader.path,
                count,
                cursor.record % count,
            )
        self._first_record = cursor.record % count
        self._first_batch = cursor.batch
        self._seed = cursor.seed
        self._served = 0
        if self._resident is not None:
            self._resident.seek(self._first_record)

    def rewind(self, batches: int) -> None:
        """Serve the last batches once more."""
        self._served -= batches
        self.seek(self.cursor())

    def record_name(self, item: int) -> str:
        """Which record became item `item` of the batch served last; "" where none did."""
        if self._served_record is None or item >= self._shape[0]:
            return ""
        return str(RecordName(self._reader, self._served_record + item))
