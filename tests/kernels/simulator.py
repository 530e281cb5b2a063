"""Numba's simulator of a GPU, repaired and hurried."""

import sys
import threading
from typing import Any

import numpy as np
from numba import types
from numba.cuda.simulator.kernelapi import FakeCUDAShared
from numba.np import numpy_support

_lock = threading.Lock()


def prepare() -> None:
    """To be called before the first kernel."""
    FakeCUDAShared.array = _shared_array
    sys.setswitchinterval(0.001)  # its threads poll: the sooner another runs, the less they wait


def _shared_array(self: Any, shape: Any, dtype: Any, alignment: None = None) -> np.ndarray:
    """The array that all threads of a block have in common, known by the line that asks for it.

    Numba's own has no lock: now and then two threads make an array each.
    """
    if isinstance(dtype, types.Type):
        dtype = numpy_support.as_dtype(dtype)
    caller = sys._getframe(1)
    key = caller.f_code, caller.f_lineno
    with _lock:
        if key not in self._allocations:
            self._allocations[key] = np.empty(shape, dtype)
        return self._allocations[key]
