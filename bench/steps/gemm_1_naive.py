"""GEMM, step 1: the definition, as three loops.

    C[i, j] = sum over k of A[i, k] B[k, j]

    A: (M, K)    B: (K, N)    C: (M, N)    float32, C-contiguous

Slow for two reasons. Each element of C is one chain of additions, each of which waits three or
four cycles for the one before it; the compiler may not shorten the chain, since another order of
a sum is another rounding. And B is read down a column: a new cache line (16 floats that always
travel together) for every value.
"""

import numpy as np
from numba import njit


@njit
def multiply(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    """C = A B."""
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            total = np.float32(0)
            for k in range(a.shape[1]):
                total += a[i, k] * b[k, j]
            c[i, j] = total
