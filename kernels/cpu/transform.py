"""From stored images to a batch: subtract the mean, crop, scale, mirror.

    out[n, c, y, x] = (images[n, c, v, u] - mean[c, v, u]) * scale

with v = top_offset[n] + y, and u = left_offset[n] + x or, where image n is mirrored,
left_offset[n] + width - 1 - x. Each row is read and written once, and its
loop has no condition in it, so it becomes vector code. One thread: a data layer's prefetching
thread calls this while the kernels of training use the others.
"""

import numpy as np

from .jit import jit


@jit
def transform(
    images: np.ndarray,
    mean: np.ndarray,
    scale: float,
    mirror: np.ndarray,
    top_offset: np.ndarray,
    left_offset: np.ndarray,
    out: np.ndarray,
) -> None:
    """Fill the batch `out` from `images`.

    images: (N, C, H, W) uint8 or float32; out: (N, C, height, width) float32, the size of the crop
    mean: (C or 1, H or 1, W or 1) float32, broadcast; zeros where there is none
    mirror: (N,) bool; top_offset, left_offset: (N,) int64, where each crop starts
    """
    number, channels, height, width = out.shape
    factor = np.float32(scale)
    pixel_mean = mean.shape[2] != 1  # else one value a row
    for n in range(number):
        left = left_offset[n]
        for c in range(channels):
            mean_c = c if mean.shape[0] != 1 else 0
            for y in range(height):
                source_y = top_offset[n] + y
                mean_y = source_y if mean.shape[1] != 1 else 0
                row = images[n, c, source_y, left : left + width]
                target = out[n, c, y]
                if pixel_mean:
                    mean_row = mean[mean_c, mean_y, left : left + width]
                    if mirror[n]:
                        for x in range(width):
                            from_x = width - 1 - x
                            target[x] = (np.float32(row[from_x]) - mean_row[from_x]) * factor
                    else:
                        for x in range(width):
                            target[x] = (np.float32(row[x]) - mean_row[x]) * factor
                else:
                    value = mean[mean_c, mean_y, 0]
                    if mirror[n]:
                        for x in range(width):
                            target[x] = (np.float32(row[width - 1 - x]) - value) * factor
                    else:
                        for x in range(width):
                            target[x] = (np.float32(row[x]) - value) * factor
