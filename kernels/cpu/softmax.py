"""Softmax over the channels, the middle axis of (outer, channels, inner) float32 arrays.

    top = exp(bottom - m) / sum over channels of exp(bottom - m),   m = max over channels of bottom
    bottom_diff = top * (top_diff - sum over channels of top_diff * top)

Subtracting the maximum keeps exp from overflowing. Sums add in float64, in a fixed order.
Each position (outer, inner) is independent of the others and belongs to one thread; neighbours in
`inner` share cache lines, so the stride between channels costs little.
"""

import numpy as np

from .exponential import exponential
from .jit import jit
from .parallel import parallel_for
from .shares import share_count

FORWARD, BACKWARD = 8, 4  # the cost of a value, in shares.py's measure


@jit
def softmax_forward(bottom: np.ndarray, top: np.ndarray) -> None:
    """Fill `top` with the softmax of `bottom`; they may be one array."""
    positions = bottom.shape[0] * bottom.shape[2]
    count = min(share_count(FORWARD * bottom.size), max(1, positions))
    parallel_for(_forward, count, (count, bottom, top))


@jit
def _forward(i, count, bottom, top):
    outer, channels, inner = bottom.shape
    positions = outer * inner
    scores, out = bottom.reshape(-1), top.reshape(-1)
    powers = np.empty(channels, np.float32)
    for position in range(positions * i // count, positions * (i + 1) // count):
        n, x = divmod(position, inner)
        first = n * channels * inner + x
        if inner == 1:  # LLVM makes vectors of it
            line = scores[first : first + channels]
            for c in range(channels):
                powers[c] = line[c]
        else:
            for c in range(channels):
                powers[c] = scores[first + c * inner]
        largest = _largest(powers)
        for c in range(channels):
            powers[c] = exponential(powers[c] - largest)
        factor = np.float32(1 / _sum(powers))
        if inner == 1:
            line = out[first : first + channels]
            for c in range(channels):
                line[c] = factor * powers[c]
        else:
            for c in range(channels):
                out[first + c * inner] = factor * powers[c]


@jit
def _largest(values):
    """The largest of the values, by several that do not wait for each other."""
    a = b = c = d = np.float32(-np.inf)
    whole = len(values) // 4 * 4
    for i in range(0, whole, 4):
        a, b = max(a, values[i]), max(b, values[i + 1])
        c, d = max(c, values[i + 2]), max(d, values[i + 3])
    for i in range(whole, len(values)):
        a = max(a, values[i])
    return max(max(a, b), max(c, d))


@jit
def _sum(values):
    """The sum of the values, by several that do not wait for each other."""
    a = b = c = d = 0.0
    whole = len(values) // 4 * 4
    for i in range(0, whole, 4):
        a, b = a + values[i], b + values[i + 1]
        c, d = c + values[i + 2], d + values[i + 3]
    for i in range(whole, len(values)):
        a += values[i]
    return (a + b) + (c + d)


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
