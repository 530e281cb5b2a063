"""The update of stochastic gradient descent with momentum and weight decay.

    g       = diff + decay * data          (L2), or
              diff + decay * sign(data)    (L1)
    history = rate * rate_mult * g + momentum * history
    diff    = history
    data    = data - diff

One launch updates all parameters, and one pass over memory does all four lines. The parameters lie
one after the other in flat float32 arrays, each padded to a multiple of SEGMENT values; a segment
has its own rate_mult and decay. It is the work of a block, four values a thread, which come and go
in one instruction.
"""

import functools
import math
from typing import Any

import numpy as np
from numba import cuda

from .launch import device, kernel, launch
from .vector_load import load4, store4

SEGMENT = 1024


@functools.cache
def _make_update(l1):
    @device
    def step(value, diff, before, rate, decay, momentum):
        slope = value
        if l1:
            slope = np.float32(int(value > np.float32(0)) - int(value < np.float32(0)))
        return rate * (diff + decay * slope) + momentum * before

    @kernel
    def update(data, diff, history, rate, rate_mult, decay, momentum, loss):
        if not math.isfinite(loss[0]):
            return
        segment = cuda.blockIdx.x
        i = 4 * cuda.grid(1)
        numbers = rate[0] * rate_mult[segment], decay[segment], momentum
        w0, w1, w2, w3 = load4(data, i)
        g0, g1, g2, g3 = load4(diff, i)
        h0, h1, h2, h3 = load4(history, i)
        v0, v1 = step(w0, g0, h0, *numbers), step(w1, g1, h1, *numbers)
        v2, v3 = step(w2, g2, h2, *numbers), step(w3, g3, h3, *numbers)
        store4(history, i, (v0, v1, v2, v3))
        store4(diff, i, (v0, v1, v2, v3))
        store4(data, i, (w0 - v0, w1 - v1, w2 - v2, w3 - v3))

    return update


def sgd_update(
    data: Any,
    diff: Any,
    history: Any,
    rate: Any,
    rate_mult: Any,
    decay: Any,
    momentum: float,
    l1: bool,
    loss: Any,
) -> None:
    """Update `data` and `history`; `diff` ends as the step that was taken, as in Caffe.

    rate, loss: (1,); rate_mult, decay: (size / SEGMENT,). l1: decay by the sign of the data in
    place of the data. Where the loss is not finite nothing is updated.
    """
    if data.size > 0:
        launch(
            _make_update(bool(l1)), data.size // SEGMENT, SEGMENT // 4,
            data, diff, history, rate, rate_mult, decay, np.float32(momentum), loss,
        )  # fmt: skip
