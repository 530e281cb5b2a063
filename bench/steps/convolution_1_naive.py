"""Convolution, step 1: the definition, as seven loops.

    top[n, m, y, x] = sum over c, ky, kx of weight[m, c, ky, kx] bottom[n, c, y + ky, x + kx]

    bottom: (N, C, H, W)    weight: (M, C, KH, KW)    top: (N, M, H - KH + 1, W - KW + 1)
    float32, C-contiguous; a stride of 1, no pad, no bias, to keep the steps short

Each output is one chain of additions, each waiting for the one before it, as in GEMM's step 1.
But the innermost loop runs along lines of the image and of the kernel, so memory does not hold it
up: the waiting alone is what it takes.
"""

import numpy as np
from numba import njit


@njit
def convolve(bottom: np.ndarray, weight: np.ndarray, top: np.ndarray) -> None:
    """Overwrite top."""
    channels, height, width = weight.shape[1:]
    for n in range(top.shape[0]):
        for m in range(top.shape[1]):
            for y in range(top.shape[2]):
                for x in range(top.shape[3]):
                    total = np.float32(0)
                    for c in range(channels):
                        for ky in range(height):
                            for kx in range(width):
                                total += weight[m, c, ky, kx] * bottom[n, c, y + ky, x + kx]
                    top[n, m, y, x] = total
