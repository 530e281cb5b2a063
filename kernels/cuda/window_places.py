"""Where the windows of a convolution lie: from outputs to inputs, and back.

Along each spatial axis the output o sees, at the kernel's position k, the input

    i = o * stride + k * dilation - pad

For several axes, o, k and i are places in row-major order. The functions made here take them apart
one axis at a time, the last first; what one axis needs is a function that calls that of the axes
before it, and all of them are compiled into one piece, with every size a constant.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .launch import device


class Axis(NamedTuple):
    """The form of a convolution along one spatial axis."""

    input: int
    kernel: int
    pad: int
    stride: int
    dilation: int
    output: int


Axes = tuple[Axis, ...]


def make_axes(
    inputs: Sequence[int],
    kernel: Sequence[int],
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> Axes:
    """The form of a convolution: one entry for each spatial axis, of which there may be none."""
    return tuple(
        Axis(i, k, p, s, d, (i + 2 * p - (d * (k - 1) + 1)) // s + 1)
        for i, k, p, s, d in zip(inputs, kernel, pad, stride, dilation, strict=True)
    )


class Sizes(NamedTuple):
    """How many positions there are."""

    window: int  # of the kernel
    plane: int  # of a channel of an image
    positions: int  # of an output's channel


def sizes(axes: Axes) -> Sizes:
    """The products over all axes."""
    return Sizes(
        math.prod(axis.kernel for axis in axes),
        math.prod(axis.input for axis in axes),
        math.prod(axis.output for axis in axes),
    )


@device
def divide(i: Any, size: Any) -> Any:
    """i // size and i % size for a constant `size`: three instructions. i is taken as an unsigned
    number of 32 bits: for a negative one the quotient is negative or larger than any place."""
    quotient = np.int32(np.uint32(i) // np.uint32(size))
    return quotient, np.int32(i - quotient * size)


@device
def _place_of_no_axes(k, place):
    return True, np.int32(0)


@functools.cache
def make_input_place(axes: Axes) -> Callable:
    """Make input_place(k, o): whether o's input for k lies inside the image, and where."""
    if not axes:
        return _place_of_no_axes
    size, kernel, pad, stride, dilation, output = axes[-1]
    place_before = make_input_place(axes[:-1])
    always_inside = pad == 0

    @device
    def input_place(k, o):
        k_before, k_here = divide(k, kernel)
        o_before, o_here = divide(o, output)
        i = np.int32(o_here * stride + k_here * dilation - pad)
        inside, before = place_before(k_before, o_before)
        return inside and (always_inside or 0 <= i < size), np.int32(before * size + i)

    return input_place


@functools.cache
def make_output_place(axes: Axes) -> Callable:
    """Make output_place(k, i): whether an output sees the input i at k, and which."""
    if not axes:
        return _place_of_no_axes
    size, kernel, pad, stride, dilation, output = axes[-1]
    place_before = make_output_place(axes[:-1])

    @device
    def output_place(k, i):
        k_before, k_here = divide(k, kernel)
        i_before, i_here = divide(i, size)
        begin = np.int32(i_here + pad - k_here * dilation)
        o, rest = divide(begin, stride)
        inside, before = place_before(k_before, i_before)
        return inside and rest == 0 and 0 <= o < output, np.int32(before * output + o)

    return output_place
