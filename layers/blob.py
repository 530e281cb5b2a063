"""Blob: an n-dimensional float32 array of values (data) and their gradient (diff)."""

import itertools
import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..errors import CaffeError
from ..kernels.synced_memory import SyncedMemory

MAX_AXES = 32  # as in Caffe
MAX_COUNT = 2**31 - 1  # as in Caffe; masks hold 32-bit indices
View = int | tuple[int, ...]  # a shape, or -1
_numbers = itertools.count(1)  # of changes: no number comes twice, whichever thread asks


class _Values:
    """The data or the diff of a blob: its memory, and the views of it that were made."""

    def __init__(self) -> None:
        self.memory: SyncedMemory | None = None
        self.forget_views(0)

    def forget_views(self, count: int) -> None:
        Blob.changes = next(_numbers)
        self.count = count
        self.host_views: dict[View, np.ndarray] = {}
        self.device_views: dict[View, Any] = {}

    def share(self, other: "_Values") -> None:
        memory = other.fitting()
        if memory is not self.memory:
            self.memory = memory
            self.forget_views(self.count)

    def move(self, memory: SyncedMemory) -> None:
        memory.host()[:] = self.fitting().host()[: self.count]
        self.memory = memory
        self.forget_views(self.count)

    def fitting(self) -> SyncedMemory:
        if self.memory is None or self.memory.count < self.count:
            self.memory = SyncedMemory(self.count)
        return self.memory

    def on_host(self, shape: View) -> np.ndarray:
        view = self.host_views.get(shape)
        if view is None:
            Blob.changes = next(_numbers)
            view = self.fitting().host()[: self.count].reshape(shape)
            self.host_views[shape] = view
        elif self.memory.on_device:  # type: ignore[union-attr]
            self.memory.host()  # type: ignore[union-attr]
        return view

    def on_device(self, shape: View) -> Any:
        view = self.device_views.get(shape)
        if view is None:
            view = self.fitting().device()[: self.count].reshape(shape)
            self.device_views[shape] = view
        elif not self.memory.on_device:  # type: ignore[union-attr]
            self.memory.device()  # type: ignore[union-attr]
        return view


class Blob:
    """Values and gradient of one named array of the net.

    data, diff: C-contiguous float32 views of the blob's shape, to read and to write in place.
    Both are allocated at first use (a net that only tests never pays for gradients), zero-filled.

    A net on the GPU keeps its blobs there: `data` and `diff` then fetch them. As in pycaffe, ask
    the blob again after each pass and before writing, rather than hold the array.

    changes: another number whenever any blob gets another shape or memory, or an array of it is
        made: as long as it stays, the arrays that were made are those of their blobs
    """

    changes: ClassVar[int] = 0

    def __init__(self, *shape: int):
        self._shape: tuple[int, ...] = (0,)
        self._count = 0
        self._data, self._diff = _Values(), _Values()
        self._compute_diff: Callable[[], Any] | None = None
        if shape:
            self.reshape(*shape)

    @property
    def data(self) -> np.ndarray:
        """The values."""
        return self._data.on_host(self._shape)

    @property
    def diff(self) -> np.ndarray:
        """The gradient of the loss with respect to the values."""
        return self.diff_as(self._shape)

    @property
    def has_diff(self) -> bool:
        """Whether the gradient was read or written since the blob got its shape: someone may hold
        the array."""
        return bool(self._diff.host_views or self._diff.device_views)

    @property
    def deferred_diff(self) -> Callable[[], Any] | None:
        """What computes the gradient when somebody reads it; None where it needs no computing."""
        return self._compute_diff

    def defer_diff(self, compute: Callable[[], Any] | None) -> None:
        """Have compute() write the gradient when it is read."""
        self._compute_diff = compute

    def settle_diff(self) -> None:
        """Compute the gradient now, if it is deferred."""
        if self._compute_diff is not None:
            compute, self._compute_diff = self._compute_diff, None
            compute()

    def data_as(self, shape: View) -> np.ndarray:
        """The data in another shape of the same count: the same memory. -1 is one long axis.

        For what is asked for in each iteration: the array is made once and kept until the blob's
        shape or memory changes.
        """
        return self._data.on_host(shape)

    def diff_as(self, shape: View) -> np.ndarray:
        """The diff in another shape, as `data_as`; computed first where it is deferred."""
        self.settle_diff()
        return self._diff.on_host(shape)

    def device_data_as(self, shape: View) -> Any:
        """The data on the GPU, as `data_as`."""
        return self._data.on_device(shape)

    def device_diff_as(self, shape: View) -> Any:
        """The diff on the GPU, as `diff_as`."""
        self.settle_diff()
        return self._diff.on_device(shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis; () for a scalar."""
        return self._shape

    @property
    def count(self) -> int:
        """The number of values."""
        return self._count

    @property
    def shape_text(self) -> str:
        """The shape as Caffe's log writes it: "64 1 28 28 (50176)"."""
        return "".join(f"{length} " for length in self._shape) + f"({self.count})"

    def reshape(self, *shape: int) -> None:
        """Change the shape. The memory is kept where it is large enough, as in Caffe.

        Raises CaffeError for a negative length, more than 32 axes or 2^31 - 1 values.
        """
        shape = tuple(int(length) for length in shape)
        if shape == self._shape:
            return
        if len(shape) > MAX_AXES or any(length < 0 for length in shape):
            raise CaffeError(
                f"a blob cannot have the shape {shape}: use at most {MAX_AXES} axes, none negative"
            )
        count = math.prod(shape)
        if count > MAX_COUNT:
            raise CaffeError(f"a blob cannot have the shape {shape}: more than {MAX_COUNT} values")
        self._shape, self._count = shape, count
        self._data.forget_views(count)
        self._diff.forget_views(count)
        self._compute_diff = None

    @property
    def memory(self) -> tuple[SyncedMemory, SyncedMemory]:
        """Where the data and the diff are kept."""
        return self._data.fitting(), self._diff.fitting()

    def share_data(self, other: "Blob") -> None:
        """Let this blob's data be the same memory as the other's (equal counts)."""
        self._data.share(other._data)

    def share_diff(self, other: "Blob") -> None:
        """Let this blob's diff be the same memory as the other's (equal counts)."""
        self._diff.share(other._diff)

    def move_data(self, memory: SyncedMemory) -> None:
        """Keep the data in this memory from now on."""
        self._data.move(memory)

    def move_diff(self, memory: SyncedMemory) -> None:
        """Keep the diff in this memory from now on."""
        self._diff.move(memory)

    def legacy_axis(self, index: int) -> int:
        """The length of one of the old four axes (num, channels, height, width), 1 if absent.

        Raises CaffeError for a blob of more than four axes, which has no such names.
        """
        if len(self._shape) > 4:
            raise CaffeError(
                f"a blob of shape {self._shape} has no num, channels, height and width; use shape"
            )
        return self._shape[index] if index < len(self._shape) else 1

    @property
    def num(self) -> int:
        """The old name of axis 0's length."""
        return self.legacy_axis(0)

    @property
    def channels(self) -> int:
        """The old name of axis 1's length."""
        return self.legacy_axis(1)

    @property
    def height(self) -> int:
        """The old name of axis 2's length."""
        return self.legacy_axis(2)

    @property
    def width(self) -> int:
        """The old name of axis 3's length."""
        return self.legacy_axis(3)

    def __repr__(self) -> str:
        return f"Blob{self._shape}"
