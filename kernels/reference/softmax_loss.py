"""Softmax and multinomial logistic loss, by definition.

bottom, prob: (outer, channels, inner); label: (outer, inner), whole numbers.
"""

import math

import numpy as np

from .softmax import softmax_forward

NO_LABEL = math.nan  # equal to no label


def softmax_loss_forward(
    bottom: np.ndarray,
    label: np.ndarray,
    ignore_label: float,
    normalizer: float,
    prob: np.ndarray,
    loss: np.ndarray,
    status: np.ndarray,
) -> None:
    """prob = softmax of bottom. loss, (1,): the sum of -log prob[label] over the labels that count,
    those that are not ignored, by the normalizer (0: their number, at least 1). status, (2,): their
    number and the flat index of the first bad label or -1. With a bad one the loss is NaN."""
    softmax_forward(bottom, prob)
    total, status[:] = 0.0, (0, -1)
    for position, value in enumerate(label.ravel()):
        if value == ignore_label:
            continue
        if value not in range(bottom.shape[1]):
            status[1] = position if status[1] < 0 else status[1]
            continue
        o, i = divmod(position, bottom.shape[2])
        total -= math.log(max(prob[o, int(value), i], np.finfo(np.float32).tiny))
        status[0] += 1
    loss[0] = total / (normalizer or max(status[0], 1)) if status[1] < 0 else math.nan


def softmax_loss_backward(
    prob: np.ndarray,
    label: np.ndarray,
    ignore_label: float,
    loss_weight: np.ndarray,
    normalizer: float,
    status: np.ndarray,
    bottom_diff: np.ndarray,
) -> None:
    """bottom_diff = loss_weight[0] / normalizer * (prob - one-hot of the label), 0 where the label
    is ignored. status: forward's."""
    scale = loss_weight[0] / (normalizer or max(status[0], 1))
    classes = np.arange(prob.shape[1])[None, :, None]
    gradient = prob.astype(np.float64) - (label[:, None, :] == classes)
    bottom_diff[:] = np.where(label[:, None, :] == ignore_label, 0, scale * gradient)
