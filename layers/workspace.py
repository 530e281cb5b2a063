"""Memory for what a layer needs only while it computes."""

import numpy as np

from .blob import aligned_zeros


class Workspace:
    """One piece of memory that all layers of a net use, one after the other."""

    def __init__(self) -> None:
        self._memory = aligned_zeros(0)

    def floats(self, count: int) -> np.ndarray:
        """A flat float32 array of `count` values, whatever they are. The next call gives the same
        memory again."""
        if self._memory.size < count:
            self._memory = aligned_zeros(count)
        return self._memory[:count]
