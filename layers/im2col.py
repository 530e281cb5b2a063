"""Im2col: lay out the windows that a convolution would see, as its matrix product wants them."""

import math
from collections.abc import Sequence

from .base_convolution import BaseConvolution
from .blob import Blob
from .registry import register


@register
class Im2col(BaseConvolution):
    """(N, C, *in) to (N, C * prod(kernel), *out): channel (c, k) of the top at o is channel c of
    the bottom at o * stride + k * dilation - pad, or 0 outside."""

    type = "Im2col"
    has_gpu_twin = True

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Raises CaffeError for a form that does not fit."""
        self.read_form(bottom[0])

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Raises CaffeError where the kernel does not fit into the bottom."""
        self.check_axes(bottom[0])
        shape = bottom[0].shape
        images, channels = shape[: self.channel_axis], shape[self.channel_axis]
        inputs = shape[self.channel_axis + 1 :]
        outputs = self.output_shape(inputs)
        rows = channels * math.prod(self.kernel)
        self.bottom_view = (math.prod(images), channels, *inputs)
        self.top_view = (math.prod(images), rows, math.prod(outputs))
        top[0].reshape(*images, rows, *outputs)

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Lay out the windows of each image."""
        images = self.data(bottom[0], self.bottom_view)
        columns = self.data(top[0], self.top_view)
        for image, column in ((images[i], columns[i]) for i in range(len(images))):
            self.kernels.im2col(image, self.kernel, self.pad, self.stride, self.dilation, column)

    def backward(
        self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]
    ) -> None:
        """Add the windows' gradients back into each image."""
        if not propagate_down[0]:
            return
        images = self.diff(bottom[0], self.bottom_view)
        columns = self.diff(top[0], self.top_view)
        for image, column in ((images[i], columns[i]) for i in range(len(images))):
            self.kernels.col2im(column, self.kernel, self.pad, self.stride, self.dilation, image)
