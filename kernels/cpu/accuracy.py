"""Counting right answers.

    share       = right answers / labels that count
    class_share = the same of the labels of each class

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
    share: np.ndarray,
    class_share: np.ndarray,
    status: np.ndarray,
) -> None:
    """Fill share, (1,) float32, and class_share, (channels,) float32 or empty: not wanted. Where no
    labels count, 0.

    status: (1,) int32, becomes the flat index of the first label that is not a whole number in
    0..channels-1 (-1: all are good). With a bad label, share is NaN and class_share leaves it out.
    """
    channels, inner = bottom.shape[1], bottom.shape[2]
    right, count = np.zeros(channels, np.int64), np.zeros(channels, np.int64)
    bad = -1
    for position in range(label.size):
        o, i = divmod(position, inner)
        value = label[o, i]
        if value == ignore_label:
            continue
        if not (0 <= value < channels and value == math.floor(value)):
            bad = position if bad < 0 else bad
            continue
        true_class = int(value)
        score = bottom[o, true_class, i]
        better = -1  # the loop meets the true class too
        for c in range(channels):
            better += bottom[o, c, i] >= score
        right[true_class] += better < top_k
        count[true_class] += 1
    status[0] = bad
    share[0] = right.sum() / max(count.sum(), 1) if bad < 0 else math.nan
    for c in range(class_share.size):
        class_share[c] = right[c] / max(count[c], 1)
