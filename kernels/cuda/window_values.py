"""What the windows of a convolution see, read where it lies.

Along each spatial axis the output o sees, at the kernel's position k, the input

    i = o * stride + k * dilation - pad

For several axes o, k and i are places in row-major order. A function that reads a value takes them
apart axis by axis, the last first: for each axis one is made that calls that of the axes before it,
and all are compiled into one piece, in which every size is a constant.
"""

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
ONE = Axis(1, 1, 0, 1, 1, 1)  # as good as no axis


class Sizes(NamedTuple):
    """How many places there are, all axes together."""

    window: int  # in the kernel
    plane: int  # in a channel of the input
    positions: int  # in a channel of the output


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


def sizes(axes: Axes) -> Sizes:
    """The products over all axes."""
    return Sizes(
        math.prod(axis.kernel for axis in axes),
        math.prod(axis.input for axis in axes),
        math.prod(axis.output for axis in axes),
    )


@device
def divide(i: Any, size: Any) -> Any:
    """i // size and i % size for 0 <= i < 2**31: three instructions where `size` is a constant."""
    quotient = np.int32(np.uint32(i) // np.uint32(size))
    return quotient, np.int32(i - quotient * size)


@device
def _keep(i, size):
    """As divide, for i < size."""
    return np.int32(0), np.int32(i)


class Step(NamedTuple):
    """How one axis leads from places of `source`, say outputs, to places of `target`."""

    kernel: int
    source: int
    target: int
    reach: Callable  # reach(k, place): whether there is one, and two numbers whose sum it is:
    # what depends on k and what depends on the place, as one of them is often constant in a loop


def make_input_values(axes: Axes, wide: bool = False) -> Callable:
    """Make input_values(array, first, k, o): what the output o sees at k in the channel whose
    values begin at array[first], or 0 beyond its edges. wide: a tuple of four, for o to o + 3,
    which must lie in one line."""
    return _make_values([_to_input(axis) for axis in axes or (ONE,)], wide)


def make_output_values(axes: Axes, wide: bool = False) -> Callable:
    """Make output_values(array, first, k, i): the value of the output that sees the input i at k in
    the channel whose values begin at array[first], or 0 where none does. wide: a tuple of four, for
    i to i + 3, which must lie in one line."""
    return _make_values([_to_output(axis) for axis in axes or (ONE,)], wide)


def _to_input(axis):
    size, kernel, pad, stride, dilation, output = axis
    reach = _make_sum(dilation, stride, -pad, size, always=pad == 0)
    return Step(kernel, output, size, reach)


def _to_output(axis):
    size, kernel, pad, stride, dilation, output = axis

    @device
    def divided(k, i):
        begin = np.int32(i + pad - k * dilation)
        o, rest = divide(max(begin, 0), stride)
        return begin >= 0 and rest == 0 and o < output, np.int32(0), o

    undivided = _make_sum(-dilation, 1, pad, output, always=kernel == 1 and pad == 0)
    return Step(kernel, size, output, undivided if stride == 1 else divided)


def _make_sum(k_factor, place_factor, shift, size, always):
    @device
    def reach(k, place):
        of_k, of_place = np.int32(k * k_factor), np.int32(place * place_factor + shift)
        return always or 0 <= of_k + of_place < size, of_k, of_place

    return reach


def _make_values(steps, wide):
    kernel, source, target, reach = steps[-1]
    reach_line = _make_reach(steps[:-1])
    split = divide if len(steps) > 1 else _keep

    @device
    def value(array, line, inside, k, place):
        reached, of_k, of_place = reach(k, place)
        result = np.float32(0)
        if inside and reached:
            result = array[np.uint32(line + of_k + of_place)]
        return result

    @device
    def one_value(array, first, k, place):
        k_line, k_here = split(k, kernel)
        place_line, place_here = split(place, source)
        inside, of_k, of_place = reach_line(k_line, place_line)
        line = first + of_k * target + of_place * target
        return value(array, line, inside, k_here, place_here)

    @device
    def four_values(array, first, k, place):
        k_line, k_here = split(k, kernel)
        place_line, place_here = split(place, source)
        inside, of_k, of_place = reach_line(k_line, place_line)
        line = first + of_k * target + of_place * target
        return (
            value(array, line, inside, k_here, place_here),
            value(array, line, inside, k_here, place_here + 1),
            value(array, line, inside, k_here, place_here + 2),
            value(array, line, inside, k_here, place_here + 3),
        )

    return four_values if wide else one_value


def _make_reach(steps):
    """reach(k, place) for several axes at once."""
    if not steps:
        return _reach_without_axes
    kernel, source, target, reach = steps[-1]
    reach_before = _make_reach(steps[:-1])
    split = divide if len(steps) > 1 else _keep

    @device
    def reach_all(k, place):
        k_before, k_here = split(k, kernel)
        place_before, place_here = split(place, source)
        inside, of_k_before, of_place_before = reach_before(k_before, place_before)
        reached, of_k, of_place = reach(k_here, place_here)
        of_k = np.int32(of_k_before * target + of_k)
        of_place = np.int32(of_place_before * target + of_place)
        return inside and reached, of_k, of_place

    return reach_all


@device
def _reach_without_axes(k, place):
    return True, np.int32(0), np.int32(0)
