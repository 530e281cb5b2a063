"""Where the matrices of a convolution's products take their values from, for one group.

    column[(c, k), (n, o)]  what the output o of image n sees of channel c at k
    top[m, (n, o)]          the gradient by that output, or what is known of it (Form.pooling)

The functions made here are compiled into the products (convolution_products.py). Where lines are
whole fours they give four neighbours at once: finding them costs as much as finding one.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .launch import device
from .pooling_windows import Windows
from .vector_load import load4
from .window_values import ONE, Axes, Axis, divide, make_input_values, sizes


class Form(NamedTuple):
    """The sizes of a convolution: images, groups, and channels and outputs of a group.

    pooling: of a max pooling whose windows do not overlap. Then gradients by its outputs stand for
    those by the convolution's, which are the same where the mask points, and 0 elsewhere.
    """

    num: int
    group: int
    channels: int
    outputs: int
    axes: Axes
    pooling: tuple[Windows, Windows] | None = None

    @property
    def last(self) -> Axis:
        """The axis along which values lie side by side."""
        return self.axes[-1] if self.axes else ONE

    @property
    def steps(self) -> tuple[int, int, int]:
        """How many floats a group has of an image, of the weights and of what is on top."""
        window, plane, positions = sizes(self.axes)
        if self.pooling:
            positions = math.prod(windows.outputs for windows in self.pooling)
        weights = self.outputs * self.channels * window
        return self.channels * plane, weights, self.outputs * positions


@device
def load1(array: Any, index: Any) -> Any:
    """As load4, but one value."""
    return array[index]


def make_load_column(form: Form, wide: bool) -> Callable:
    """Make load_column(bottom, -, row, j) for row = (c, k) and j = (n, o); wide: to o + 3."""
    window, plane, positions = sizes(form.axes)
    all_channels = form.group * form.channels
    input_values = make_input_values(form.axes, wide)

    @device
    def load_column(bottom, _, row, j):
        c, k = divide(row, window)
        n, o = divide(j, positions)
        return input_values(bottom, (n * all_channels + c) * plane, k, o)

    return load_column


def make_load_top(form: Form, wide: bool) -> Callable:
    """Make load_top(top_diff, mask, m, j) for j = (n, o); wide: to o + 3. The mask is only read
    where form.pooling is given."""
    positions, all_outputs = sizes(form.axes).positions, form.group * form.outputs
    load = load4 if wide else load1

    @device
    def load_top(top_diff, mask, m, j):
        n, o = divide(j, positions)
        return load(top_diff, np.uint32((n * all_outputs + m) * positions + o))

    return _make_load_pooled(form, wide) if form.pooling else load_top


def _make_load_pooled(form, wide):
    rows, columns = form.pooling
    height, pooled_height, _, pad_y, stride_y = rows
    width, pooled_width, _, pad_x, stride_x = columns
    positions, cells = height * width, pooled_height * pooled_width
    all_outputs = form.group * form.outputs
    whole_y = (height - 1 + pad_y) // stride_y < pooled_height  # none lies behind all windows
    whole_x = (width - 1 + pad_x) // stride_x < pooled_width

    @device
    def load_pooled(pooled_diff, mask, m, j):
        n, o = divide(j, positions)
        y, x = divide(o, width)
        row, column = divide(y + pad_y, stride_y)[0], divide(x + pad_x, stride_x)[0]
        result = np.float32(0)
        if (whole_y or row < pooled_height) and (whole_x or column < pooled_width):
            at = np.uint32((n * all_outputs + m) * cells + row * pooled_width + column)
            value = pooled_diff[at]  # not only where the mask says so: both are on their way
            result = value if mask[at] == o else result
        return result

    @device
    def load_four(pooled_diff, mask, m, j):
        return (
            load_pooled(pooled_diff, mask, m, j),
            load_pooled(pooled_diff, mask, m, j + 1),
            load_pooled(pooled_diff, mask, m, j + 2),
            load_pooled(pooled_diff, mask, m, j + 3),
        )

    return load_four if wide else load_pooled
