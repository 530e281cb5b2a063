"""Counting right answers.

    share       = right answers / labels that count
    class_share = the same of the labels of each class

A prediction is right where fewer than `top_k` of the other classes score at least as high as the
true one: a tie counts against it. bottom: (outer, channels, inner) float32; label: (outer, inner)
float32, whole numbers; positions whose label is `ignore_label` (NO_LABEL: none) are left out.

A team of threads (teams.py) compares the scores of a position, and counts with an atomic addition
of integers, whose order does not matter. Few positions are the work of one block in one launch;
many take three: clear the counts, count, divide.
"""

import functools
from typing import Any

import numpy as np
from numba import cuda

from .labels import NO_BAD, is_class
from .launch import THREADS, device, kernel, launch, scratch
from .teams import add, blocks_of_teams, make_line, make_member, make_reduce, teams_for

CLEAR, COUNT, DIVIDE = 1, 2, 4  # what a launch does, added up


@device
def _clear(counts):
    """counts: for each class the right answers and the labels; then the first bad label."""
    for i in range(cuda.threadIdx.x, counts.size, THREADS):
        counts[i] = NO_BAD if i == counts.size - 1 else 0


@functools.cache
def _make_count(channels, inner):
    teams = teams_for(channels, inner)
    member, line = make_member(teams), make_line(channels, inner)
    sum_of_team = make_reduce(teams.lanes, teams.step, add)

    @device
    def count(bottom, label, ignore_label, top_k, counts):
        shared = cuda.shared.array(THREADS, np.int32)
        thread = cuda.threadIdx.x
        team, lane = member(thread)
        # All threads take as many turns, also those without a position.
        for start in range(
            cuda.blockIdx.x * teams.in_block, label.size, cuda.gridDim.x * teams.in_block
        ):
            position = start + team
            first, present = line(position, label.size)
            wanted = present and label[position] != ignore_label
            good = wanted and is_class(label[position], channels)
            true_class = int(label[position]) if good else 0
            better = np.int32(0)
            for c in range(lane, present if good else 0, teams.lanes):
                better += bottom[first + c * inner] >= bottom[first + true_class * inner]
            better = sum_of_team(shared, thread, lane, better)
            if good and lane == 0:
                right = better <= top_k  # the true class was met too
                cuda.atomic.add(counts, 2 * true_class, 1 if right else 0)
                cuda.atomic.add(counts, 2 * true_class + 1, 1)
            elif wanted and lane == 0:
                cuda.atomic.min(counts, 2 * channels, position)

    return count


@device
def _divide(counts, share, class_share, status):
    sums = cuda.shared.array(2, np.int32)
    thread, bad = cuda.threadIdx.x, counts[counts.size - 1]
    if thread < 2:
        sums[thread] = 0
    cuda.syncthreads()
    for c in range(thread, counts.size // 2, THREADS):
        right, count = counts[2 * c], counts[2 * c + 1]
        cuda.atomic.add(sums, 0, right)
        cuda.atomic.add(sums, 1, count)
        if c < class_share.size:
            class_share[c] = np.float32(right) / np.float32(max(count, 1))
    cuda.syncthreads()
    if thread == 0:
        all_right = np.float32(sums[0]) / np.float32(max(sums[1], 1))
        share[0] = all_right if bad == NO_BAD else np.float32(np.nan)
        status[0] = -1 if bad == NO_BAD else bad


@functools.cache
def _make_kernel(channels, inner, steps):
    count = _make_count(channels, inner)

    @kernel
    def run(bottom, label, ignore_label, top_k, share, class_share, status, counts):
        if steps & CLEAR:
            _clear(counts)
            cuda.syncthreads()
        if steps & COUNT:
            count(bottom, label, ignore_label, top_k, counts)
            cuda.syncthreads()
        if steps & DIVIDE:
            _divide(counts, share, class_share, status)

    return run


def accuracy(
    bottom: Any,
    label: Any,
    ignore_label: float,
    top_k: int,
    share: Any,
    class_share: Any,
    status: Any,
) -> None:
    """Fill share, (1,) float32, and class_share, (channels,) float32 or empty: not wanted. Where no
    labels count, 0.

    status: (1,) int32, becomes the flat index of the first label that is not a whole number in
    0..channels-1 (-1: all are good). With a bad label, share is NaN and class_share leaves it out.
    """
    _, channels, inner = bottom.shape
    memory = scratch(2 * channels + 1 + channels)
    counts = memory[: 2 * channels + 1].view(np.int32)
    if class_share.size == 0:
        class_share = memory[2 * channels + 1 :]
    arguments = (
        bottom, label, np.float32(ignore_label), top_k, share, class_share, status, counts,
    )  # fmt: skip
    blocks = blocks_of_teams(label.size, channels, inner)
    if blocks == 1:
        launch(_make_kernel(channels, inner, CLEAR + COUNT + DIVIDE), 1, THREADS, *arguments)
        return
    launch(_make_kernel(channels, inner, CLEAR), 1, THREADS, *arguments)
    launch(_make_kernel(channels, inner, COUNT), blocks, THREADS, *arguments)
    launch(_make_kernel(channels, inner, DIVIDE), 1, THREADS, *arguments)
