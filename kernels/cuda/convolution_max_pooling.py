"""A convolution and the max pooling that alone reads its outputs, one after the other.

    top            = convolution of bottom                   (convolution.py)
    pooled, mask   = max pooling of top                      (max_pooling.py)
    top_diff       = pooled_diff where the mask points, else 0
    weight_diff   += gradient of the convolution by the weights, given top_diff
    bottom_diff    = gradient of the convolution by the bottom, given top_diff

    bottom: (N, C, H, W)    weight: (M, C / group, KH, KW)    bias: (M,)
    top: (N, M, OH, OW)     pooled, mask: (N, M, PH, PW)      float32, mask int32

Where the pooling's windows do not overlap, the products read pooled_diff and the mask in place of
top_diff, which is never written. Elsewhere, and for a bottom_diff that asks for each value of
top_diff many times (convolution_products.py), top_diff is spread in the workspace. Its zeros are
multiplied: to skip them, three of four values for windows of 2 x 2, pays on a CPU, but a GPU
multiplies much faster than it gathers. The gradient of the bias is the sum of pooled_diff:
`convolution_backward_bias` given pooled_diff. direct: as in convolution.py.
"""

import math
from collections.abc import Sequence
from typing import Any

from .convolution import (
    add_weight_gradient,
    backward_data_by_columns,
    convolution_backward_data,
    convolution_backward_weight,
    convolution_forward,
    convolution_workspace,
    make_form,
)
from .convolution_loads import Form
from .convolution_products import column_images
from .max_pooling import max_pooling_backward, max_pooling_forward
from .pooling_windows import windows_of
from .window_values import make_axes

Pair = tuple[int, int]
ONE = (1, 1)  # the dilation


def convolution_max_pooling_forward(
    bottom: Any,
    weight: Any,
    bias: Any,
    top: Any,
    pooled: Any,
    mask: Any,
    pad: Pair,
    stride: Pair,
    group: int,
    window: tuple[Pair, Pair, Pair],
    workspace: Any,
    direct: bool = False,
) -> None:
    """Compute top, pooled and mask. An empty bias means none. window: the pooling's kernel, pad
    and stride. workspace: `convolution_workspace` floats."""
    convolution_forward(bottom, weight, bias, top, pad, stride, ONE, group, workspace, direct)
    max_pooling_forward(top, pooled, mask, *window)


def convolution_max_pooling_backward_data(
    pooled_diff: Any,
    mask: Any,
    weight: Any,
    bottom_diff: Any,
    pad: Pair,
    stride: Pair,
    group: int,
    window: tuple[Pair, Pair, Pair],
    workspace: Any,
    direct: bool = False,
) -> None:
    """Overwrite bottom_diff. window: forward's. workspace: `convolution_max_pooling_workspace`
    floats."""
    form = _form(bottom_diff, weight, pooled_diff, pad, stride, group, window)
    if form.pooling and column_images(form):
        backward_data_by_columns(form, pooled_diff, mask, weight, bottom_diff, workspace)
    else:
        shape = _top_shape(bottom_diff.shape, weight.shape, pad, stride)
        dy, rest = _spread(pooled_diff, mask, shape, window, workspace)
        convolution_backward_data(dy, weight, bottom_diff, pad, stride, ONE, group, rest)


def convolution_max_pooling_backward_weight(
    bottom: Any,
    pooled_diff: Any,
    mask: Any,
    weight_diff: Any,
    pad: Pair,
    stride: Pair,
    group: int,
    window: tuple[Pair, Pair, Pair],
    workspace: Any,
    direct: bool = False,
) -> None:
    """Add to weight_diff. window, workspace: as for the bottom's gradient."""
    form = _form(bottom, weight_diff, pooled_diff, pad, stride, group, window)
    if form.pooling:
        add_weight_gradient(form, bottom, pooled_diff, mask, weight_diff)
    else:
        shape = _top_shape(bottom.shape, weight_diff.shape, pad, stride)
        dy, rest = _spread(pooled_diff, mask, shape, window, workspace)
        convolution_backward_weight(bottom, dy, weight_diff, pad, stride, ONE, group, rest)


def convolution_max_pooling_workspace(
    bottom_shape: Sequence[int],
    weight_shape: Sequence[int],
    pooled_shape: Sequence[int],
    pad: Pair,
    stride: Pair,
    group: int,
) -> int:
    """How many floats of workspace the gradients need for these shapes."""
    shape = _top_shape(bottom_shape, weight_shape, pad, stride)
    rest = convolution_workspace(bottom_shape, weight_shape, shape, stride, group)
    return _room(shape) + rest


def _top_shape(
    bottom_shape: Sequence[int], weight_shape: Sequence[int], pad: Pair, stride: Pair
) -> tuple[int, ...]:
    axes = make_axes(bottom_shape[2:], weight_shape[2:], pad, stride, ONE)
    return bottom_shape[0], weight_shape[0], *(axis.output for axis in axes)


def _form(
    bottom: Any,
    weight: Any,
    pooled: Any,
    pad: Pair,
    stride: Pair,
    group: int,
    window: tuple[Pair, Pair, Pair],
) -> Form:
    """The sizes, with those of the pooling where its windows do not overlap."""
    form = make_form(bottom, weight, pad, stride, ONE, group)
    top_shape = _top_shape(bottom.shape, weight.shape, pad, stride)
    windows = windows_of(top_shape, pooled.shape, *window)
    alone = all(along.kernel <= along.stride for along in windows)
    return form._replace(pooling=windows) if alone else form


def _spread(
    pooled_diff: Any,
    mask: Any,
    shape: tuple[int, ...],
    window: tuple[Pair, Pair, Pair],
    workspace: Any,
) -> tuple[Any, Any]:
    """top_diff, of this shape, at the workspace's begin; and what is left of the workspace."""
    top_diff = workspace[: math.prod(shape)].reshape(shape)
    max_pooling_backward(pooled_diff, mask, top_diff, *window)
    return top_diff, workspace[_room(shape) :]


def _room(shape: tuple[int, ...]) -> int:
    """Floats of the workspace for top_diff: what is behind begins at a multiple of 16 bytes."""
    return -(-math.prod(shape) // 4) * 4
