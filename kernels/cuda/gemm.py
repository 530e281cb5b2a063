"""Matrix product: C = alpha op(A) op(B) + beta C, op(X) being X or its transpose.

    op(A): (M, K)    op(B): (K, N)    C: (M, N)    float32, C-contiguous

In tiles (tile_product.py). Either operand is read where it lies, transposed or not, four floats at
a time where the rows in memory allow it.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .launch import device
from .tile_product import make_product
from .vector_load import is_wide, load4, store4


def gemm(trans_a: bool, trans_b: bool, alpha: float, a: Any, b: Any, beta: float, c: Any) -> None:
    """C = alpha op(A) op(B) + beta C. Where beta is 0, C is written without being read.

    a: (M, K), or (K, M) with trans_a. b: (K, N), or (N, K) with trans_b. c: (M, N).
    """
    m, n = c.shape
    k = a.shape[0] if trans_a else a.shape[1]
    if not c.size:
        return
    if not k:
        a = b = c  # not read
    wide = is_wide(a), is_wide(b), is_wide(c)
    product = make_gemm(bool(trans_a), bool(trans_b), m, n, k, bool(beta), wide)
    product(a, a, b, b, c, (np.float32(alpha), np.float32(beta)))


@functools.cache
def make_gemm(
    trans_a: bool,
    trans_b: bool,
    m: int,
    n: int,
    k: int,
    adds: bool,
    wide: tuple[bool, bool, bool],
) -> Callable:
    """Make product(a, -, b, -, c, (alpha, beta)). adds: whether beta is not 0. wide: whether the
    rows of a, b and c may be read and written four floats at a time."""

    @device
    def store(c, factors, i, j, value):
        alpha, beta = factors
        at = i * n + j
        c[at] = alpha * value + beta * c[at] if adds else alpha * value

    @device
    def store_four(c, factors, i, j, values):
        alpha, beta = factors
        at = i * n + j
        first, second, third, fourth = values
        result = alpha * first, alpha * second, alpha * third, alpha * fourth
        if adds:
            first, second, third, fourth = load4(c, at)
            result = (
                result[0] + beta * first,
                result[1] + beta * second,
                result[2] + beta * third,
                result[3] + beta * fourth,
            )
        store4(c, at, result)

    a_wide, b_wide, c_wide = wide
    return make_product(
        m,
        n,
        k,
        make_load(m if trans_a else k, trans_a, a_wide),
        make_load(k if trans_b else n, trans_b, b_wide),
        store,
        a_along_k=not trans_a,
        b_along_k=trans_b,
        a_wide=a_wide,
        b_wide=b_wide,
        store_four=store_four if c_wide else None,
    )


def make_load(columns: int, transposed: bool, wide: bool) -> Callable:
    """Make load(x, -, row, column) of op(X), given the columns of X as it lies in memory: one
    float, or four that lie side by side."""

    @device
    def place(row, column):
        return column * columns + row if transposed else row * columns + column

    @device
    def load_one(x, _, row, column):
        return x[place(row, column)]

    @device
    def load_four(x, _, row, column):
        return load4(x, place(row, column))

    return load_four if wide else load_one
