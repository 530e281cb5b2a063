"""Counting right answers.

A prediction is right where fewer than `top_k` of the other classes score at least as high as the
true one: a tie counts against it. bottom: (outer, channels, inner) float32; label: (outer, inner)
float32, whole numbers; positions whose label is `ignore_label` (NO_LABEL: none) are left out.
"""

import math

import numpy as np

from .jit import jit


@jit
def accuracy(
    bottom: np.ndarray,
    label: np.ndarray,
    ignore_label: float,
    top_k: int,
    right: np.ndarray,
    count: np.ndarray,
) -> int:
    """For each class, count the positions that have it as label, and those predicted right.

    right, count: (channels,) int64, overwritten. Returns the flat index of the first label that
    is not a whole number in 0..channels-1 (-1: all are good).
    """
    channels, inner = bottom.shape[1], bottom.shape[2]
    right[:] = 0
    count[:] = 0
    for position in range(label.size):
        o, i = divmod(position, inner)
        value = label[o, i]
        if value == ignore_label:
            continue
        if not (0 <= value < channels and value == math.floor(value)):
            return position
        true_class = int(value)
        score = bottom[o, true_class, i]
        better = -1  # the loop meets the true class too
        for c in range(channels):
            better += bottom[o, c, i] >= score
        right[true_class] += better < top_k
        count[true_class] += 1
    return -1
