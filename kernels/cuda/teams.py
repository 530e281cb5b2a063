"""Teams of threads, each with one position of an (outer, channels, inner) array.

A team has a power of two of threads, its lanes: lane l takes the channels l, l + lanes, and so on,
and what the lanes have found is put together in shared memory. Neighbours in memory belong to
neighbouring threads, which read them at once: where inner is 1 these are channels, so the lanes of
a team are neighbours; else they are positions, so neighbours are the same lane of many teams.

    inner = 1: threads 0 1 2 3 ... are lanes 0 1 2 3 of team 0, then those of team 1
    inner > 1: threads 0 1 2 3 ... are lane 0 of the teams 0 1 2 3 ..., then lane 1 of each
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from numba import cuda

from .launch import THREADS, blocks_for, device
from .window_values import divide

LANES_APART = 4  # at most, where the lanes of a team are no neighbours
TURNS = 4  # of the teams of a single block
MOST_BLOCKS = 512


class Teams(NamedTuple):
    """How the THREADS threads of a block are divided."""

    lanes: int  # of a team
    in_block: int  # teams of a block
    step: int  # from a lane's thread to the next lane's


def teams_for(channels: int, inner: int) -> Teams:
    """Teams with a few channels for each lane."""
    most = THREADS if inner == 1 else LANES_APART
    lanes = min(1 << ((channels - 1) // 4).bit_length(), most)
    in_block = THREADS // lanes
    return Teams(lanes, in_block, 1 if inner == 1 else in_block)


def blocks_of_teams(positions: int, channels: int, inner: int) -> int:
    """How many blocks work on so many positions where all of them together have one result: one
    where its teams need few turns."""
    teams = teams_for(channels, inner).in_block
    return 1 if positions <= TURNS * teams else min(blocks_for(positions, teams), MOST_BLOCKS)


@functools.cache
def make_member(teams: Teams) -> Callable:
    """Make member(thread): its team and lane."""
    lanes, in_block, step = teams

    @device
    def member(thread):
        if step == 1:
            return divide(thread, lanes)
        lane, team = divide(thread, in_block)
        return team, lane

    return member


@functools.cache
def make_line(channels: int, inner: int) -> Callable:
    """Make line(position, positions): where the position's channels begin in the array, `inner`
    values apart, and how many there are: none from the position `positions` on."""

    @device
    def line(position, positions):
        n, x = divide(position, inner)
        return n * (channels * inner) + x, channels if position < positions else 0

    return line


@functools.cache
def make_reduce(lanes: int, step: int, combine: Callable) -> Callable:
    """Make reduce(shared, thread, lane, value): the values of all lanes, combined in a fixed order.

    All threads of the block must call it. shared: a value for each of them.
    """

    @device
    def reduce(shared, thread, lane, value):
        shared[thread] = value
        cuda.syncthreads()
        half = lanes // 2
        while half > 0:
            if lane < half:
                shared[thread] = combine(shared[thread], shared[thread + half * step])
            cuda.syncthreads()
            half //= 2
        result = shared[thread - lane * step]
        cuda.syncthreads()  # the next call overwrites it
        return result

    return reduce


@device
def add(a: Any, b: Any) -> Any:
    """a + b."""
    return a + b


@device
def larger(a: Any, b: Any) -> Any:
    """The larger number."""
    return b if b > a else a
