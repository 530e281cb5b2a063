"""Accuracy: the share of labels that are among the top_k scores."""

from collections.abc import Sequence

import numpy as np

from ..kernels.synced_memory import SyncedArray
from .blob import Blob
from .labels import ignored_label, label_error, score_view
from .layer import Layer
from .registry import register

NO_CLASSES = np.empty(0, np.float32)  # the share of each class is not wanted


@register
class Accuracy(Layer):
    """top[0]: right answers / labels that are not ignored (0 where there are none).

    An optional second top has the same for each class. There is no gradient.
    """

    type = "Accuracy"
    num_bottom = (2, 2)
    num_top = (1, 2)
    has_gpu_twin = True

    def allow_force_backward(self, bottom_index: int) -> bool:
        """`force_backward` passes this layer by."""
        return False

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Read the parameters."""
        self.ignore_label = ignored_label(self, self.param.accuracy_param)
        self.top_k = self.param.accuracy_param.top_k
        self.status = SyncedArray((1,), np.int32)  # the first bad label

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Raises CaffeError where the number of labels does not fit, or top_k is too large."""
        self.view = score_view(self, bottom[0], bottom[1], self.param.accuracy_param.axis)
        classes = self.view[1]
        if self.top_k > classes:
            raise self.error(f"top_k is {self.top_k}, but there are only {classes} classes")
        top[0].reshape()
        if len(top) > 1:
            top[1].reshape(classes)

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Count."""
        outer, _, inner = self.view
        self.kernels.accuracy(
            self.data(bottom[0], self.view),
            self.data(bottom[1], (outer, inner)),
            self.ignore_label,
            self.top_k,
            self.data(top[0], -1),
            self.data(top[1], -1) if len(top) > 1 else NO_CLASSES,
            self.array(self.status),
        )

    def check(self, bottom: Sequence[Blob]) -> None:
        """Raises CaffeError for a label that is no class, with its item."""
        bad = int(self.status.host()[0])
        if bad >= 0:
            raise label_error(self, bottom[1], bad, self.view[1])

    def backward(
        self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]
    ) -> None:
        """Raises CaffeError where a gradient is asked for."""
        if any(propagate_down):
            raise self.error("has no gradient; set its loss_weight to 0")
