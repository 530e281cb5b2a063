"""The update of stochastic gradient descent with momentum and weight decay.

    g       = diff + decay * data          (L2), or
              diff + decay * sign(data)    (L1)
    history = rate * rate_mult * g + momentum * history
    diff    = history
    data    = data - diff

One call updates all parameters, and one pass over memory does all four lines. The parameters lie
one after the other in flat float32 arrays, each padded to a multiple of SEGMENT values; a segment
has its own rate_mult and decay.
"""

import numpy as np

from .jit import jit
from .parallel import parallel_for
from .shares import share_count

SEGMENT = 1024


@jit
def sgd_update(
    data: np.ndarray,
    diff: np.ndarray,
    history: np.ndarray,
    rate: np.ndarray,
    rate_mult: np.ndarray,
    decay: np.ndarray,
    momentum: float,
    l1: bool,
    loss: np.ndarray,
) -> None:
    """Update `data` and `history`; `diff` ends as the step that was taken, as in Caffe.

    rate, loss: (1,); rate_mult, decay: (size / SEGMENT,). l1: decay by the sign of the data in
    place of the data. Where the loss is not finite nothing is updated.
    """
    if not np.isfinite(loss[0]):
        return
    count = min(share_count(data.size), max(rate_mult.size, 1))
    arguments = (
        count, data, diff, history, rate[0], rate_mult, decay, np.float32(momentum), l1,
    )  # fmt: skip
    parallel_for(_update, count, arguments)


@jit
def _update(i, count, data, diff, history, rate, rate_mult, decay, momentum, l1):
    """Share i of `count` of the segments."""
    segments = rate_mult.size
    for segment in range(segments * i // count, segments * (i + 1) // count):
        here = slice(segment * SEGMENT, (segment + 1) * SEGMENT)
        _step(
            data[here], diff[here], history[here],
            rate * rate_mult[segment], momentum, decay[segment], l1,
        )  # fmt: skip


@jit
def _step(data, diff, history, rate, momentum, decay, l1):
    one, zero = np.float32(1), np.float32(0)
    for j in range(data.size):
        value = data[j]
        if l1:
            slope = (one if value > zero else zero) - (one if value < zero else zero)
        else:
            slope = value
        step = rate * (diff[j] + decay * slope) + momentum * history[j]
        history[j] = step
        diff[j] = step
        data[j] = value - step
