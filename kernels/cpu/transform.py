"""From stored images to a batch: subtract the mean, crop, scale, mirror.

    out[n, c, y, x] = (images[n, c, v, u] - mean[c, v, u]) * scale

with v = top_offset[n] + y, and u = left_offset[n] + x or, where image n is mirrored,
left_offset[n] + width - 1 - x. Each row is read and written once, in a loop without conditions,
which becomes vector code; where nothing is cropped or mirrored, a whole channel is one long row.
"""

import numpy as np

from .jit import jit
from .parallel import parallel_for
from .shares import share_count

WORK = 2  # of a value, in the measure of shares.py: mostly it comes from another core's cache


@jit
def _row(source: np.ndarray, mean: np.ndarray, scale: np.float32, target: np.ndarray) -> None:
    """target = (source - mean) * scale; mean has one value for each, or one for all."""
    if mean.size == target.size:
        for x in range(target.size):
            target[x] = (np.float32(source[x]) - mean[x]) * scale
    else:
        value = mean[0]
        for x in range(target.size):
            target[x] = (np.float32(source[x]) - value) * scale


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
    mean: (C, H, W), (C, 1, 1) or (1, 1, 1) float32; zeros where there is none
    mirror: (N,) bool; top_offset, left_offset: (N,) int64, where each crop starts
    """
    arguments = images, mean, np.float32(scale), mirror, top_offset, left_offset, out
    shares = min(share_count(out.size * WORK), len(out))
    parallel_for(_images_of_share, shares, (shares, *arguments))


@jit
def _images_of_share(i, shares, images, mean, scale, mirror, top_offset, left_offset, out):
    number, channels, height, width = out.shape
    whole = images.shape == out.shape
    pixel_mean = mean.shape[1:] == images.shape[2:]
    for n in range(number * i // shares, number * (i + 1) // shares):
        top, left = top_offset[n], left_offset[n]
        for c in range(channels):
            mean_plane = mean[c if mean.shape[0] > 1 else 0]
            if whole and not mirror[n]:
                plane = images[n, c].reshape(-1)
                _row(plane, mean_plane.reshape(-1), scale, out[n, c].reshape(-1))
                continue
            for y in range(height):
                source = images[n, c, top + y, left : left + width]
                mean_row = mean_plane[0]
                if pixel_mean:
                    mean_row = mean_plane[top + y, left : left + width]
                target = out[n, c, y]
                _row(source, mean_row, scale, target)
                if mirror[n]:
                    for x in range(width // 2):
                        target[x], target[width - 1 - x] = target[width - 1 - x], target[x]
