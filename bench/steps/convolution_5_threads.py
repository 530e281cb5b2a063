"""Convolution, step 5: several threads, each with images of its own.

    top[share] = convolution of bottom[share]

    bottom: (N, C, H, W)    weight: (M, C, KH, KW)    top: (N, M, OH, OW)

Against step 4: the images are dealt out in shares, and each share has copies of its own. How many
shares there are depends on the shapes, never on the number of threads, and each output is one sum
in one order: the result is the same to the bit for any number of threads.
"""

import numpy as np
from numba import njit, prange

from bench.steps.convolution_4_implicit import convolve_images

SHARES = 16  # of the images, enough for as many threads


@njit(parallel=True)
def convolve(bottom: np.ndarray, weight: np.ndarray, top: np.ndarray) -> None:
    """Overwrite top."""
    num = len(top)
    for share in prange(SHARES):
        first, last = num * share // SHARES, num * (share + 1) // SHARES
        convolve_images(first, last, bottom, weight, top)
