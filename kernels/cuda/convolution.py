"""Convolution, and its gradients, as products of matrices.

    top[n, m, o] = bias[m] + sum over c, k of weight[m, c, k] * bottom[n, c, i]
        with i = o * stride + k * dilation - pad, c over the channels of m's group,
        and values outside the image taken as 0

    bottom: (N, C, *in)    weight: (M, C / group, *kernel)    bias: (M,)    top: (N, M, *out)
    float32, C-contiguous; any number of spatial axes.

Each is one product for all images, which reads them where they lie and adds the bias as it stores
(convolution_products.py); groups are products one after the other. direct: never with few
multiplications; these kernels never are.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .channel_sums import add_channel_sums
from .convolution_products import (
    Form,
    column_images,
    column_size,
    make_backward_column,
    make_backward_data,
    make_backward_weight,
    make_forward,
)
from .im2col import add_windows
from .window_places import make_axes, sizes

NO_BIAS = np.empty(0, np.float32)  # given for a bias where there is none


def convolution_forward(
    bottom: Any,
    weight: Any,
    bias: Any,
    top: Any,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
    workspace: Any,
    direct: bool = False,
) -> None:
    """Compute top. An empty bias means none. workspace: `convolution_workspace` floats."""
    form = _form(bottom, weight, pad, stride, dilation, group)
    product = make_forward(form, bias.size > 0)
    biases = bias if bias.size else weight  # some array, which is not read
    for g, (x, w, y) in enumerate(_groups(form, bottom, weight, top)):
        product(w, w, x, x, y, biases.reshape(-1)[g * form.outputs :])


def convolution_backward_data(
    top_diff: Any,
    weight: Any,
    bottom_diff: Any,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
    workspace: Any,
    direct: bool = False,
) -> None:
    """Overwrite bottom_diff with the gradient by the bottom, given top_diff, that by the top."""
    form = _form(bottom_diff, weight, pad, stride, dilation, group)
    at_once = column_images(bottom_diff.shape, weight.shape, top_diff.shape, group)
    if not at_once:
        product = make_backward_data(form)
        for dx, w, dy in _groups(form, bottom_diff, weight, top_diff):
            product(w, w, dy, dy, dx, dx)
    for first in range(0, form.num, at_once) if at_once else ():
        part = form._replace(num=min(at_once, form.num - first))
        product = make_backward_column(part)
        for dx, w, dy in _groups(form, bottom_diff, weight, top_diff, first):
            product(w, w, dy, dy, workspace, workspace)
            add_windows(part.num, part.channels, group * part.channels, part.axes, workspace, dx)


def convolution_backward_weight(
    bottom: Any,
    top_diff: Any,
    weight_diff: Any,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
    workspace: Any,
    direct: bool = False,
) -> None:
    """Add the gradient by the weights to weight_diff, given top_diff, that by the top."""
    form = _form(bottom, weight_diff, pad, stride, dilation, group)
    product = make_backward_weight(form)
    for x, dw, dy in _groups(form, bottom, weight_diff, top_diff):
        product(dy, dy, x, x, dw, dw)


def convolution_backward_bias(top_diff: Any, bias_diff: Any) -> None:
    """bias_diff[m] += sum over n, o of top_diff[n, m, o]"""
    add_channel_sums(top_diff, bias_diff)


def convolution_workspace(
    bottom_shape: Sequence[int],
    weight_shape: Sequence[int],
    top_shape: Sequence[int],
    group: int,
) -> int:
    """How many floats of workspace the functions of this file need for these shapes."""
    at_once = column_images(bottom_shape, weight_shape, top_shape, group)
    return at_once * column_size(weight_shape, top_shape)


def _form(
    bottom: Any,
    weight: Any,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
) -> Form:
    axes = make_axes(bottom.shape[2:], weight.shape[2:], pad, stride, dilation)
    return Form(bottom.shape[0], group, weight.shape[1], weight.shape[0] // group, axes)


def _groups(form: Form, bottom: Any, weight: Any, top: Any, first: int = 0) -> Iterator[tuple]:
    """The three arrays, flat, from where each group begins in image number `first`."""
    window, plane, positions = sizes(form.axes)
    bottom_step, top_step = form.channels * plane, form.outputs * positions
    arrays = bottom.reshape(-1), weight.reshape(-1), top.reshape(-1)
    steps = bottom_step, form.outputs * form.channels * window, top_step
    images = first * form.group * bottom_step, 0, first * form.group * top_step
    for g in range(form.group):
        yield tuple(a[i + g * s :] for a, s, i in zip(arrays, steps, images, strict=True))
