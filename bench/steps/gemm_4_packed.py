"""GEMM, step 4: each block of B is copied into one piece of memory before it is used.

    C[four rows, block] += sum over four k of A[four rows, k] packed[k, :]

    A: (M, K)    B: (K, N)    C: (M, N)    float32, C-contiguous

Against step 3: the block's rows lie one behind the other, WIDTH apart, filled up with zeros at
B's right edge. So every length and distance in the inner loop is a constant: the compiler needs
no tests and leaves no remainder. The values stream from one end of the memory to the other, the
order in which caches fetch ahead by themselves, and take few pages of memory (the processor keeps
the addresses of some dozens at hand). It costs K N moves for 2 M K N operations.

What is left: the sums still go to the nearest cache and back for every four values of k.
"""

import numpy as np
from numba import njit

from bench.steps.gemm_3_blocked import DEPTH, WIDTH, add_four_rows, add_rest, add_sums


@njit
def pack(b, top, left, depth, width, packed):
    """packed[k, j] = B[top + k, left + j] for k < depth, j < width; 0 beyond B's last column."""
    inside = min(width, b.shape[1] - left)
    for k in range(depth):
        source, target = b[top + k, left : left + inside], packed[k * width : (k + 1) * width]
        for j in range(inside):
            target[j] = source[j]
        target[inside:] = 0


@njit
def multiply(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    """C = A B."""
    c[:] = 0
    sums, packed = np.empty(4 * WIDTH, np.float32), np.empty(DEPTH * WIDTH, np.float32)
    for left in range(0, c.shape[1], WIDTH):
        right = min(left + WIDTH, c.shape[1])
        for top in range(0, len(b), DEPTH):
            depth = min(DEPTH, len(b) - top)
            pack(b, top, left, depth, WIDTH, packed)
            for i in range(0, len(a) - 3, 4):
                sums[:] = 0
                for k in range(0, depth - 3, 4):
                    four = packed[k * WIDTH : (k + 4) * WIDTH]
                    add_four_rows(
                        a[i : i + 4, top + k : top + k + 4],
                        four, four[WIDTH:], four[2 * WIDTH :], four[3 * WIDTH :], WIDTH, sums,
                    )  # fmt: skip
                add_sums(sums, c, i, left, right)
            add_rest(a, b, c, top, top + depth, left, right)
