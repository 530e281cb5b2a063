"""Convolution, step 2: laid out as a product of matrices (im2col), given to GEMM.

    column[(c, ky, kx), (y, x)] = image[c, y + ky, x + kx]
    top[n] = W column,   W being weight as a matrix: (M, C KH KW)

    image: (C, H, W)    column: (C KH KW, OH OW)    weight: (M, C, KH, KW)    top: (N, M, OH, OW)

Against step 1: each image's windows are copied into the columns of a matrix, after which the
convolution is a product that is known how to compute fast. Here by GEMM's step 3.

Source: Chellapilla, Puri and Simard, "High Performance Convolutional Neural Networks for Document
Processing", 2006.
"""

import numpy as np
from numba import njit

from bench.steps import gemm_3_blocked

multiply = gemm_3_blocked.multiply


@njit
def im2col(image, height, width, column):
    """Fill column with the windows, height x width, of image."""
    channels, rows, columns = image.shape
    lines, length = rows - height + 1, columns - width + 1
    for c in range(channels):
        for ky in range(height):
            for kx in range(width):
                row = column[(c * height + ky) * width + kx]
                for y in range(lines):
                    for x in range(length):
                        row[y * length + x] = image[c, y + ky, x + kx]


@njit
def convolve(bottom: np.ndarray, weight: np.ndarray, top: np.ndarray) -> None:
    """Overwrite top."""
    (outputs, _, height, width), pixels = weight.shape, top.shape[2] * top.shape[3]
    column = np.empty((weight[0].size, pixels), np.float32)
    matrix = weight.reshape(outputs, weight[0].size)
    for n in range(len(top)):
        im2col(bottom[n], height, width, column)
        multiply(matrix, column, top[n].reshape(outputs, pixels))
