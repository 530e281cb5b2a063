"""GEMM, step 6: several threads, each with strips of columns of its own.

    C[:, strip] = A B[:, strip]

    A: (M, K)    B: (K, N)    C: (M, N)    float32, C-contiguous

Against step 5: the loop over strips is `prange`, whose turns run on several threads. No two write
to the same place, so none waits for another. Each element of C is still one sum in the same order,
so the result is the same to the bit for any number of threads.
"""

import numpy as np
from numba import njit, prange

from bench.steps.gemm_5_micro_kernel import COLUMNS, multiply_strip


@njit(parallel=True)
def multiply(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    """C = A B."""
    for strip in prange(-(-c.shape[1] // COLUMNS)):
        multiply_strip(a, b, c, strip * COLUMNS)
