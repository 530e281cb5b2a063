"""ReLU: top = max(bottom, 0) + negative_slope * min(bottom, 0). It may work in place."""

from collections.abc import Sequence

from .blob import Blob
from .layer import Layer
from .registry import register


@register
class ReLU(Layer):
    """Rectified linear unit (Nair and Hinton, 2010); with a negative_slope, the leaky one."""

    type = "ReLU"
    in_place = True
    has_gpu_twin = True

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Read the slope."""
        self.negative_slope: float = self.param.relu_param.negative_slope

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """The top has the bottom's shape."""
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Rectify."""
        self.kernels.relu_forward(
            self.data(bottom[0], -1), self.data(top[0], -1), self.negative_slope
        )

    def backward(
        self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]
    ) -> None:
        """Pass the gradient where the input was positive, and negative_slope of it elsewhere."""
        if propagate_down[0]:
            self.kernels.relu_backward(
                self.data(bottom[0], -1),
                self.diff(top[0], -1),
                self.diff(bottom[0], -1),
                self.negative_slope,
            )
