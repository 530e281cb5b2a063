"""SGDSolver: stochastic gradient descent with momentum and weight decay.

For each parameter w with gradient g, at the learning rate r:

    g = g * min(1, clip_gradients / |g of all parameters|_2)      if clip_gradients is given
    g = g / iter_size
    g = g + weight_decay * decay_mult * w                         (L1: sign(w) in place of w)
    v = momentum * v + r * lr_mult * g
    w = w - v
"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..errors import CaffeError, suggestion
from ..glog import logger
from ..kernels.synced_memory import Arena, SyncedMemory
from ..kernels.threads import check_process
from ..layers.blob import Blob
from .solver import Solver

_REGULARIZATIONS = ("L2", "L1")


class SGDSolver(Solver):
    """Updates by momentum. Another update rule is a subclass with its own `_update_param`.

    histories: how many blobs the rule remembers for each parameter.
    """

    type: ClassVar[str] = "SGD"
    histories: ClassVar[int] = 1

    def __init__(self, solver: Any):
        super().__init__(solver)
        regularization = self.param.regularization_type
        if regularization not in _REGULARIZATIONS:
            hint = suggestion(regularization, _REGULARIZATIONS)
            raise CaffeError(f"Unknown regularization type: '{regularization}'; {hint}")
        self._l1 = regularization == "L1"
        net, segment = self.net, self.net.kernels.SEGMENT
        self._data, self._diff = net.gather_parameters()
        counts = [blob.count for blob in net.learnable_params]
        self._histories = [Arena(counts, segment) for _ in range(self.histories)]
        memories = [memory for arena in self._histories for memory in arena.parts]
        self.history = []
        for index, memory in enumerate(memories):
            blob = Blob(*net.learnable_params[index % len(counts)].shape)
            blob.move_data(memory)
            self.history.append(blob)
        segments = [-(-count // segment) for count in counts]
        self._rate_mult = SyncedMemory.holding(_spread(net.params_lr, segments))
        decay = [self.param.weight_decay * mult for mult in net.params_weight_decay]
        self._decay = SyncedMemory.holding(_spread(decay, segments))
        self._local_rate = SyncedMemory(1)
        self._no_loss = SyncedMemory(1)

    def apply_update(self) -> None:
        """Update the weights once from the gradients in the net, and count the iteration."""
        check_process()
        self._local_rate.host()[0] = self._rate()
        if self.param.clip_gradients >= 0:
            self._clip_gradients()
        self.average_gradients()
        self.launch_update(self.net.array(self._local_rate), self.net.array(self._no_loss))
        self.iter += 1

    def average_gradients(self) -> None:
        """Divide the gradients, summed over iter_size passes, by their number."""
        if self.param.iter_size > 1:
            self.net.kernels.scale(1 / self.param.iter_size, self.net.array(self._diff))

    def launch_update(self, rate: Any, loss: Any) -> None:
        """Update all parameters at this rate, unless the loss, one float32 as well, is not
        finite."""
        array = self.net.array
        self.net.kernels.sgd_update(
            array(self._data),
            array(self._diff),
            array(self._histories[0]),
            rate,
            array(self._rate_mult),
            array(self._decay),
            self.param.momentum,
            self._l1,
            loss,
        )

    def _clip_gradients(self) -> None:
        """Scale all gradients down where their joint L2 norm is above clip_gradients."""
        kernels, diff = self.net.kernels, self.net.array(self._diff)
        norm = math.sqrt(kernels.sum_of_squares(diff))
        limit = self.param.clip_gradients
        if norm > limit:
            factor = limit / norm
            logger.info(
                "Gradient clipping: scaling down gradients (L2 norm %g > %g) by scale factor %g",
                norm, limit, factor,
            )  # fmt: skip
            kernels.scale(factor, diff)


def _spread(values: Sequence[float], segments: Sequence[int]) -> np.ndarray:
    """Each value as often as its parameter has segments."""
    return np.repeat(np.array(values, np.float32), segments)
