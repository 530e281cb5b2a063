"""Softmax over the channels, the middle axis of (outer, channels, inner) float32 arrays.

    top = exp(bottom - m) / sum over channels of exp(bottom - m),   m = max over channels of bottom
    bottom_diff = top * (top_diff - sum over channels of top_diff * top)

Subtracting the maximum keeps exp from overflowing. Sums add in float64, in the order of the
channels. Each position (outer, inner) is independent of the others and belongs to one thread;
neighbours in `inner` share cache lines, so the stride between channels costs little.
"""

import math

import numpy as np

from .jit import jit
from .parallel import parallel_for
from .shares import share_count

FORWARD, BACKWARD = 16, 4  # the cost of a value, in shares.py's measure


@jit
def softmax_forward(bottom: np.ndarray, top: np.ndarray) -> None:
    """Fill `top` with the softmax of `bottom`; they may be one array."""
    count = share_count(FORWARD * bottom.size)
    parallel_for(_forward, count, (count, bottom, top))


@jit
def _forward(i, count, bottom, top):
    outer, channels, inner = bottom.shape
    positions = outer * inner
    for position in range(positions * i // count, positions * (i + 1) // count):
        n, x = divmod(position, inner)
        largest = np.float32(-np.inf)
        for c in range(channels):
            largest = max(largest, bottom[n, c, x])
        total = 0.0
        for c in range(channels):
            power = math.exp(bottom[n, c, x] - largest)
            top[n, c, x] = power
            total += power
        factor = np.float32(1 / total)
        for c in range(channels):
            top[n, c, x] *= factor


@jit
def softmax_backward(top: np.ndarray, top_diff: np.ndarray, bottom_diff: np.ndarray) -> None:
    """Overwrite `bottom_diff`, from the softmax `top` and its gradient; the last two may be one
    array."""
    count = share_count(BACKWARD * top.size)
    parallel_for(_backward, count, (count, top, top_diff, bottom_diff))


@jit
def _backward(i, count, top, top_diff, bottom_diff):
    outer, channels, inner = top.shape
    positions = outer * inner
    for position in range(positions * i // count, positions * (i + 1) // count):
        n, x = divmod(position, inner)
        total = 0.0
        for c in range(channels):
            total += np.float64(top_diff[n, c, x]) * np.float64(top[n, c, x])
        mean = np.float32(total)
        for c in range(channels):
            bottom_diff[n, c, x] = top[n, c, x] * (top_diff[n, c, x] - mean)
