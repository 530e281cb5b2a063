"""Copying: the yardstick of kernels that move data and hardly compute."""

from collections.abc import Callable

import numpy as np

from bench.aligned import empty
from caffe.kernels.cpu.jit import jit
from caffe.kernels.cpu.parallel import parallel_for

PARTS = 16


def make_copy(*arrays: np.ndarray) -> Callable[[], None]:
    """A function that moves as many bytes as these arrays hold: it reads half of them from one
    array and writes them to another."""
    size = sum(array.nbytes for array in arrays) // 2 // 4
    source, target = empty(size), empty(size)
    source[:], target[:] = 1, 0
    return lambda: _copy(source, target)


@jit
def _copy_part(part, source, target):
    first, last = part * source.size // PARTS, (part + 1) * source.size // PARTS
    source, target = source[first:last], target[first:last]
    for i in range(source.size):
        target[i] = source[i]


@jit
def _copy(source, target):
    parallel_for(_copy_part, PARTS, (source, target))
