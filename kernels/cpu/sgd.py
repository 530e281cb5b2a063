"""The update of stochastic gradient descent with momentum and weight decay.

    g       = diff + decay * data          (L2), or
              diff + decay * sign(data)    (L1)
    history = rate * g + momentum * history
    diff    = history
    data    = data - diff

One pass over memory does all four. All arrays are flat float32.
"""

import numpy as np
from numba import prange

from .jit import jit

CHUNK = 1 << 14  # values a thread takes at a time; below two chunks a thread team costs too much


@jit
def _update(
    data: np.ndarray,
    diff: np.ndarray,
    history: np.ndarray,
    rate: np.float32,
    momentum: np.float32,
    decay: np.float32,
    l1: bool,
) -> None:
    one, zero = np.float32(1), np.float32(0)
    for i in range(data.size):
        value = data[i]
        if l1:
            slope = (one if value > zero else zero) - (one if value < zero else zero)
        else:
            slope = value
        step = rate * (diff[i] + decay * slope) + momentum * history[i]
        history[i] = step
        diff[i] = step
        data[i] = value - step


@jit(parallel=True)
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
    rate32, momentum32, decay32 = np.float32(rate), np.float32(momentum), np.float32(decay)
    if data.size < 2 * CHUNK:
        _update(data, diff, history, rate32, momentum32, decay32, l1)
    else:
        for chunk in prange((data.size + CHUNK - 1) // CHUNK):
            part = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
            _update(data[part], diff[part], history[part], rate32, momentum32, decay32, l1)
