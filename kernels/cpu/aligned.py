"""Memory from its first cache line on, so that whole vectors lie in one line each."""

import numpy as np

from .jit import jit

LINE = 16  # floats in a cache line


@jit
def aligned(memory: np.ndarray) -> np.ndarray:
    """A flat float32 array without what comes before its first whole cache line."""
    return memory[-(np.int64(memory.ctypes.data) // 4) % LINE :]
