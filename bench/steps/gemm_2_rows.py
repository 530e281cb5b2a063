"""GEMM, step 2: the same loops in another order, so that the innermost one runs along rows.

    C[i, :] = sum over k of A[i, k] B[k, :]

    A: (M, K)    B: (K, N)    C: (M, N)    float32, C-contiguous

Against step 1: k and j have changed places. Neighbours in a row of C do not wait for each other,
so the compiler computes a vector of them (4, 8 or 16 floats) in one instruction, and all 16
floats of a cache line are used. "contract" allows it to make a product and the sum behind it one
instruction, rounded once.

What is left: each vector multiply-add needs two loads, of B and of C, and a store to C, more than
a core can do in the time of the multiply-add. And all of B passes through the nearest cache once
for every row of C.
"""

import numpy as np
from numba import njit


@njit(fastmath={"contract"})
def add_row(factor, source, target):
    """target += factor * source, for two rows of equal length."""
    for j in range(len(target)):
        target[j] += factor * source[j]


@njit
def multiply(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    """C = A B."""
    c[:] = 0
    for i in range(c.shape[0]):
        for k in range(a.shape[1]):
            add_row(a[i, k], b[k], c[i])
