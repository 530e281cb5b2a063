"""SGDSolver: stochastic gradient descent with momentum and weight decay.

For each parameter w with gradient g, at the learning rate r:

    g = g * min(1, clip_gradients / |g of all parameters|_2)      if clip_gradients is given
    g = g / iter_size
    g = g + weight_decay * decay_mult * w                         (L1: sign(w) in place of w)
    v = momentum * v + r * lr_mult * g
    w = w - v
"""

import math
from typing import Any, ClassVar

from ..errors import CaffeError, suggestion
from ..glog import logger
from ..kernels import cpu
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
        self._params = self.net.learnable_params
        self._rates = self.net.params_lr
        self._decays = self.net.params_weight_decay
        self.history = [Blob() for _ in range(self.histories * len(self._params))]
        for index, blob in enumerate(self.history):
            blob.reshape(*self._params[index % len(self._params)].shape)

    def apply_update(self) -> None:
        """Update the weights once from the gradients in the net, and count the iteration."""
        check_process()
        rate = self._rate()
        if self.param.clip_gradients >= 0:
            self._clip_gradients()
        if self.param.iter_size > 1:
            for blob in self._params:
                cpu.scale(1 / self.param.iter_size, blob.diff_as(-1))
        decay = self.param.weight_decay
        for index in range(len(self._params)):
            self._update_param(index, rate * self._rates[index], decay * self._decays[index])
        self.iter += 1

    def _update_param(self, index: int, rate: float, decay: float) -> None:
        blob = self._params[index]
        cpu.sgd_update(
            blob.data_as(-1),
            blob.diff_as(-1),
            self.history[index].data_as(-1),
            rate,
            self.param.momentum,
            decay,
            self._l1,
        )

    def _clip_gradients(self) -> None:
        """Scale all gradients down where their joint L2 norm is above clip_gradients."""
        diffs = [blob.diff_as(-1) for blob in self._params]
        norm = math.sqrt(sum(cpu.sum_of_squares(diff) for diff in diffs))
        limit = self.param.clip_gradients
        if norm > limit:
            factor = limit / norm
            logger.info(
                "Gradient clipping: scaling down gradients (L2 norm %g > %g) by scale factor %g",
                norm, limit, factor,
            )  # fmt: skip
            for diff in diffs:
                cpu.scale(factor, diff)
