"""Slices of a matrix product's operands, on their way from memory into shared memory.

A slice is what a block multiplies in one step: `lines` rows of A, or columns of B, by `depth` of K.
In shared memory it lies as (depth, lines + PAD), so that a thread reads four lines at once. From
memory, neighbouring threads load what lies side by side there, along K or along the lines.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .launch import SIMULATED, device
from .vector_load import store4

PAD = 4  # floats after each k: what a warp writes at once goes to different banks
index = int if SIMULATED else np.uint32  # tells the compiler that it is not negative


class Operand(NamedTuple):
    """A, or B turned: `lines` by `size` along K."""

    lines: int
    size: int
    load: Callable  # load(x0, x1, line, p)
    along_k: bool  # whether values at successive p lie side by side, rather than lines
    wide: bool  # whether `load` gives a tuple of four in this direction


def make_slices(operand: Operand, lines: int, depth: int, threads: int) -> tuple:
    """Make two `@device` functions, and say how many values a thread has of a slice:

    fetch(x0, x1, first, begin, end, thread, values): load the thread's values of the slice that
    begins at the line `first` and at `begin` along K; zeros for what is beyond the last line or
    `end`.
    put(slices, at, thread, values): write them into the array `slices`, beginning at `at`.
    """
    count, size, load, along_k, wide = operand
    width = 4 if wide else 1
    zeros = (np.float32(0),) * width
    # A row of threads loads what lies side by side, and the rows follow one another.
    across = (depth if along_k else lines) // width
    turns = lines * depth // (width * threads)
    line_turn, depth_turn = (threads // across, 0) if along_k else (0, threads // across)
    whole_lines, whole_depth = count % lines == 0, size > 0 and size % depth == 0
    padded = lines + PAD

    @device
    def place(thread):
        """The line and the k of a thread's first value."""
        beside, row = thread % across * width, thread // across
        return (row, beside) if along_k else (beside, row)

    @device
    def load_one(x0, x1, line, p):
        return (load(x0, x1, line, p),)

    load_some = load if wide else load_one

    @device
    def fetch(x0, x1, first, begin, end, thread, values):
        line, p = place(thread)
        for turn in range(turns):
            at_line, at_p = first + line + turn * line_turn, begin + p + turn * depth_turn
            some = zeros
            if (whole_lines or at_line < count) and (whole_depth or at_p < end):
                some = load_some(x0, x1, at_line, at_p)
            for i in range(width):
                values[turn * width + i] = some[i]

    @device
    def put(slices, at, thread, values):
        line, p = place(thread)
        first = index(at + p * padded + line)
        for turn in range(turns):
            target, v = first + turn * (depth_turn * padded + line_turn), turn * width
            if wide and not along_k:
                store4(slices, target, (values[v], values[v + 1], values[v + 2], values[v + 3]))
            else:
                for i in range(width):
                    slices[target + i * padded] = values[v + i]

    return fetch, put, turns * width
