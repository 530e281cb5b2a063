"""Convolution, and its gradients, as products of matrices.

    top[n, m, o] = bias[m] + sum over c, k of weight[m, c, k] * bottom[n, c, i]
        with i = o * stride + k * dilation - pad, c over the channels of m's group,
        and values outside the image taken as 0

    bottom: (N, C, *in)    weight: (M, C / group, *kernel)    bias: (M,)    top: (N, M, *out)
    float32, C-contiguous; any number of spatial axes.

Over one or two axes the products work on shifted copies of the images (convolution_2d.py), over
more, or where the windows hardly overlap, on im2col's matrix (convolution_nd.py).
"""

from collections.abc import Sequence

import numba
import numpy as np

from . import convolution_2d, convolution_nd, convolution_plan
from .jit import jit

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
) -> None:
    """Compute top. An empty bias means none. workspace: `convolution_workspace` floats."""
    plan = _plan(bottom, weight, pad, stride, dilation)
    if plan is None:
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
) -> None:
    """Overwrite bottom_diff with the gradient by the bottom, given top_diff, that by the top."""
    plan = _plan(bottom_diff, weight, pad, stride, dilation)
    if plan is None:
        form = (pad, stride, dilation, group)
        convolution_nd.convolve(
            convolution_nd.DATA, bottom_diff, weight, NO_BIAS, top_diff, form, workspace
        )
    else:
        convolution_2d.backward_data(plan, top_diff, weight, bottom_diff, group, workspace)


def convolution_backward_weight(
    bottom: np.ndarray,
    top_diff: np.ndarray,
    weight_diff: np.ndarray,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
    workspace: np.ndarray,
) -> None:
    """Add the gradient by the weights to weight_diff, given top_diff, that by the top."""
    plan = _plan(bottom, weight_diff, pad, stride, dilation)
    if plan is None:
        form = (pad, stride, dilation, group)
        convolution_nd.convolve(
            convolution_nd.WEIGHT, bottom, weight_diff, NO_BIAS, top_diff, form, workspace
        )
    else:
        convolution_2d.backward_weight(plan, bottom, top_diff, weight_diff, group, workspace)


def convolution_backward_bias(top_diff: np.ndarray, bias_diff: np.ndarray) -> None:
    """bias_diff[m] += sum over n, o of top_diff[n, m, o]"""
    _backward_bias(top_diff.reshape(*top_diff.shape[:2], -1), bias_diff)


def convolution_workspace(
    bottom_shape: Sequence[int],
    weight_shape: Sequence[int],
    top_shape: Sequence[int],
    group: int,
) -> int:
    """How many floats of workspace the functions of this file need for these shapes."""
    return max(
        convolution_plan.workspace(bottom_shape, weight_shape, top_shape),
        convolution_nd.workspace(bottom_shape, weight_shape, top_shape, group),
    )


def _plan(
    bottom: np.ndarray,
    weight: np.ndarray,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> convolution_plan.Plan | None:
    return convolution_plan.make_plan(
        bottom.shape, weight.shape, tuple(pad), tuple(stride), tuple(dilation)
    )


@jit
def _sum_of_planes(top_diff, m):
    # Eight interleaved sums, which LLVM turns into one vector. Leaving the order to LLVM
    # (fastmath) would not do: it optimises the body of a parallel loop once more for the cache
    # than for the process that compiles it, and the two would differ in their last bits.
    total = np.float64(0)
    for n in range(top_diff.shape[0]):
        plane = top_diff[n, m]
        whole = plane.size // 8 * 8
        a = b = c = d = e = f = g = h = np.float32(0)
        for o in range(0, whole, 8):
            a += plane[o]
            b += plane[o + 1]
            c += plane[o + 2]
            d += plane[o + 3]
            e += plane[o + 4]
            f += plane[o + 5]
            g += plane[o + 6]
            h += plane[o + 7]
        for o in range(whole, plane.size):
            a += plane[o]
        total += ((a + b) + (c + d)) + ((e + f) + (g + h))
    return total


@jit(parallel=True)
def _backward_bias(top_diff, bias_diff):
    for m in numba.prange(bias_diff.size):
        bias_diff[m] += _sum_of_planes(top_diff, np.int64(m))
