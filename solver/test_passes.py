"""The forward passes of a test net, summed up."""

from collections.abc import Callable

import numpy as np

from ..net.net import Net
from .outputs import Outputs
from .recorded import RecordedTest


class TestPasses:
    """A test of `count` batches.

    outputs: the net's
    """

    __test__ = False  # no test of pytest's

    def __init__(self, net: Net, count: int):
        self._net, self._count = net, count
        self.outputs = Outputs(net)
        self._recorded = RecordedTest(net, count) if net.on_device else None

    def run(self, stopped: Callable[[], bool]) -> tuple[float, np.ndarray] | None:
        """The sums of the losses and of each output value over all batches.

        stopped: asked before each; where it says so, the result is None.
        Raises CaffeError for what a pass finds wrong in its data.
        """
        if self._recorded is not None and self._recorded.begin():
            for _ in range(self._count):
                if stopped():
                    return None
                self._recorded.run()
            losses, scores = self._recorded.results()
            if np.isfinite(losses).all() and np.isfinite(scores).all():
                return losses.sum(), scores.sum(axis=0)
            self._net.rewind(self._count)  # run one by one, the passes say what is wrong
        loss, scores = 0.0, np.zeros(len(self.outputs.names))
        for _ in range(self._count):
            if stopped():
                return None
            loss += self._net.forward_loss()
            scores += self.outputs.values()
        return loss, scores
