"""Accuracy: the share of labels that are among the top_k scores."""

from collections.abc import Sequence

import numpy as np

from .blob import Blob
from .labels import ignored_label, label_error, score_view
from .layer import Layer
from .registry import register


@register
class Accuracy(Layer):
    """top[0]: right answers / labels that are not ignored (0 where there are none).

    An optional second top has the same for each class. There is no gradient.
    """

    type = "Accuracy"
    num_bottom = (2, 2)
    num_top = (1, 2)

    def allow_force_backward(self, bottom_index: int) -> bool:
        """`force_backward` passes this layer by."""
        return False

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Read the parameters."""
        self.ignore_label = ignored_label(self, self.param.accuracy_param)
        self.top_k = self.param.accuracy_param.top_k

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Raises CaffeError where the number of labels does not fit, or top_k is too large."""
        self.view = score_view(self, bottom[0], bottom[1], self.param.accuracy_param.axis)
        classes = self.view[1]
        if self.top_k > classes:
            raise self.error(f"top_k is {self.top_k}, but there are only {classes} classes")
        self.right = np.zeros(classes, np.int64)
        self.count = np.zeros(classes, np.int64)
        top[0].reshape()
        if len(top) > 1:
            top[1].reshape(classes)

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Count. Raises CaffeError for a label that is no class, with its item."""
        outer, classes, inner = self.view
        bad = self.kernels.accuracy(
            bottom[0].data.reshape(self.view),
            bottom[1].data.reshape(outer, inner),
            self.ignore_label,
            self.top_k,
            self.right,
            self.count,
        )
        if bad >= 0:
            raise label_error(self, bottom[1], bad, classes)
        top[0].data[...] = self.right.sum() / max(self.count.sum(), 1)
        if len(top) > 1:
            top[1].data[...] = self.right / np.maximum(self.count, 1)

    def backward(
        self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]
    ) -> None:
        """Raises CaffeError where a gradient is asked for."""
        if any(propagate_down):
            raise self.error("has no gradient; set its loss_weight to 0")
