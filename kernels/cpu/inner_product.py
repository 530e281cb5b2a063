"""Inner product (fully connected layer), and its gradients, as products of matrices.

top         = bottom W^T + bias
bottom_diff = top_diff W
W_diff     += top_diff^T bottom
bias_diff  += sum over the rows of top_diff

bottom: (M, K)    W: (N, K), stored as such, or as (K, N) with `transpose`
bias: (N,)        top: (M, N)    float32, C-contiguous
"""

import numpy as np

from .gemm import gemm
from .jit import jit


def inner_product_forward(
    bottom: np.ndarray, weight: np.ndarray, bias: np.ndarray, top: np.ndarray, transpose: bool
) -> None:
    """Compute top. An empty bias means none."""
    if bias.size:
        top[...] = bias
    gemm(False, not transpose, 1.0, bottom, weight, 1.0 if bias.size else 0.0, top)


def inner_product_backward_data(
    top_diff: np.ndarray, weight: np.ndarray, bottom_diff: np.ndarray, transpose: bool
) -> None:
    """Overwrite bottom_diff with the gradient by the bottom, given top_diff, that by the top."""
    gemm(False, transpose, 1.0, top_diff, weight, 0.0, bottom_diff)


def inner_product_backward_weight(
    bottom: np.ndarray, top_diff: np.ndarray, weight_diff: np.ndarray, transpose: bool
) -> None:
    """Add the gradient by the weights to weight_diff, given top_diff, that by the top."""
    if transpose:
        gemm(True, False, 1.0, bottom, top_diff, 1.0, weight_diff)
    else:
        gemm(True, False, 1.0, top_diff, bottom, 1.0, weight_diff)


@jit
def inner_product_backward_bias(top_diff: np.ndarray, bias_diff: np.ndarray) -> None:
    """bias_diff[n] += sum over m of top_diff[m, n]"""
    for m in range(top_diff.shape[0]):
        for n in range(top_diff.shape[1]):
            bias_diff[n] += top_diff[m, n]
