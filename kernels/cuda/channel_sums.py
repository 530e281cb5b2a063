"""The sum of each channel over all images: a bias's gradient.

    sums[m] += sum over n, o of values[n, m, o]

values: (N, M, O), sums: (M,). A block adds up a channel, or a part of one that is long: each thread
every THREADS-th value, then all of them pairwise, in shared memory. The sums of parts are images of
one position each, so the same kernel adds them up. The order depends on shapes only.
"""

import functools
from typing import Any

import numpy as np
from numba import cuda

from .launch import SIMULATED, blocks_for, kernel, launch, scratch
from .window_places import divide

THREADS = 16 if SIMULATED else 512  # a power of two
EACH = 4 if SIMULATED else 32  # values of a thread


def add_channel_sums(values: Any, sums: Any) -> None:
    """Add to `sums`."""
    num, channels = values.shape[:2]
    if values.size:
        _add(values, num, channels, values.size // (num * channels), sums)


def _add(values: Any, num: int, channels: int, positions: int, sums: Any) -> None:
    parts = blocks_for(num * positions, THREADS * EACH)
    if parts == 1:
        total = _make_sum(num, channels, positions, 1, True)
        launch(total, (channels, 1), THREADS, values, sums)
    else:
        partial = scratch(parts * channels)
        total = _make_sum(num, channels, positions, parts, False)
        launch(total, (channels, parts), THREADS, values, partial)
        _add(partial, parts, channels, 1, sums)


@functools.cache
def _make_sum(num: int, channels: int, positions: int, parts: int, adds: bool) -> Any:
    """The kernel sum_channel(values, sums): sums is (parts, channels)."""
    size = num * positions
    each = blocks_for(size, THREADS * parts)

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
