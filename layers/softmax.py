"""Softmax: top = exp(bottom) / sum over the axis of exp(bottom)."""

import math
from collections.abc import Sequence

from .blob import Blob
from .layer import Layer
from .registry import register


@register
class Softmax(Layer):
    """Probabilities of the classes along softmax_param.axis (1 unless given)."""

    type = "Softmax"
    has_gpu_twin = True

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """The top has the bottom's shape; kernels see it as (outer, channels, inner)."""
        shape = bottom[0].shape
        axis = self.canonical_axis(self.param.softmax_param.axis, len(shape))
        self.view = (math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :]))
        top[0].reshape(*shape)

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Exponentials, normalised."""
        self.kernels.softmax_forward(self.data(bottom[0], self.view), self.data(top[0], self.view))

    def backward(
        self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]
    ) -> None:
        """bottom.diff = top * (top.diff - sum over the axis of top.diff * top)."""
        if propagate_down[0]:
            self.kernels.softmax_backward(
                self.data(top[0], self.view),
                self.diff(top[0], self.view),
                self.diff(bottom[0], self.view),
            )
