"""A convolution and the max pooling of its outputs, one after the other: what running them as one
computes."""

import numpy as np

from .convolution import (
    convolution_backward_data,
    convolution_backward_weight,
    convolution_forward,
)
from .max_pooling import max_pooling_backward, max_pooling_forward

ONE = (1, 1)  # the dilation


def convolution_max_pooling_forward(
    bottom, weight, bias, top, pooled, mask, pad, stride, group, window, workspace, direct=False
):
    """Overwrite top, pooled and mask."""
    convolution_forward(bottom, weight, bias, top, pad, stride, ONE, group, workspace)
    max_pooling_forward(top, pooled, mask, *window)


def convolution_max_pooling_backward_data(
    pooled_diff, mask, weight, bottom_diff, pad, stride, group, window, workspace, direct=False
):
    """Overwrite bottom_diff."""
    top_diff = _top_diff(pooled_diff, mask, bottom_diff, weight, pad, stride, window)
    convolution_backward_data(top_diff, weight, bottom_diff, pad, stride, ONE, group, workspace)


def convolution_max_pooling_backward_weight(
    bottom, pooled_diff, mask, weight_diff, pad, stride, group, window, workspace, direct=False
):
    """Add to weight_diff."""
    top_diff = _top_diff(pooled_diff, mask, bottom, weight_diff, pad, stride, window)
    convolution_backward_weight(bottom, top_diff, weight_diff, pad, stride, ONE, group, workspace)


def convolution_max_pooling_workspace(bottom_shape, weight_shape, pooled_shape, pad, stride, group):
    """The definition needs no memory of its own."""
    return 0


def _top_diff(pooled_diff, mask, bottom, weight, pad, stride, window):
    size = [
        (bottom.shape[2 + i] + 2 * pad[i] - weight.shape[2 + i]) // stride[i] + 1 for i in (0, 1)
    ]
    top_diff = np.zeros((*pooled_diff.shape[:2], *size), np.float32)
    max_pooling_backward(pooled_diff, mask, top_diff, *window)
    return top_diff
