"""GEMM, step 3: blocks, so that what was loaded once is used several times.

    C[four rows, block] += sum over four k of A[four rows, k] B[k, block]

    A: (M, K)    B: (K, N)    C: (M, N)    float32, C-contiguous

Against step 2: the inner loop takes four values of k for four rows of C. Four vectors of B and
four of C are loaded and four stored for 16 multiply-adds, three quarters of a move each instead
of three. The four rows are summed in memory of their own, 8 KB that stay in the nearest cache
(L1), and B is cut into blocks of 128 KB that stay in the second (L2) while all rows of A meet them.

What is left: the rows of a block lie far apart in memory, and how long they are is not known
before the program runs, so each call of the inner loop begins with tests (does the vector loop
fit, do the arrays overlap) and ends with a remainder.
"""

import numpy as np
from numba import njit

from bench.steps.gemm_2_rows import add_row

DEPTH, WIDTH = 64, 512  # rows and columns of a block of B


@njit(fastmath={"contract"}, forceinline=True)
def add_four_rows(a, b0, b1, b2, b3, width, sums):
    """sums[i] += sum over k of a[i, k] b_k, for four rows i, WIDTH apart, and four values of k."""
    a00, a01, a02, a03 = a[0, 0], a[0, 1], a[0, 2], a[0, 3]
    a10, a11, a12, a13 = a[1, 0], a[1, 1], a[1, 2], a[1, 3]
    a20, a21, a22, a23 = a[2, 0], a[2, 1], a[2, 2], a[2, 3]
    a30, a31, a32, a33 = a[3, 0], a[3, 1], a[3, 2], a[3, 3]
    for j in range(width):
        w, x, y, z = b0[j], b1[j], b2[j], b3[j]
        sum0 = sums[j] + a00 * w + a01 * x + a02 * y + a03 * z
        sum1 = sums[WIDTH + j] + a10 * w + a11 * x + a12 * y + a13 * z
        sum2 = sums[2 * WIDTH + j] + a20 * w + a21 * x + a22 * y + a23 * z
        sum3 = sums[3 * WIDTH + j] + a30 * w + a31 * x + a32 * y + a33 * z
        sums[j], sums[WIDTH + j], sums[2 * WIDTH + j], sums[3 * WIDTH + j] = sum0, sum1, sum2, sum3


@njit
def add_rest(a, b, c, top, bottom, left, right):
    """What fours leave over of a block: the last rows of A, and the last k of the others."""
    whole_rows, whole_depth = len(a) // 4 * 4, (bottom - top) // 4 * 4
    for i in range(len(a)):
        for k in range(top + whole_depth if i < whole_rows else top, bottom):
            add_row(a[i, k], b[k, left:right], c[i, left:right])


@njit
def add_sums(sums, c, i, left, right):
    """Add the four rows of sums to C's rows from i on, columns left to right - 1."""
    for row in range(4):
        part = sums[row * WIDTH : row * WIDTH + right - left]
        add_row(np.float32(1), part, c[i + row, left:right])


@njit
def multiply(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    """C = A B."""
    c[:] = 0
    sums = np.empty(4 * WIDTH, np.float32)
    for left in range(0, c.shape[1], WIDTH):
        right = min(left + WIDTH, c.shape[1])
        for top in range(0, len(b), DEPTH):
            bottom = min(top + DEPTH, len(b))
            for i in range(0, len(a) - 3, 4):
                sums[:] = 0
                for k in range(top, bottom - 3, 4):
                    add_four_rows(
                        a[i : i + 4, k : k + 4], b[k, left:right], b[k + 1, left:right],
                        b[k + 2, left:right], b[k + 3, left:right], right - left, sums,
                    )  # fmt: skip
                add_sums(sums, c, i, left, right)
            add_rest(a, b, c, top, bottom, left, right)
