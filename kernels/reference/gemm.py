"""Matrix product: C = alpha op(A) op(B) + beta C."""

import numpy as np


def gemm(
    trans_a: bool,
    trans_b: bool,
    alpha: float,
    a: np.ndarray,
    b: np.ndarray,
    beta: float,
    c: np.ndarray,
) -> None:
    """C = alpha op(A) op(B) + beta C, op(X) being X or its transpose. beta = 0: C is not read."""
    left = (a.T if trans_a else a).astype(np.float64)
    right = (b.T if trans_b else b).astype(np.float64)
    product = alpha * (left @ right)
    c[...] = product if beta == 0 else product + beta * c
