"""Softmax over the channels, the middle axis of (outer, channels, inner) float32 arrays.

    top = exp(bottom - m) / sum over channels of exp(bottom - m),   m = max over channels of bottom
    bottom_diff = top * (top_diff - sum over channels of top_diff * top)

Subtracting the maximum keeps exp from overflowing. Sums add in float64, in the order of the
channels. Each position (outer, inner) is independent of the others and belongs to one thread;
neighbours in `inner` share cache lines, so the stride between channels costs little.
"""

import math

import numpy as np
from numba import prange

from .jit import jit

PARALLEL = 1 << 13  # values from which a thread team pays


@jit
def _forward(bottom: np.ndarray, top: np.ndarray, position: int) -> None:
    outer, inner = divmod(position, bottom.shape[2])
    largest = np.float32(-np.inf)
    for c in range(bottom.shape[1]):
        largest = max(largest, bottom[outer, c, inner])
    total = 0.0
    for c in range(bottom.shape[1]):
        power = math.exp(bottom[outer, c, inner] - largest)
        top[outer, c, inner] = power
        total += power
    factor = np.float32(1 / total)
    for c in range(bottom.shape[1]):
        top[outer, c, inner] *= factor


@jit(parallel=True)
def softmax_forward(bottom: np.ndarray, top: np.ndarray) -> None:
    """Fill `top` with the softmax of `bottom`; they may be one array."""
    positions = bottom.shape[0] * bottom.shape[2]
    if bottom.size < PARALLEL:
        for position in range(positions):
            _forward(bottom, top, position)
    else:
        for position in prange(positions):
            _forward(bottom, top, np.int64(position))


@jit
def _backward(
    top: np.ndarray, top_diff: np.ndarray, bottom_diff: np.ndarray, position: int
) -> None:
    outer, inner = divmod(position, top.shape[2])
    total = 0.0
    for c in range(top.shape[1]):
        total += np.float64(top_diff[outer, c, inner]) * np.float64(top[outer, c, inner])
    mean = np.float32(total)
    for c in range(top.shape[1]):
        bottom_diff[outer, c, inner] = top[outer, c, inner] * (top_diff[outer, c, inner] - mean)


@jit(parallel=True)
def softmax_backward(top: np.ndarray, top_diff: np.ndarray, bottom_diff: np.ndarray) -> None:
    """Overwrite `bottom_diff`, from the softmax `top` and its gradient; the last two may be one
    array."""
    positions = top.shape[0] * top.shape[2]
    if top.size < PARALLEL:
        for position in range(positions):
            _backward(top, top_diff, bottom_diff, position)
    else:
        for position in prange(positions):
            _backward(top, top_diff, bottom_diff, np.int64(position))
