"""Counting right answers, by definition.

bottom: (outer, channels, inner); label: (outer, inner), whole numbers.
"""

import numpy as np


def accuracy(
    bottom: np.ndarray,
    label: np.ndarray,
    ignore_label: float,
    top_k: int,
    right: np.ndarray,
    count: np.ndarray,
) -> int:
    """For each class, `count` the positions that have it as label, and those predicted `right`:
    fewer than top_k other classes score at least as high. Returns the flat index of the first bad
    label or -1 (the counts end there)."""
    right[:] = count[:] = 0
    for position, value in enumerate(label.ravel()):
        if value == ignore_label:
            continue
        if value not in range(bottom.shape[1]):
            return position
        o, i = divmod(position, bottom.shape[2])
        scores, true_class = bottom[o, :, i], int(value)
        right[true_class] += np.count_nonzero(scores >= scores[true_class]) - 1 < top_k
        count[true_class] += 1
    return -1
