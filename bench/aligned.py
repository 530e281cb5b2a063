"""Arrays that start where blobs do: on a boundary of 64 bytes, a cache line. NumPy's own start
anywhere, which makes vectors that lie in two lines, slower for some of the rivals than for others.
"""

from typing import Any

import numpy as np

ALIGNMENT = 64


def empty(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    """An array of any values."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(shape)


def random(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal random numbers, float32."""
    values = empty(*shape)
    values[...] = np.random.default_rng(seed).normal(size=shape)
    return values
