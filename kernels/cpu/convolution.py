"""Convolution, and its gradients, as products of matrices.

    top[n, m, o] = bias[m] + sum over c, k of weight[m, c, k] * bottom[n, c, i]
        with i = o * stride + k * dilation - pad, c over the channels of m's group,
        and values outside the image taken as 0

    bottom: (N, C, *in)    weight: (M, C / group, *kernel)    bias: (M,)    top: (N, M, *out)
    float32, C-contiguous; any number of spatial axes.

Square windows take the fewest multiplications (winograd.py), where there are channels and tiles
enough to pay for it. Otherwise over one or two axes the products work on shifted copies of the
images (convolution_2d.py), over more, or where the windows hardly overlap, on im2col's matrix
(convolution_nd.py). direct: never with few multiplications, whose rounding is coarser.
"""

from collections.abc import Sequence

import numpy as np

from . import (
    convolution_2d,
    convolution_2d_backward,
    convolution_nd,
    convolution_plan,
    winograd,
    winograd_plan,
    winograd_weight,
)
from .jit import jit
from .line_sum import line_sum
from .parallel import parallel_for
from .shares import share_count

TOGETHER = 1024  # values that the bias's gradient adds up in float32
NO_BIAS = np.empty(0, np.float32)  # given for a bias where there is none


def convolution_forward(
    bottom: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    top: np.ndarray,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
    workspace: np.ndarray,
    direct: bool = False,
) -> None:
    """Compute top. An empty bias means none. workspace: `convolution_workspace` floats."""
    few, plan = _plans(bottom, weight, pad, stride, dilation, direct)
    if few is not None:
        winograd.forward(few, bottom, weight, bias, top, workspace)
    elif plan is None:
        form = (pad, stride, dilation, group)
        convolution_nd.convolve(convolution_nd.FORWARD, bottom, weight, bias, top, form, workspace)
    else:
        convolution_2d.forward(plan, bottom, weight, bias, top, group, workspace)


def convolution_backward_data(
    top_diff: np.ndarray,
    weight: np.ndarray,
    bottom_diff: np.ndarray,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
    workspace: np.ndarray,
    direct: bool = False,
) -> None:
    """Overwrite bottom_diff with the gradient by the bottom, given top_diff, that by the top."""
    few, plan = _plans(bottom_diff, weight, pad, stride, dilation, direct)
    if few is not None:
        winograd.backward_data(few, top_diff, weight, bottom_diff, workspace)
    elif plan is None:
        form = (pad, stride, dilation, group)
        convolution_nd.convolve(
            convolution_nd.DATA, bottom_diff, weight, NO_BIAS, top_diff, form, workspace
        )
    else:
        convolution_2d_backward.backward_data(plan, top_diff, weight, bottom_diff, group, workspace)


def convolution_backward_weight(
    bottom: np.ndarray,
    top_diff: np.ndarray,
    weight_diff: np.ndarray,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
    workspace: np.ndarray,
    direct: bool = False,
) -> None:
    """Add the gradient by the weights to weight_diff, given top_diff, that by the top."""
    few, plan = _plans(bottom, weight_diff, pad, stride, dilation, direct)
    if few is not None:
        winograd_weight.backward_weight(few, bottom, top_diff, weight_diff, workspace)
    elif plan is None:
        form = (pad, stride, dilation, group)
        convolution_nd.convolve(
            convolution_nd.WEIGHT, bottom, weight_diff, NO_BIAS, top_diff, form, workspace
        )
    else:
        convolution_2d_backward.backward_weight(
            plan, bottom, top_diff, weight_diff, group, workspace
        )


def convolution_backward_bias(top_diff: np.ndarray, bias_diff: np.ndarray) -> None:
    """bias_diff[m] += sum over n, o of top_diff[n, m, o]"""
    _backward_bias(top_diff.reshape(*top_diff.shape[:2], -1), bias_diff)


def convolution_workspace(
    bottom_shape: Sequence[int],
    weight_shape: Sequence[int],
    top_shape: Sequence[int],
    stride: Sequence[int],
    group: int,
) -> int:
    """How many floats of workspace the functions of this file need for these shapes."""
    return max(
        convolution_plan.workspace(bottom_shape, weight_shape, top_shape),
        convolution_nd.workspace(bottom_shape, weight_shape, top_shape, group),
        winograd_plan.winograd_workspace(bottom_shape, weight_shape, top_shape, stride),
    )


def _plans(
    bottom: np.ndarray,
    weight: np.ndarray,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    direct: bool,
) -> tuple[np.ndarray | None, convolution_plan.Plan | None]:
    """The sizes for few multiplications, where that is faster, or those for shifted copies."""
    shapes = (bottom.shape, weight.shape, tuple(pad), tuple(stride), tuple(dilation))
    few = None if direct else winograd_plan.winograd_plan(*shapes)
    return few, convolution_plan.make_plan(*shapes) if few is None else None


@jit
def _backward_bias(top_diff, bias_diff):
    count = min(share_count(top_diff.size), bias_diff.size)
    parallel_for(_backward_bias_share, count, (count, top_diff, bias_diff))


@jit
def _backward_bias_share(i, count, top_diff, bias_diff):
    """Share i of `count` of the channels. Sums of some images each are added in float64."""
    num, channels, size = top_diff.shape
    flat, images = top_diff.reshape(-1), max(1, TOGETHER // max(1, size))
    for m in range(channels * i // count, channels * (i + 1) // count):
        total = 0.0
        for n in range(0, num, images):
            first, lines = (n * channels + m) * size, min(images, num - n)
            total += line_sum(flat, first, lines, channels * size, size)
        bias_diff[m] += total
