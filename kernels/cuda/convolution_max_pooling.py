"""A convolution and the max pooling that alone reads its outputs, one after the other.

    top            = convolution of bottom                   (convolution.py)
    pooled, mask   = max pooling of top                      (max_pooling.py)
    top_diff       = pooled_diff where the mask points, else 0
    weight_diff   += gradient of the convolution by the weights, given top_diff
    bottom_diff    = gradient of the convolution by the bottom, given top_diff

    bottom: (N, C, H, W)    weight: (M, C / group, KH, KW)    bias: (M,)
    top: (N, M, OH, OW)     pooled, mask: (N, M, PH, PW)      float32, mask int32

The gradients spread pooled_diff into the workspace. To skip the zeros of top_diff, three of four
values for windows of 2 x 2, pays on a CPU; a GPU multiplies faster than it gathers, and has the
full product done sooner. The gradient of the bias is the sum of pooled_diff:
`convolution_backward_bias` given pooled_diff. direct: as in convolution.py.
"""

import math
from collections.abc import Sequence
from typing import Any

from .convolution import (
    convolution_backward_data,
    convolution_backward_weight,
    convolution_forward,
    convolution_workspace,
)
from .max_pooling import max_pooling_backward, max_pooling_forward
from .window_places import make_axes

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
    workspace: Any,
    direct: bool = False,
) -> None:
    """Overwrite bottom_diff. workspace: `convolution_max_pooling_workspace` floats."""
    shape = _top_shape(bottom_diff.shape, weight.shape, pad, stride)
    top_diff, rest = _spread(pooled_diff, mask, shape, workspace)
    convolution_backward_data(top_diff, weight, bottom_diff, pad, stride, ONE, group, rest, direct)


def convolution_max_pooling_backward_weight(
    bottom: Any,
    pooled_diff: Any,
    mask: Any,
    weight_diff: Any,
    pad: Pair,
    stride: Pair,
    group: int,
    workspace: Any,
    direct: bool = False,
) -> None:
    """Add to weight_diff. workspace: `convolution_max_pooling_workspace` floats."""
    shape = _top_shape(bottom.shape, weight_diff.shape, pad, stride)
    top_diff, rest = _spread(pooled_diff, mask, shape, workspace)
    convolution_backward_weight(
        bottom, top_diff, weight_diff, pad, stride, ONE, group, rest, direct
    )


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
    return math.prod(shape) + convolution_workspace(bottom_shape, weight_shape, shape, group)


def _top_shape(
    bottom_shape: Sequence[int], weight_shape: Sequence[int], pad: Pair, stride: Pair
) -> tuple[int, ...]:
    axes = make_axes(bottom_shape[2:], weight_shape[2:], pad, stride, ONE)
    return bottom_shape[0], weight_shape[0], *(axis.output for axis in axes)


def _spread(pooled_diff: Any, mask: Any, shape: tuple[int, ...], workspace: Any) -> tuple[Any, Any]:
    """top_diff, of this shape, at the workspace's begin; and what is left of the workspace."""
    size = math.prod(shape)
    top_diff = workspace[:size].reshape(shape)
    max_pooling_backward(pooled_diff, mask, top_diff)
    return top_diff, workspace[size:]
