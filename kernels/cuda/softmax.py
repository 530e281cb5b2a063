"""Softmax over the channels, the middle axis of (outer, channels, inner) float32 arrays.

    top = exp(bottom - m) / sum over channels of exp(bottom - m),   m = max over channels of bottom
    bottom_diff = top * (top_diff - sum over channels of top_diff * top)

Subtracting the maximum keeps exp from overflowing. Each position (outer, inner) belongs to a team
of threads (teams.py), which passes over its channels three times: the second and third find them in
the nearest cache.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import cuda

from .launch import THREADS, blocks_for, device, kernel, launch
from .teams import add, larger, make_line, make_member, make_reduce, teams_for


@functools.cache
def make_softmax(channels: int, inner: int) -> Callable:
    """Make softmax(bottom, top, first, count, shared, thread, lane), for kernels: top = softmax of
    the `count` channels from bottom[first] on, which are all, or none for a team without a
    position. All threads of the block must call it. shared: THREADS float32."""
    lanes, _, step = teams_for(channels, inner)
    largest_of_team = make_reduce(lanes, step, larger)
    sum_of_team = make_reduce(lanes, step, add)

    @device
    def softmax(bottom, top, first, count, shared, thread, lane):
        largest = np.float32(-np.inf)
        for c in range(lane, count, lanes):
            largest = larger(largest, bottom[first + c * inner])
        largest = largest_of_team(shared, thread, lane, largest)
        total = np.float32(0)
        for c in range(lane, count, lanes):
            power = math.exp(bottom[first + c * inner] - largest)
            top[first + c * inner] = power
            total += power
        total = sum_of_team(shared, thread, lane, total)
        for c in range(lane, count, lanes):
            top[first + c * inner] *= np.float32(1) / total

    return softmax


@functools.cache
def _make_forward(channels, inner):
    teams = teams_for(channels, inner)
    member, line = make_member(teams), make_line(channels, inner)
    softmax = make_softmax(channels, inner)

    @kernel
    def forward(bottom, top, positions):
        shared = cuda.shared.array(THREADS, np.float32)
        thread = cuda.threadIdx.x
        team, lane = member(thread)
        first, count = line(cuda.blockIdx.x * teams.in_block + team, positions)
        softmax(bottom, top, first, count, shared, thread, lane)

    return forward


@functools.cache
def _make_backward(channels, inner):
    teams = teams_for(channels, inner)
    member, line = make_member(teams), make_line(channels, inner)
    sum_of_team = make_reduce(teams.lanes, teams.step, add)

    @kernel
    def backward(top, top_diff, bottom_diff, positions):
        shared = cuda.shared.array(THREADS, np.float32)
        thread = cuda.threadIdx.x
        team, lane = member(thread)
        first, count = line(cuda.blockIdx.x * teams.in_block + team, positions)
        total = np.float32(0)
        for c in range(lane, count, teams.lanes):
            total += top_diff[first + c * inner] * top[first + c * inner]
        total = sum_of_team(shared, thread, lane, total)
        for c in range(lane, count, teams.lanes):
            i = first + c * inner
            bottom_diff[i] = top[i] * (top_diff[i] - total)

    return backward


def _launch(make: Callable, *arrays: Any) -> None:
    outer, channels, inner = arrays[0].shape
    if arrays[0].size > 0:
        blocks = blocks_for(outer * inner, teams_for(channels, inner).in_block)
        launch(make(channels, inner), blocks, THREADS, *arrays, outer * inner)


def softmax_forward(bottom: Any, top: Any) -> None:
    """Fill `top` with the softmax of `bottom`; they may be one array."""
    _launch(_make_forward, bottom, top)


def softmax_backward(top: Any, top_diff: Any, bottom_diff: Any) -> None:
    """Overwrite `bottom_diff`, from the softmax `top` and its gradient; the last two may be one
    array."""
    _launch(_make_backward, top, top_diff, bottom_diff)
