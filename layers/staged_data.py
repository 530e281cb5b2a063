"""Batches on their way from the host to the GPU: the next one travels while this one is used."""

from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from ..errors import CaffeError
from ..io.batch_loader import Batch, BatchLoader
from ..io.prefetch import Prefetcher


def use_of_gpu() -> AbstractContextManager:
    """For other threads to enter: Python's garbage collector may run in them and free memory of the
    GPU, which only threads that use it can."""
    from numba import cuda

    cuda.current_context()  # now at the latest
    return cuda.gpus.current


class StagedBatches:
    """Takes batches from a prefetcher, one ahead of their use, into a place on the GPU.

    The host writes a batch into pinned memory, which the GPU reads by itself, and the copy runs on
    a stream of its own, beside the kernels. CUDA's default stream, on which a batch is taken from
    the place, waits for that copy, and the next copy for it.

    shape, first_record: of the batch that `image` and `label` hold
    """

    def __init__(self, prefetcher: Prefetcher[Batch], loader: BatchLoader):
        from numba import cuda

        self._cuda = cuda
        self._stream = cuda.stream()
        self._prefetcher, self._loader = prefetcher, loader
        self._pinned: tuple[np.ndarray, np.ndarray] | None = None
        self._error: CaffeError | None = None
        self.image: Any = None
        self.label: Any = None
        self.shape: tuple[int, ...] = ()
        self.first_record = 0
        self.advance()

    def check(self) -> None:
        """Raise CaffeError where the batch that is next could not be made."""
        if self._error is not None:
            raise self._error

    def advance(self) -> None:
        """Have the next batch take the place of the one that was used."""
        try:
            batch = self._prefetcher.get()
        except CaffeError as error:
            self._error = error  # of a batch that nobody has asked for yet
            return
        self._stream.synchronize()  # the last copy has left the pinned memory
        if self._pinned is None or batch.shape != self.shape:
            self._allocate(batch.shape)
        assert self._pinned is not None
        image, label = self._pinned
        self._loader.transform(batch, image)
        label[:] = batch.label
        self.first_record = batch.first_record
        self._prefetcher.recycle(batch)
        self.image.copy_to_device(image, stream=self._stream)
        self.label.copy_to_device(label, stream=self._stream)

    def _allocate(self, shape: tuple[int, ...]) -> None:
        cuda, self.shape = self._cuda, shape
        self._pinned = (
            cuda.pinned_array(shape, np.float32),
            cuda.pinned_array(shape[0], np.float32),
        )
        self.image = cuda.device_array(shape, np.float32)
        self.label = cuda.device_array(shape[0], np.float32)
