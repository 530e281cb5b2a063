"""SoftmaxWithLoss: the multinomial logistic loss of the softmax of the scores.

    prob = softmax of bottom[0] along the class axis
    loss = - sum over labels of log prob[label] / normalizer
    bottom[0].diff = loss weight / normalizer * (prob - one-hot of the label)

An optional second top receives prob.
"""

from collections.abc import Sequence

import numpy as np

from ..kernels.synced_memory import SyncedArray
from .blob import Blob
from .labels import ignored_label, label_error, score_view
from .loss import LossLayer, normalization, normalizer
from .registry import register


@register
class SoftmaxWithLoss(LossLayer):
    """Softmax and logistic loss in one, which is stabler than one after the other."""

    type = "SoftmaxWithLoss"
    num_top = (1, 2)
    has_gpu_twin = True

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Read the parameters."""
        self.ignore_label = ignored_label(self, self.param.loss_param)
        self.normalization = normalization(self.param.loss_param)
        self.prob = Blob()
        self.status = SyncedArray((2,), np.int32)  # labels that counted, the first bad one

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Raises CaffeError where the number of labels does not fit the scores."""
        super().reshape(bottom, top)
        self.view = score_view(self, bottom[0], bottom[1], self.param.softmax_param.axis)
        outer, _, inner = self.view
        self.label_view = (outer, inner)
        self.normalizer = normalizer(self.normalization, outer, inner)
        self.prob.reshape(*bottom[0].shape)
        if len(top) > 1:
            top[1].reshape(*bottom[0].shape)

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """The loss."""
        self.kernels.softmax_loss_forward(
            self.data(bottom[0], self.view),
            self.data(bottom[1], self.label_view),
            self.ignore_label,
            self.normalizer,
            self.data(self.prob, self.view),
            self.data(top[0], -1),
            self.array(self.status),
        )
        if len(top) > 1:
            top[1].share_data(self.prob)

    def check(self, bottom: Sequence[Blob]) -> None:
        """Raises CaffeError for a label that is no class, with its item."""
        bad = int(self.status.host()[1])
        if bad >= 0:
            raise label_error(self, bottom[1], bad, self.view[1])

    def backward(
        self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]
    ) -> None:
        """The gradient of the scores. Raises CaffeError where that of the labels is asked for."""
        self.check_propagate_down(propagate_down)
        if propagate_down[0]:
            self.kernels.softmax_loss_backward(
                self.data(self.prob, self.view),
                self.data(bottom[1], self.label_view),
                self.ignore_label,
                self.diff(top[0], -1),
                self.normalizer,
                self.array(self.status),
                self.diff(bottom[0], self.view),
            )
