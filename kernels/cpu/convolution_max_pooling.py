"""A convolution and the max pooling that alone reads its outputs, run as one.

    top            = convolution of bottom                   (convolution.py)
    pooled, mask   = max pooling of top                      (max_pooling.py)
    top_diff       = pooled_diff where the mask points, else 0: never written
    weight_diff   += gradient of the convolution by the weights, given top_diff
    bottom_diff    = gradient of the convolution by the bottom, given top_diff

    bottom: (N, C, H, W)    weight: (M, C / group, KH, KW)    bias: (M,)
    top: (N, M, OH, OW)     pooled, mask: (N, M, PH, PW)      float32, mask int32

Forward pools each plane while it is in the nearest cache. The gradients skip the zeros of top_diff,
three of four values for windows of 2 x 2 (convolution_sparse.py), or spread pooled_diff in the
nearest cache, where few multiplications (winograd.py) are faster still. The gradient of the bias is
the sum of pooled_diff: `convolution_backward_bias` given pooled_diff. direct: never with few
multiplications, whose rounding is coarser.
"""

from collections.abc import Sequence

import numpy as np

from . import (
    convolution_2d,
    convolution_sparse,
    sparse_plan,
    winograd,
    winograd_plan,
    winograd_weight,
)
from .convolution import convolution_forward
from .convolution_plan import make_plan
from .max_pooling import Pair, max_pooling_forward


def convolution_max_pooling_forward(
    bottom: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    top: np.ndarray,
    pooled: np.ndarray,
    mask: np.ndarray,
    pad: Pair,
    stride: Pair,
    group: int,
    window: tuple[Pair, Pair, Pair],
    workspace: np.ndarray,
    direct: bool = False,
) -> None:
    """Compute top, pooled and mask. An empty bias means none. window: the pooling's kernel, pad
    and stride. workspace: `convolution_workspace` floats."""
    shapes = (bottom.shape, weight.shape, tuple(pad), tuple(stride), (1, 1))
    few = None if direct else winograd_plan.winograd_plan(*shapes)
    plan = make_plan(*shapes) if few is None else None
    pooling = (pooled.reshape(-1), mask.reshape(-1), top.shape[2:], pooled.shape[2:], *window)
    if few is not None:
        winograd.forward(few, bottom, weight, bias, top, workspace, pooling)
    elif plan is not None:
        convolution_2d.forward(plan, bottom, weight, bias, top, group, workspace, pooling)
    else:
        convolution_forward(
            bottom, weight, bias, top, pad, stride, (1, 1), group, workspace, direct
        )
        max_pooling_forward(top, pooled, mask, *window)


def convolution_max_pooling_backward_data(
    pooled_diff: np.ndarray,
    mask: np.ndarray,
    weight: np.ndarray,
    bottom_diff: np.ndarray,
    pad: Pair,
    stride: Pair,
    group: int,
    window: tuple[Pair, Pair, Pair],
    workspace: np.ndarray,
    direct: bool = False,
) -> None:
    """Overwrite bottom_diff. window: as forward's; here the mask tells enough. workspace:
    `convolution_max_pooling_workspace` floats."""
    shapes = (bottom_diff.shape, weight.shape, pooled_diff.shape)
    few = None if direct else few_plan(*shapes, pad, stride)
    if few is not None:
        winograd.backward_data(few, pooled_diff, weight, bottom_diff, workspace, mask)
        return
    plan = _sparse_plan(*shapes, pad, stride, group)
    convolution_sparse.backward_data(plan, pooled_diff, mask, weight, bottom_diff, workspace)


def convolution_max_pooling_backward_weight(
    bottom: np.ndarray,
    pooled_diff: np.ndarray,
    mask: np.ndarray,
    weight_diff: np.ndarray,
    pad: Pair,
    stride: Pair,
    group: int,
    window: tuple[Pair, Pair, Pair],
    workspace: np.ndarray,
    direct: bool = False,
) -> None:
    """Add to weight_diff. window, workspace: as for the bottom's gradient."""
    shapes = (bottom.shape, weight_diff.shape, pooled_diff.shape)
    few = None if direct else few_plan(*shapes, pad, stride)
    if few is not None:
        winograd_weight.backward_weight(few, bottom, pooled_diff, weight_diff, workspace, mask)
        return
    plan = _sparse_plan(*shapes, pad, stride, group)
    convolution_sparse.backward_weight(plan, bottom, pooled_diff, mask, weight_diff, workspace)


def convolution_max_pooling_workspace(
    bottom_shape: Sequence[int],
    weight_shape: Sequence[int],
    pooled_shape: Sequence[int],
    pad: Pair,
    stride: Pair,
    group: int,
) -> int:
    """How many floats of workspace the gradients need for these shapes."""
    shapes = (bottom_shape, weight_shape, pooled_shape)
    plan = _sparse_plan(*shapes, pad, stride, group)
    sparse = sparse_plan.sparse_workspace(plan, bottom_shape[0], _cells(pooled_shape))
    few = few_plan(*shapes, pad, stride)
    return sparse if few is None else max(sparse, winograd_plan.plan_workspace(few))


def few_plan(
    bottom_shape: Sequence[int],
    weight_shape: Sequence[int],
    pooled_shape: Sequence[int],
    pad: Pair,
    stride: Pair,
) -> np.ndarray | None:
    """The sizes for few multiplications, where that is faster than entry by entry."""
    shapes = (tuple(bottom_shape), tuple(weight_shape), tuple(pad), tuple(stride), (1, 1))
    return winograd_plan.winograd_plan(*shapes, _cells(pooled_shape))


def _sparse_plan(
    bottom_shape: Sequence[int],
    weight_shape: Sequence[int],
    pooled_shape: Sequence[int],
    pad: Pair,
    stride: Pair,
    group: int,
) -> np.ndarray:
    shapes = (tuple(bottom_shape), tuple(weight_shape), tuple(pad), tuple(stride))
    return sparse_plan.sparse_plan(*shapes, group, _cells(pooled_shape))


def _cells(pooled_shape: Sequence[int]) -> int:
    """How many outputs of a plane the pooling chose."""
    return pooled_shape[2] * pooled_shape[3]
