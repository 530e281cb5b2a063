"""The windows of a pooling along one axis, and the windows that a value lies in.

window o reaches from o * stride - pad on over `kernel` places, cut off at the padded edge
value i lies in the windows o with o * stride - pad <= i < o * stride - pad + kernel
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .launch import device
from .window_values import divide


class Windows(NamedTuple):
    """Along one axis."""

    length: int
    outputs: int
    kernel: int
    pad: int
    stride: int

    @property
    def whole(self) -> bool:
        """Whether all windows lie inside the plane."""
        return self.pad == 0 and (self.outputs - 1) * self.stride + self.kernel <= self.length

    @property
    def most(self) -> int:
        """How many windows a value lies in, at most."""
        return min(-(-self.kernel // self.stride), self.outputs)


def windows_of(
    bottom: Sequence[int],
    top: Sequence[int],
    kernel: Sequence[int],
    pad: Sequence[int],
    stride: Sequence[int],
) -> tuple[Windows, Windows]:
    """Of both axes, for arrays of these shapes."""
    vertical, horizontal = (
        Windows(*sizes) for sizes in zip(bottom[2:], top[2:], kernel, pad, stride, strict=True)
    )
    return vertical, horizontal


@functools.cache
def make_windows_over(windows: Windows) -> Callable:
    """Make windows_over(i): the first of the windows that value i lies in, and the last + 1."""
    _, outputs, kernel, pad, stride = windows

    @device
    def windows_over(i):
        left_behind = max(i + pad - kernel + stride, 0)  # windows that end before i
        return divide(left_behind, stride)[0], min(divide(i + pad, stride)[0] + 1, outputs)

    return windows_over


@functools.cache
def make_extent(windows: Windows) -> Callable:
    """Make extent(o): how many places window o covers, with those of the padding."""
    length, outputs, kernel, pad, stride = windows
    cut = (outputs - 1) * stride + kernel > length + 2 * pad

    @device
    def extent(o):
        return min(kernel, length + 2 * pad - o * stride) if cut else kernel

    return extent
