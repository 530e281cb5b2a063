"""Softmax and multinomial logistic loss, by definition.

bottom, prob: (outer, channels, inner); label: (outer, inner), whole numbers.
"""

import math

import numpy as np

from .softmax import softmax_forward

NO_LABEL = math.nan  # equal to no label


def softmax_loss_forward(
    bottom: np.ndarray, label: np.ndarray, ignore_label: float, prob: np.ndarray
) -> tuple[float, int, int]:
    """prob = softmax of bottom. Returns the sum of -log prob[label] over the labels that are not
    ignored, their number, and the flat index of the first bad label or -1 (the sums end there)."""
    softmax_forward(bottom, prob)
    loss, count = 0.0, 0
    for position, value in enumerate(label.ravel()):
        if value == ignore_label:
            continue
        if value not in range(bottom.shape[1]):
            return loss, count, position
        o, i = divmod(position, bottom.shape[2])
        loss -= math.log(max(prob[o, int(value), i], np.finfo(np.float32).tiny))
        count += 1
    return loss, count, -1


def softmax_loss_backward(
    prob: np.ndarray,
    label: np.ndarray,
    ignore_label: float,
    scale: float,
    bottom_diff: np.ndarray,
) -> None:
    """bottom_diff = scale * (prob - one-hot of the label), 0 where the label is ignored."""
    classes = np.arange(prob.shape[1])[None, :, None]
    gradient = prob.astype(np.float64) - (label[:, None, :] == classes)
    bottom_diff[:] = np.where(label[:, None, :] == ignore_label, 0, scale * gradient)
