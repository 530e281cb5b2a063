"""The losses of a training."""

import math
from array import array
from collections import deque

from ..errors import CaffeError
from ..net.net import Net
from .finite import first_not_finite


class Losses:
    """The last losses, to be shown as their mean.

    last: that of the last iteration; recent: of as many as are averaged
    """

    def __init__(self, net: Net, averaged: int):
        self._net = net
        self.last = 0.0
        self._single = array("f", [0.0])  # rounds, at less cost than NumPy's float32
        self.recent: deque[float] = deque(maxlen=averaged)

    def record(self, iteration: int, loss: float) -> None:
        """Take up the loss of an iteration.

        Raises CaffeError where it is not finite, naming where in the net that began.
        """
        if not math.isfinite(loss):
            found = first_not_finite(self._net)
            raise CaffeError(
                f"Iteration {iteration}: the loss is {loss:g}; the first NaN or infinity is "
                f"{f'of {found}' if found else 'of the loss itself'}. Training stops and earlier "
                "snapshots stay as they are; lower base_lr, or look at the data"
            )
        self._single[0] = loss
        self.last = self._single[0]
        self.recent.append(self.last)

    @property
    def smoothed(self) -> float:
        """The mean of the recent losses."""
        return math.fsum(self.recent) / len(self.recent)
