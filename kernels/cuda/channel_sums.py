"""The sum of each channel over all images: a bias's gradient.

    sums[m] += sum over n, o of values[n, m, o]

values: (N, M, O), sums: (M,). A block adds up a channel, or a part of one that is long: each thread
every THREADS-th value, then all of them pairwise, in shared memory. The sums of parts are added by
row_sums.py. The order depends on shapes only.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import cuda

from .launch import SIMULATED, blocks_for, device, kernel, launch, scratch
from .row_sums import make_row_sums
from .window_values import divide

THREADS = 16 if SIMULATED else 512  # a power of two
EACH = 2 if SIMULATED else 32  # values of a thread, unless there are very many
MOST_PARTS = 65535  # that a grid may have blocks along y


def add_channel_sums(values: Any, sums: Any) -> None:
    """Add to `sums`."""
    if not values.size:
        return
    num, channels = values.shape[:2]
    positions = values.size // (num * channels)
    parts = min(blocks_for(num * positions, THREADS * EACH), MOST_PARTS)
    sum_channel = _make_sum_channel(num, channels, positions, parts)
    if parts == 1:
        launch(sum_channel, (channels, 1), THREADS, values, sums)
    else:
        of_parts = scratch(parts * channels)
        launch(sum_channel, (channels, parts), THREADS, values, of_parts)
        _make_add_parts(parts, channels)(of_parts, sums, sums)


@functools.cache
def _make_add_parts(parts: int, channels: int) -> Callable[[Any, Any, Any], None]:
    @device
    def add(sums, _, m, total):
        sums[m] += total

    return make_row_sums(parts, channels, add)


@functools.cache
def _make_sum_channel(num: int, channels: int, positions: int, parts: int) -> Any:
    """The kernel sum_channel(values, sums), which adds to sums if there is one part, and otherwise
    overwrites it: (parts, channels)."""
    size = num * positions
    each = blocks_for(size, THREADS * parts)
    adds = parts == 1

    @kernel
    def sum_channel(values, sums):
        thread, m, part = cuda.threadIdx.x, cuda.blockIdx.x, cuda.blockIdx.y
        total = np.float32(0)
        for turn in range(each):
            at = (part * each + turn) * THREADS + thread
            n, o = divide(at, positions)
            place = (n * channels + m) * positions + o
            value = values[np.uint32(place if at < size else 0)]  # no branch: many at once
            total += value if at < size else np.float32(0)
        shared = cuda.shared.array(THREADS, np.float32)
        shared[thread] = total
        half = THREADS // 2
        while half > 0:
            cuda.syncthreads()
            if thread < half:
                shared[thread] += shared[thread + half]
            half //= 2
        if thread == 0:
            at = part * channels + m
            sums[at] = sums[at] + shared[0] if adds else shared[0]

    return sum_channel
