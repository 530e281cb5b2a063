"""The update of stochastic gradient descent with momentum and weight decay.

    g       = diff + decay * data          (L2), or
              diff + decay * sign(data)    (L1)
    history = rate * g + momentum * history
    diff    = history
    data    = data - diff

One pass over memory does all four. All arrays are flat float32.
"""

import numpy as np

from .jit import jit
from .parallel import parallel_for
from .shares import share, share_count


@jit
def sgd_update(
    data: np.ndarray,
    diff: np.ndarray,
    history: np.ndarray,
    rate: float,
    momentum: float,
    decay: float,
    l1: bool,
) -> None:
    """Update `data` and `history`; `diff` ends as the step that was taken, as in Caffe.

    rate, decay: the local ones, multiplied by the parameter's lr_mult and decay_mult.
    l1: decay by the sign of the data in place of the data.
    """
    count = share_count(data.size)
    numbers = np.float32(rate), np.float32(momentum), np.float32(decay)
    parallel_for(_update, count, (count, data, diff, history, numbers, l1))


@jit
def _update(i, count, data, diff, history, numbers, l1):
    first, last = share(i, count, data.size)
    data, diff, history = data[first:last], diff[first:last], history[first:last]
    rate, momentum, decay = numbers
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
