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
from .convolution_loads import Form
from .convolution_products import (
    column_images,
    column_size,
    make_backward_column,
    make_backward_data,
    make_backward_weight,
    make_forward,
)
from .im2col import add_windows
from .window_values import Axis, make_axes

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
    form = make_form(bottom, weight, pad, stride, dilation, group)
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
    form = make_form(bottom_diff, weight, pad, stride, dilation, group)
    if column_images(form):
        backward_data_by_columns(form, top_diff, top_diff, weight, bottom_diff, workspace)
        return
    product = make_backward_data(form)
    for dx, w, dy in _groups(form, bottom_diff, weight, top_diff):
        product(w, w, dy, dy, dx, dx)


def backward_data_by_columns(
    form: Form, top_diff: Any, mask: Any, weight: Any, bottom_diff: Any, workspace: Any
) -> None:
    """The gradient by the bottom, some images at a time. mask: read where form.pooling is given."""
    at_once = column_images(form)
    for first in range(0, form.num, at_once):
        part = form._replace(num=min(at_once, form.num - first))
        product = make_backward_column(part)
        for dx, w, dy, chosen in _groups(form, bottom_diff, weight, top_diff, mask, first=first):
            product(w, w, dy, chosen, workspace, workspace)
            add_windows(
                part.num, part.channels, form.group * form.channels, form.axes, workspace, dx
            )


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
    form = make_form(bottom, weight_diff, pad, stride, dilation, group)
    add_weight_gradient(form, bottom, top_diff, top_diff, weight_diff)


def add_weight_gradient(
    form: Form, bottom: Any, top_diff: Any, mask: Any, weight_diff: Any
) -> None:
    """Add to weight_diff. mask: read where form.pooling is given."""
    product = make_backward_weight(form)
    for x, dw, dy, chosen in _groups(form, bottom, weight_diff, top_diff, mask):
        product(dy, chosen, x, x, dw, dw)


def convolution_backward_bias(top_diff: Any, bias_diff: Any) -> None:
    """bias_diff[m] += sum over n, o of top_diff[n, m, o]"""
    add_channel_sums(top_diff, bias_diff)


def convolution_workspace(
    bottom_shape: Sequence[int],
    weight_shape: Sequence[int],
    top_shape: Sequence[int],
    stride: Sequence[int],
    group: int,
) -> int:
    """How many floats of workspace the functions of this file need for these shapes."""
    # Padding, strides and dilation do not matter once the output's shape is known.
    axes = tuple(
        Axis(i, k, 0, 1, 1, o)
        for i, k, o in zip(bottom_shape[2:], weight_shape[2:], top_shape[2:], strict=True)
    )
    form = Form(bottom_shape[0], group, weight_shape[1], weight_shape[0] // group, axes)
    return column_images(form) * column_size(form)


def make_form(
    bottom: Any,
    weight: Any,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
) -> Form:
    """The sizes, of arrays of these shapes."""
    axes = make_axes(bottom.shape[2:], weight.shape[2:], pad, stride, dilation)
    return Form(bottom.shape[0], group, weight.shape[1], weight.shape[0] // group, axes)


def _groups(form: Form, bottom: Any, weight: Any, *tops: Any, first: int = 0) -> Iterator[tuple]:
    """The arrays, flat, from where each group begins in image number `first`."""
    of_bottom, of_weight, of_top = form.steps
    steps = of_bottom, of_weight, *[of_top] * len(tops)
    image = first * form.group
    begins = image * of_bottom, 0, *[image * of_top] * len(tops)
    arrays = [array.reshape(-1) for array in (bottom, weight, *tops)]
    for g in range(form.group):
        yield tuple(a[b + g * s :] for a, b, s in zip(arrays, begins, steps, strict=True))
