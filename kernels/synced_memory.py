"""Memory that the host and the GPU both have, and which of the two copies is newest.

Whoever asks for a copy may write to it: it is brought up to date if need be, and counts as the
newest from then on. Where no GPU is used there is the host's copy only.
"""

import math
import weakref
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

ALIGNMENT = 64  # bytes: one AVX-512 register, one cache line


def aligned_zeros(count: int, dtype: Any = np.float32) -> np.ndarray:
    """A flat array of `count` zeros that starts on a 64-byte boundary."""
    size = count * np.dtype(dtype).itemsize
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype)


class SyncedMemory:
    """`count` values on the host and on the GPU, each allocated at first use, zeros at first.

    on_device: whether the GPU's copy is newest
    """

    _taken_back: ClassVar["weakref.WeakSet[SyncedMemory]"] = weakref.WeakSet()

    def __init__(self, count: int, dtype: Any = np.float32):
        self.count = count
        self.dtype = dtype
        self.on_device = False
        self._host: np.ndarray | None = None
        self._device: Any = None

    @classmethod
    def holding(cls, values: np.ndarray) -> "SyncedMemory":
        """One whose host's copy is this flat array."""
        memory = cls(values.size, values.dtype)
        memory._host = values
        return memory

    def host(self) -> np.ndarray:
        """The host's copy, flat, to read and to write."""
        if self._host is None:
            self._host = self._allocate_host()
        if self.on_device:
            if self.count:
                self._device.copy_to_host(self._host)
            self.on_device = False
            SyncedMemory._taken_back.add(self)
        return self._host

    def device(self) -> Any:
        """The GPU's copy, flat, to read and to write."""
        if not self.on_device:
            if self._device is None:
                self._device = self._allocate_device()
            if self.count:
                host = aligned_zeros(self.count, self.dtype) if self._host is None else self._host
                self._device.copy_to_device(host)
            self.on_device = True
            SyncedMemory._taken_back.discard(self)
        return self._device

    @staticmethod
    def return_to_device() -> None:
        """Bring all that the host has taken back from the GPU up to date there: what a recording
        is repeated on."""
        for memory in list(SyncedMemory._taken_back):
            memory.device()

    def _allocate_host(self) -> np.ndarray:
        return aligned_zeros(self.count, self.dtype)

    def _allocate_device(self) -> Any:
        from .cuda.launch import empty  # where there is a GPU only

        return empty(self.count, self.dtype)


class SyncedArray:
    """A SyncedMemory in a shape, for what a layer keeps beside its blobs."""

    def __init__(self, shape: tuple[int, ...], dtype: Any = np.float32):
        self.shape = shape
        self.memory = SyncedMemory(math.prod(shape), dtype)
        self._host: np.ndarray | None = None
        self._device: Any = None

    @classmethod
    def holding(cls, values: np.ndarray) -> "SyncedArray":
        """One with these values, not copied until they are needed on the GPU."""
        array = cls(values.shape, values.dtype)
        array.memory = SyncedMemory.holding(values.reshape(-1))
        return array

    def host(self) -> np.ndarray:
        """The host's copy."""
        if self._host is None or self.memory.on_device:
            self._host = self.memory.host().reshape(self.shape)
        return self._host

    def device(self) -> Any:
        """The GPU's copy."""
        if self._device is None or not self.memory.on_device:
            self._device = self.memory.device().reshape(self.shape)
        return self._device


class Arena:
    """Several memories one after the other in one, so that one kernel can pass over them all.

    parts: a SyncedMemory for each of `counts`; each begins at a multiple of `segment` values
    """

    def __init__(self, counts: Sequence[int], segment: int):
        padded = [-(-count // segment) * segment for count in counts]
        self.size = sum(padded)
        self._host = aligned_zeros(self.size)
        self._device: Any = None
        starts = [sum(padded[:i]) for i in range(len(padded))]
        self.parts = [_Part(self, s, c) for s, c in zip(starts, counts, strict=True)]

    def host(self) -> np.ndarray:
        """The host's copy of all, flat; zeros between the parts."""
        if self._device is not None:
            for part in self.parts:
                part.host()
        return self._host

    def device(self) -> Any:
        """The GPU's copy of all, flat; zeros between the parts."""
        for part in self.parts:
            part.device()
        return self.device_slice(0, self.size)

    def host_slice(self, start: int, count: int) -> np.ndarray:
        """The host's memory of a part."""
        return self._host[start : start + count]

    def device_slice(self, start: int, count: int) -> Any:
        """The GPU's memory of a part."""
        if self._device is None:
            from .cuda.launch import empty

            self._device = empty(self.size, np.float32)
            if self.size:
                self._device.copy_to_device(self._host)
        return self._device[start : start + count]


class _Part(SyncedMemory):
    def __init__(self, arena: Arena, start: int, count: int):
        super().__init__(count)
        self._arena, self._start = arena, start

    def _allocate_host(self) -> np.ndarray:
        return self._arena.host_slice(self._start, self.count)

    def _allocate_device(self) -> Any:
        return self._arena.device_slice(self._start, self.count)
