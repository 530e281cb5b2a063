"""TanH: top = tanh(bottom). It may work in place."""

from collections.abc import Sequence

from .blob import Blob
from .layer import Layer
from .registry import register


@register
class TanH(Layer):
    """Hyperbolic tangent."""

    type = "TanH"
    in_place = True
    has_gpu_twin = True

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """The top has the bottom's shape."""
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """top = tanh(bottom)."""
        self.kernels.tanh_forward(self.data(bottom[0], -1), self.data(top[0], -1))

    def backward(
        self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]
    ) -> None:
        """bottom.diff = top.diff * (1 - top^2)."""
        if propagate_down[0]:
            self.kernels.tanh_backward(
                self.data(top[0], -1), self.diff(top[0], -1), self.diff(bottom[0], -1)
            )
