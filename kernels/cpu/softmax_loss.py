"""Softmax and multinomial logistic loss in one.

    prob = softmax of bottom over the channels
    loss = - sum over positions (outer, inner) of log prob[outer, label, inner] / normalizer
    bottom_diff = loss_weight / normalizer * (prob - (1 where the channel is the label, else 0))

Together they need no division by a small probability, and the gradient is one subtraction.
bottom, prob, bottom_diff: (outer, channels, inner) float32; label: (outer, inner) float32, whole
numbers. Positions whose label is `ignore_label` (NO_LABEL: none) add no loss and no gradient.
"""

import math

import numpy as np

from .jit import jit
from .parallel import parallel_for
from .shares import share_count
from .softmax import softmax_forward

NO_LABEL = math.nan  # equal to no label
SMALLEST = np.finfo(np.float32).tiny  # of the normal float32: keeps log finite
COST = 4  # of a value in the backward pass, in shares.py's measure


@jit
def softmax_loss_forward(
    bottom: np.ndarray,
    label: np.ndarray,
    ignore_label: float,
    normalizer: float,
    prob: np.ndarray,
    loss: np.ndarray,
    status: np.ndarray,
) -> None:
    """Fill `prob`, `loss` and `status`.

    normalizer: what the summed loss is divided by; 0: the number of labels that count, at least 1.
    loss: (1,) float32. status: (2,) int32, becomes the number of good labels that are not ignored
    and the flat index of the first label that is not a whole number in 0..channels-1 (-1: all are
    good). With a bad label, the loss is NaN.

    A probability below 1.2e-38 counts as that, as in Caffe. The loss adds in float64, in order.
    """
    softmax_forward(bottom, prob)
    channels, inner = bottom.shape[1], bottom.shape[2]
    total, count, bad = 0.0, 0, -1
    for position in range(label.size):
        o, i = divmod(position, inner)
        value = label[o, i]
        if value == ignore_label:
            continue
        if not (0 <= value < channels and value == math.floor(value)):
            bad = position if bad < 0 else bad
            continue
        p = prob[o, int(value), i]
        total -= math.log(np.float64(SMALLEST if p < SMALLEST else p))
        count += 1
    status[0], status[1] = count, bad
    loss[0] = total / _divisor(normalizer, status) if bad < 0 else math.nan


@jit
def softmax_loss_backward(
    prob: np.ndarray,
    label: np.ndarray,
    ignore_label: float,
    loss_weight: np.ndarray,
    normalizer: float,
    status: np.ndarray,
    bottom_diff: np.ndarray,
) -> None:
    """Overwrite `bottom_diff`. loss_weight: (1,) float32; normalizer, status: forward's. The labels
    must be those that forward found good."""
    scale = np.float32(loss_weight[0] / _divisor(normalizer, status))
    count = share_count(COST * prob.size)
    parallel_for(_backward, count, (count, prob, label, ignore_label, scale, bottom_diff))


@jit
def _divisor(normalizer, status):
    return normalizer if normalizer > 0 else np.float64(max(status[0], 1))


@jit
def _backward(i, count, prob, label, ignore_label, scale, bottom_diff):
    outer, channels, inner = prob.shape
    positions = outer * inner
    for position in range(positions * i // count, positions * (i + 1) // count):
        n, x = divmod(position, inner)
        if label[n, x] == ignore_label:
            bottom_diff[n, :, x] = 0
            continue
        for c in range(channels):
            bottom_diff[n, c, x] = scale * prob[n, c, x]
        true_class = int(label[n, x])
        bottom_diff[n, true_class, x] = scale * (prob[n, true_class, x] - np.float32(1))
