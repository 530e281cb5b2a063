"""Blob: an n-dimensional float32 array of values (data) and their gradient (diff)."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import CaffeError

MAX_AXES = 32  # as in Caffe
MAX_COUNT = 2**31 - 1  # as in Caffe; masks hold 32-bit indices
ALIGNMENT = 64  # bytes: one AVX-512 register, one cache line

View = int | tuple[int, ...]  # a shape, or -1


def aligned_zeros(count: int) -> np.ndarray:
    """A flat float32 array of `count` zeros that starts on a 64-byte boundary."""
    raw = np.zeros(count * 4 + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + count * 4].view(np.float32)


class Blob:
    """Values and gradient of one named array of the net.

    data, diff: C-contiguous float32 views of the blob's shape, to read and to write in place.
    Both are allocated at first use (a net that only tests never pays for gradients), zero-filled.
    """

    def __init__(self, *shape: int):
        self._shape: tuple[int, ...] = (0,)
        self._count = 0
        self._data_memory: np.ndarray | None = None
        self._diff_memory: np.ndarray | None = None
        self._forget_views()
        if shape:
            self.reshape(*shape)

    def _forget_views(self) -> None:
        self._data: np.ndarray | None = None
        self._diff: np.ndarray | None = None
        self._data_views: dict[View, np.ndarray] = {}
        self._diff_views: dict[View, np.ndarray] = {}
        self._compute_diff: Callable[[np.ndarray], Any] | None = None

    @property
    def data(self) -> np.ndarray:
        """The values."""
        if self._data is None:
            self._data_memory = self._fitting(self._data_memory)
            self._data = self._data_memory[: self._count].reshape(self._shape)
        return self._data

    @property
    def diff(self) -> np.ndarray:
        """The gradient of the loss with respect to the values."""
        if self._diff is None:
            self._diff_memory = self._fitting(self._diff_memory)
            self._diff = self._diff_memory[: self._count].reshape(self._shape)
        if self._compute_diff is not None:
            self._compute_diff(self._diff)
            self._compute_diff = None
        return self._diff

    @property
    def has_diff(self) -> bool:
        """Whether the gradient was read or written since the blob got its shape: someone may hold
        the array."""
        return self._diff is not None

    @property
    def diff_is_deferred(self) -> bool:
        """Whether the gradient waits to be computed until somebody reads it."""
        return self._compute_diff is not None

    def defer_diff(self, compute: Callable[[np.ndarray], Any]) -> None:
        """Have compute(diff) write the gradient when it is read."""
        self._compute_diff = compute

    def _fitting(self, memory: np.ndarray | None) -> np.ndarray:
        if memory is None or memory.size < self._count:
            return aligned_zeros(self._count)
        return memory

    def data_as(self, shape: View) -> np.ndarray:
        """The data in another shape of the same count: the same memory. -1 is one long axis.

        For what is asked for in each iteration: the array is made once and kept until the blob's
        shape or memory changes.
        """
        view = self._data_views.get(shape)
        if view is None:
            view = self._data_views[shape] = self.data.reshape(shape)
        return view

    def diff_as(self, shape: View) -> np.ndarray:
        """The diff in another shape, as `data_as`; computed first where it is deferred."""
        view = self._diff_views.get(shape)
        if view is None or self._compute_diff is not None:
            view = self._diff_views[shape] = self.diff.reshape(shape)
        return view

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
        self._forget_views()

    def share_data(self, other: "Blob") -> None:
        """Let this blob's data be the same memory as the other's (equal counts)."""
        self._data = other.data.reshape(self._shape)
        self._data_memory = self._data.reshape(-1)
        self._data_views = {}

    def share_diff(self, other: "Blob") -> None:
        """Let this blob's diff be the same memory as the other's (equal counts)."""
        self._diff = other.diff.reshape(self._shape)
        self._diff_memory = self._diff.reshape(-1)
        self._diff_views = {}

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
