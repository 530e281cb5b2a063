"""Counting right answers, by definition.

bottom: (outer, channels, inner); label: (outer, inner), whole numbers.
"""

import numpy as np


def accuracy(
    bottom: np.ndarray,
    label: np.ndarray,
    ignore_label: float,
    top_k: int,
    share: np.ndarray,
    class_share: np.ndarray,
    status: np.ndarray,
) -> None:
    """share, (1,): of the labels that are not ignored, which are predicted right: fewer than top_k
    other classes score at least as high. class_share, (channels,) or empty: the same for each
    class. No labels: 0. status, (1,): the flat index of the first bad label or -1; with one, share
    is NaN, and class_share is of the good ones."""
    right, count = np.zeros(bottom.shape[1]), np.zeros(bottom.shape[1])
    status[0] = -1
    for position, value in enumerate(label.ravel()):
        if value == ignore_label:
            continue
        if value not in range(bottom.shape[1]):
            status[0] = position if status[0] < 0 else status[0]
            continue
        o, i = divmod(position, bottom.shape[2])
        scores, true_class = bottom[o, :, i], int(value)
        right[true_class] += np.count_nonzero(scores >= scores[true_class]) - 1 < top_k
        count[true_class] += 1
    share[0] = right.sum() / max(count.sum(), 1) if status[0] < 0 else np.nan
    if class_share.size > 0:
        class_share[:] = right / np.maximum(count, 1)
