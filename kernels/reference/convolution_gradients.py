"""Both gradients of a convolution, one after the other."""

from collections.abc import Sequence

import numpy as np

from .convolution import convolution_backward_data, convolution_backward_weight
from .convolution_max_pooling import (
    convolution_max_pooling_backward_data,
    convolution_max_pooling_backward_weight,
)


def convolution_backward(
    bottom: np.ndarray,
    top_diff: np.ndarray,
    weight: np.ndarray,
    weight_diff: np.ndarray,
    bottom_diff: np.ndarray,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
    workspace: np.ndarray,
    direct: bool = False,
) -> None:
    """Add to weight_diff and overwrite bottom_diff."""
    form = (pad, stride, dilation, group, workspace, direct)
    convolution_backward_weight(bottom, top_diff, weight_diff, *form)
    convolution_backward_data(top_diff, weight, bottom_diff, *form)


def convolution_max_pooling_backward(
    bottom: np.ndarray,
    pooled_diff: np.ndarray,
    mask: np.ndarray,
    weight: np.ndarray,
    weight_diff: np.ndarray,
    bottom_diff: np.ndarray,
    pad: tuple[int, int],
    stride: tuple[int, int],
    group: int,
    window: tuple[tuple[int, int], tuple[int, int], tuple[int, int]],
    workspace: np.ndarray,
    direct: bool = False,
) -> None:
    """Add to weight_diff and overwrite bottom_diff. window: the pooling's kernel, pad, stride."""
    form = (pad, stride, group, window, workspace, direct)
    convolution_max_pooling_backward_weight(bottom, pooled_diff, mask, weight_diff, *form)
    convolution_max_pooling_backward_data(pooled_diff, mask, weight, bottom_diff, *form)
