"""The products of matrices that a convolution and its gradients are, made for given sizes.

With the images' windows as columns (im2col.py), for each group's channels c and outputs m:

    top[m, (n, o)]          = sum over (c, k) of weight[m, (c, k)] column[(c, k), (n, o)] + bias[m]
    weight_diff[m, (c, k)] += sum over (n, o) of top_diff[m, (n, o)] column[(c, k), (n, o)]
    bottom_diff[c, (n, i)]  = sum over (m, k) of weight[m, (c, k)] seen[(m, k), (n, i)]

where seen is top_diff at the output that sees the input i at the kernel's position k, or 0. Neither
matrix is ever written: the product (tile_product.py) asks for values by row and column, which are
found in the images (convolution_loads.py). All images are one product, of many and full tiles.

The last one multiplies by zeros where no output sees an input. Where they are many, for strides or
small images without padding, the gradient of the column is computed, and its windows are added:

    column[(c, k), (n, o)] = sum over m of weight[m, (c, k)] top_diff[m, (n, o)]
"""

import functools
from collections.abc import Callable

import numpy as np

from .convolution_loads import Form, load1, make_load_column, make_load_top
from .launch import device
from .tile_product import make_product
from .vector_load import load4, store4
from .window_values import divide, make_output_values, sizes

MOST_COLUMN = 2**23  # floats of a column: what is much larger leaves the GPU's cache
COLUMN_VALUE = 60  # to write one and to read it again takes as long as so many multiply-adds


def column_size(form: Form) -> int:
    """How many floats the column of one image and group has."""
    window, _, positions = sizes(form.axes)
    return form.channels * window * positions


def column_images(form: Form) -> int:
    """For how many images at a time the data gradient takes the way by the column, 0 for none."""
    _, plane, positions = sizes(form.axes)
    seen = -(-form.channels // 32) * 32 * plane * form.outputs  # in tiles of 32 rows
    column = form.channels * positions * (form.outputs + COLUMN_VALUE)
    most = MOST_COLUMN // max(column_size(form), 1)
    if column >= seen or not most:
        return 0
    parts = max(-(-form.num // most), 1)
    return -(-form.num // parts)  # parts of about the same size


@functools.cache
def make_forward(form: Form, has_bias: bool) -> Callable:
    """Make product(weight, -, bottom, -, top, bias) for one group."""
    window, _, positions = sizes(form.axes)
    terms, all_outputs = form.channels * window, form.group * form.outputs
    wide_weight, wide_column = terms % 4 == 0, form.last.output % 4 == 0
    load = load4 if wide_weight else load1

    @device
    def load_weight(weight, _, m, row):
        return load(weight, np.uint32(m * terms + row))

    @device
    def place(m, j):
        n, o = divide(j, positions)
        return np.uint32((n * all_outputs + m) * positions + o)

    @device
    def bias_of(bias, m):
        return bias[np.uint32(m)] if has_bias else np.float32(0)

    @device
    def store(top, bias, m, j, value):
        top[place(m, j)] = value + bias_of(bias, m)

    @device
    def store_four(top, bias, m, j, values):
        add = bias_of(bias, m)
        four = values[0] + add, values[1] + add, values[2] + add, values[3] + add
        store4(top, place(m, j), four)

    return make_product(
        form.outputs, form.num * positions, terms,
        load_weight, make_load_column(form, wide_column), store,
        a_along_k=True, a_wide=wide_weight, b_wide=wide_column,
        store_four=store_four if positions % 4 == 0 else None,
    )  # fmt: skip


@functools.cache
def make_backward_weight(form: Form) -> Callable:
    """Make product(top_diff, mask, bottom, -, weight_diff, -) for one group, which adds."""
    window, _, positions = sizes(form.axes)
    terms = form.channels * window
    wide_top, wide_column = positions % 4 == 0, form.last.output % 4 == 0
    load_column = make_load_column(form, wide_column)

    @device
    def load_column_turned(bottom, _, j, row):
        return load_column(bottom, _, row, j)

    @device
    def store(weight_diff, _, m, row, value):
        weight_diff[np.uint32(m * terms + row)] += value

    return make_product(
        form.outputs, terms, form.num * positions,
        make_load_top(form, wide_top), load_column_turned, store,
        a_along_k=True, b_along_k=True, a_wide=wide_top, b_wide=wide_column,
    )  # fmt: skip


@functools.cache
def make_backward_data(form: Form) -> Callable:
    """Make product(weight, -, top_diff, -, bottom_diff, -) for one group."""
    num, group, channels, outputs = form[:4]
    window, plane, positions = sizes(form.axes)
    all_channels, all_outputs = group * channels, group * outputs
    wide = form.last.input % 4 == 0 and form.last.stride == 1
    output_values = make_output_values(form.axes, wide)

    @device
    def load_weight(weight, _, c, row):
        m, k = divide(row, window)
        return weight[np.uint32((m * channels + c) * window + k)]

    @device
    def load_seen(top_diff, _, row, j):
        m, k = divide(row, window)
        n, i = divide(j, plane)
        return output_values(top_diff, (n * all_outputs + m) * positions, k, i)

    @device
    def place(c, j):
        n, i = divide(j, plane)
        return np.uint32((n * all_channels + c) * plane + i)

    @device
    def store(bottom_diff, _, c, j, value):
        bottom_diff[place(c, j)] = value

    @device
    def store_four(bottom_diff, _, c, j, values):
        store4(bottom_diff, place(c, j), values)

    return make_product(
        channels, num * plane, outputs * window, load_weight, load_seen, store,
        a_along_k=window > 1, b_wide=wide, store_four=store_four if plane % 4 == 0 else None,
    )  # fmt: skip


@functools.cache
def make_backward_column(form: Form) -> Callable:
    """Make product(weight, -, top_diff, mask, column, -) for one group."""
    window, _, positions = sizes(form.axes)
    terms, columns = form.channels * window, form.num * positions
    wide_weight, wide_top = terms % 4 == 0, positions % 4 == 0
    load = load4 if wide_weight else load1

    @device
    def load_weight(weight, _, row, m):
        return load(weight, np.uint32(m * terms + row))

    @device
    def store(column, _, row, j, value):
        column[np.uint32(row * columns + j)] = value

    @device
    def store_four(column, _, row, j, values):
        store4(column, np.uint32(row * columns + j), values)

    return make_product(
        terms, columns, form.outputs, load_weight, make_load_top(form, wide_top), store,
        a_wide=wide_weight, b_wide=wide_top, store_four=store_four if columns % 4 == 0 else None,
    )  # fmt: skip
