"""Convolution, step 3: im2col, and this package's GEMM.

    top[n] = W column(bottom[n])

    bottom: (N, C, H, W)    W: (M, C KH KW)    column: (C KH KW, OH OW)    top: (N, M, OH, OW)

Against step 2: both halves are the package's kernels, the product with its register tile. This is
how BVLC Caffe convolves. What is left is im2col itself: each value of the image is written KH KW
times, read again when GEMM packs it into strips, written there, and read for the third time by
the tile.
"""

import numpy as np

from caffe.kernels import cpu


def convolve(bottom: np.ndarray, weight: np.ndarray, top: np.ndarray) -> None:
    """Overwrite top."""
    outputs, pixels = len(weight), top[0, 0].size
    column = np.empty((weight[0].size, pixels), np.float32)
    matrix = weight.reshape(outputs, -1)
    for image, output in zip(bottom, top, strict=True):
        cpu.im2col(image, weight.shape[2:], (0, 0), (1, 1), (1, 1), column)
        cpu.gemm(False, False, 1.0, matrix, column, 0.0, output.reshape(outputs, pixels))
