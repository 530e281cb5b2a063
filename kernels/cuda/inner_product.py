"""Inner product (fully connected layer), and its gradients, as products of matrices.

top         = bottom W^T + bias
bottom_diff = top_diff W
W_diff     += top_diff^T bottom
bias_diff  += sum over the rows of top_diff

bottom: (M, K)    W: (N, K), stored as such, or as (K, N) with `transpose`
bias: (N,)        top: (M, N)    float32, C-contiguous

The bias is added where the product is stored.
"""

import functools
from collections.abc import Callable
from typing import Any

from .gemm import gemm, make_load
from .launch import device
from .row_sums import make_row_sums
from .tile_product import make_product
from .vector_load import is_wide


def inner_product_forward(bottom: Any, weight: Any, bias: Any, top: Any, transpose: bool) -> None:
    """Compute top. An empty bias means none."""
    if not bias.size:
        gemm(False, not transpose, 1.0, bottom, weight, 0.0, top)
        return
    m, n = top.shape
    wide = is_wide(bottom), is_wide(weight)
    product = _make_forward(m, n, bottom.shape[1], bool(transpose), wide)
    product(bottom, bottom, weight, weight, top, bias)


def inner_product_backward_data(
    top_diff: Any, weight: Any, bottom_diff: Any, transpose: bool
) -> None:
    """Overwrite bottom_diff with the gradient by the bottom, given top_diff, that by the top."""
    gemm(False, transpose, 1.0, top_diff, weight, 0.0, bottom_diff)


def inner_product_backward_weight(
    bottom: Any, top_diff: Any, weight_diff: Any, transpose: bool
) -> None:
    """Add the gradient by the weights to weight_diff, given top_diff, that by the top."""
    if transpose:
        gemm(True, False, 1.0, bottom, top_diff, 1.0, weight_diff)
    else:
        gemm(True, False, 1.0, top_diff, bottom, 1.0, weight_diff)


def inner_product_backward_bias(top_diff: Any, bias_diff: Any) -> None:
    """bias_diff[n] += sum over m of top_diff[m, n]"""
    if top_diff.size:
        _make_backward_bias(*top_diff.shape)(top_diff, bias_diff, bias_diff)


@functools.cache
def _make_forward(m: int, n: int, k: int, transpose: bool, wide: tuple[bool, bool]) -> Callable:
    @device
    def store(top, bias, i, j, value):
        top[i * n + j] = value + bias[j]

    return make_product(
        m,
        n,
        k,
        make_load(k, False, wide[0]),
        make_load(n if transpose else k, not transpose, wide[1]),
        store,
        a_along_k=True,
        b_along_k=not transpose,
        a_wide=wide[0],
        b_wide=wide[1],
    )


@functools.cache
def _make_backward_bias(m: int, n: int) -> Callable:
    @device
    def store(bias_diff, _, j, value):
        bias_diff[j] += value

    return make_row_sums(m, n, store)
