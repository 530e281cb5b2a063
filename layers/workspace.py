"""Memory for what a layer needs only while it computes."""

from typing import Any

from ..kernels.synced_memory import SyncedMemory


class Workspace:
    """One piece of memory that all layers of a net use, one after the other."""

    def __init__(self) -> None:
        self._memory = SyncedMemory(0)

    def floats(self, count: int, *, on_device: bool = False) -> Any:
        """A flat float32 array of `count` values, whatever they are, on the host or the GPU. The
        next call gives the same memory again."""
        if self._memory.count < count:
            self._memory = SyncedMemory(count)
        memory = self._memory
        return (memory.device() if on_device else memory.host())[:count]
