"""MemoryData: batches out of arrays that the user hands over."""

from collections.abc import Sequence

import numpy as np

from ..errors import CaffeError
from ..glog import logger
from .blob import Blob
from .layer import Layer
from .registry import register


@register
class MemoryData(Layer):
    """top[0]: (batch_size, channels, height, width), top[1]: labels (batch_size,), taken batch by
    batch, round and round, from the arrays given to `reset`."""

    type = "MemoryData"
    num_bottom = (0, 0)
    num_top = (2, 2)

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Read the batch's shape."""
        param = self.param.memory_data_param
        self._shape = (param.batch_size, param.channels, param.height, param.width)
        if 0 in self._shape:
            raise self.error(
                "memory_data_param needs batch_size, channels, height and width, all positive"
            )
        self._data: np.ndarray | None = None
        self._labels: np.ndarray | None = None
        self._position = 0

    def reset(self, data: np.ndarray, labels: np.ndarray) -> None:
        """Take these arrays from now on, beginning at their first item. They are not copied.

        data: (n, channels, height, width); labels: (n,) or (n, 1, 1, 1); both float32 and
        C-contiguous, n a multiple of batch_size. Raises CaffeError for any others.
        """
        for name, array in (("data", data), ("labels", labels)):
            if not isinstance(array, np.ndarray):
                raise self._array_error(name, "a NumPy array", type(array).__name__)
        self._check_array("data", data, self._shape[1:])
        if labels.ndim != 1:
            self._check_array("labels", labels, (1, 1, 1))
        elif labels.dtype != np.float32:
            raise self._array_error("labels", "float32", labels.dtype)
        if len(data) != len(labels):
            raise self.error(
                f"data and labels must have the same first dimension, not {len(data)} and "
                f"{len(labels)}"
            )
        if len(data) == 0 or len(data) % self._shape[0]:
            raise self.error(
                f"the number of items, {len(data)}, must be a multiple of batch_size, "
                f"{self._shape[0]}"
            )
        if self.param.HasField("transform_param"):
            logger.warning("%s does not transform array data on Reset()", self.type)
        self._data, self._labels = data, labels.reshape(-1)
        self._position = 0

    def _check_array(self, name: str, array: np.ndarray, item: tuple[int, ...]) -> None:
        if array.dtype != np.float32:
            raise self._array_error(name, "float32", array.dtype)
        if not array.flags.c_contiguous:
            raise self._array_error(name, "C-contiguous (numpy.ascontiguousarray)", "not")
        if array.ndim != 4 or array.shape[1:] != item:
            raise self._array_error(name, f"of shape (n, {', '.join(map(str, item))})", array.shape)

    def _array_error(self, name: str, wanted: str, given: object) -> CaffeError:
        return self.error(f"the {name} array must be {wanted}, but it is {given}")

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Shape the tops."""
        top[0].reshape(*self._shape)
        top[1].reshape(self._shape[0])

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Serve the next batch. Raises CaffeError before the first `reset`."""
        if self._data is None or self._labels is None:
            raise self.error("has no data yet; call net.set_input_arrays(data, labels) first")
        end = self._position + self._shape[0]
        self.reshape(bottom, top)
        np.copyto(top[0].data, self._data[self._position : end])
        np.copyto(top[1].data, self._labels[self._position : end])
        self._position = end % len(self._data)
