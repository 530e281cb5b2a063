"""The products of matrices that a convolution and its gradients are, made for given sizes.

With the images' windows as columns (im2col.py), for each group's channels c and outputs m:

    top[m, (n, o)]          = sum over (c, k) of weight[m, (c, k)] column[(c, k), (n, o)] + bias[m]
    weight_diff[m, (c, k)] += sum over (n, o) of top_diff[m, (n, o)] column[(c, k), (n, o)]
    bottom_diff[c, (n, i)]  = sum over (m, k) of weight[m, (c, k)] seen[(m, k), (n, i)]

where seen is top_diff at the output that sees the input i at the kernel's position k, or 0. Neither
matrix is ever written: the product (tile_product.py) asks for values by row and column, and the
functions here find them in the images. All images are one product, of many and full tiles.

The last one multiplies by zeros where no output sees an input. Where they are many, for strides or
small images without padding, the gradient of the column is computed, and its windows are added:

    column[(c, k), (n, o)] = sum over m of weight[m, (c, k)] top_diff[m, (n, o)]
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from .launch import device
from .tile_product import make_product
from .window_places import Axes, divide, make_input_place, make_output_place, sizes

MOST_COLUMN = 2**23  # floats of a column: what is much larger leaves the GPU's cache
COLUMN_VALUE = 60  # to write one and to read it again takes as long as so many multiply-adds


class Form(NamedTuple):
    """The sizes of a convolution: images, groups, and channels and outputs of a group."""

    num: int
    group: int
    channels: int
    outputs: int
    axes: Axes


def column_size(weight_shape: Sequence[int], top_shape: Sequence[int]) -> int:
    """How many floats the column of one image and group has."""
    return math.prod(weight_shape[1:]) * math.prod(top_shape[2:])


def column_images(
    bottom_shape: Sequence[int],
    weight_shape: Sequence[int],
    top_shape: Sequence[int],
    group: int,
) -> int:
    """For how many images at a time the data gradient takes the way by the column, 0 for none."""
    num, outputs, channels = bottom_shape[0], weight_shape[0] // group, weight_shape[1]
    seen = -(-channels // 32) * 32 * math.prod(bottom_shape[2:]) * outputs  # in tiles of 32 rows
    column = channels * math.prod(top_shape[2:]) * (outputs + COLUMN_VALUE)
    most = MOST_COLUMN // max(column_size(weight_shape, top_shape), 1)
    if column >= seen or not most:
        return 0
    return -(-num // max(-(-num // most), 1))  # parts of about the same size


@functools.cache
def make_forward(form: Form, has_bias: bool) -> Callable:
    """Make product(weight, -, bottom, -, top, bias) for one group."""
    window, _, positions = sizes(form.axes)
    terms, all_outputs = form.channels * window, form.group * form.outputs

    @device
    def load_weight(weight, _, m, row):
        return weight[np.uint32(m * terms + row)]

    @device
    def store(top, bias, m, j, value):
        n, o = divide(j, positions)
        if has_bias:
            value += bias[np.uint32(m)]
        top[np.uint32((n * all_outputs + m) * positions + o)] = value

    return make_product(
        form.outputs, form.num * positions, terms, load_weight, _make_load_column(form), store,
        a_along_k=True,
    )  # fmt: skip


@functools.cache
def make_backward_weight(form: Form) -> Callable:
    """Make product(top_diff, -, bottom, -, weight_diff, -) for one group, which adds."""
    window, _, positions = sizes(form.axes)
    terms = form.channels * window
    load_column = _make_load_column(form)

    @device
    def load_column_turned(bottom, _, j, row):
        return load_column(bottom, _, row, j)

    @device
    def store(weight_diff, _, m, row, value):
        weight_diff[np.uint32(m * terms + row)] += value

    return make_product(
        form.outputs, terms, form.num * positions, _make_load_top(form), load_column_turned, store,
        a_along_k=True, b_along_k=True,
    )  # fmt: skip


@functools.cache
def make_backward_data(form: Form) -> Callable:
    """Make product(weight, -, top_diff, -, bottom_diff, -) for one group."""
    num, group, channels, outputs, axes = form
    window, plane, positions = sizes(axes)
    all_channels, all_outputs = group * channels, group * outputs
    output_place = make_output_place(axes)

    @device
    def load_weight(weight, _, c, row):
        m, k = divide(row, window)
        return weight[np.uint32((m * channels + c) * window + k)]

    @device
    def load_seen(top_diff, _, row, j):
        m, k = divide(row, window)
        n, i = divide(j, plane)
        inside, o = output_place(k, i)
        value = np.float32(0)
        if inside:
            value = top_diff[np.uint32((n * all_outputs + m) * positions + o)]
        return value

    @device
    def store(bottom_diff, _, c, j, value):
        n, i = divide(j, plane)
        bottom_diff[np.uint32((n * all_channels + c) * plane + i)] = value

    return make_product(
        channels, num * plane, outputs * window, load_weight, load_seen, store, a_along_k=True
    )


@functools.cache
def make_backward_column(form: Form) -> Callable:
    """Make product(weight, -, top_diff, -, column, -) for one group."""
    window, _, positions = sizes(form.axes)
    terms, columns = form.channels * window, form.num * positions

    @device
    def load_weight(weight, _, row, m):
        return weight[np.uint32(m * terms + row)]

    @device
    def store(column, _, row, j, value):
        column[np.uint32(row * columns + j)] = value

    return make_product(terms, columns, form.outputs, load_weight, _make_load_top(form), store)


def _make_load_column(form):
    """load_column(bottom, -, (c, k), (n, o)): bottom where the output o sees it at k, or 0."""
    window, plane, positions = sizes(form.axes)
    all_channels = form.group * form.channels
    input_place = make_input_place(form.axes)

    @device
    def load_column(bottom, _, row, j):
        c, k = divide(row, window)
        n, o = divide(j, positions)
        inside, i = input_place(k, o)
        value = np.float32(0)
        if inside:
            value = bottom[np.uint32((n * all_channels + c) * plane + i)]
        return value

    return load_column


def _make_load_top(form):
    """load_top(top_diff, -, m, (n, o))"""
    _, _, positions = sizes(form.axes)
    all_outputs = form.group * form.outputs

    @device
    def load_top(top_diff, _, m, j):
        n, o = divide(j, positions)
        return top_diff[np.uint32((n * all_outputs + m) * positions + o)]

    return load_top
