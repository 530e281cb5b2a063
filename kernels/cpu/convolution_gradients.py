"""Both gradients of a convolution at once, of one alone (convolution.py) or before a max pooling
(convolution_max_pooling.py).

    weight_diff += gradient by the weights        bottom_diff = gradient by the bottom

With few multiplications they share the transformed gradients by the output
(winograd_gradients.py). Otherwise they are computed one after the other.
"""

from collections.abc import Sequence

import numpy as np

from . import winograd_gradients, winograd_plan
from .convolution import convolution_backward_data, convolution_backward_weight
from .convolution_max_pooling import (
    convolution_max_pooling_backward_data,
    convolution_max_pooling_backward_weight,
    few_plan,
)
from .max_pooling import Pair


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
    """Add to weight_diff and overwrite bottom_diff. workspace: `convolution_workspace` floats."""
    shapes = (bottom.shape, weight.shape, tuple(pad), tuple(stride), tuple(dilation))
    few = None if direct else winograd_plan.winograd_plan(*shapes)
    if few is not None:
        winograd_gradients.backward(
            few, bottom, top_diff, weight, weight_diff, bottom_diff, workspace
        )
        return
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
    pad: Pair,
    stride: Pair,
    group: int,
    window: tuple[Pair, Pair, Pair],
    workspace: np.ndarray,
    direct: bool = False,
) -> None:
    """Add to weight_diff and overwrite bottom_diff. window: the pooling's kernel, pad and stride.
    workspace: `convolution_max_pooling_workspace` floats."""
    shapes = (bottom.shape, weight.shape, pooled_diff.shape)
    few = None if direct else few_plan(*shapes, pad, stride)
    if few is not None:
        winograd_gradients.backward(
            few, bottom, pooled_diff, weight, weight_diff, bottom_diff, workspace, mask
        )
        return
    form = (pad, stride, group, window, workspace, direct)
    convolution_max_pooling_backward_weight(bottom, pooled_diff, mask, weight_diff, *form)
    convolution_max_pooling_backward_data(pooled_diff, mask, weight, bottom_diff, *form)
