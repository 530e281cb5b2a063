"""A Convolution and the max Pooling behind it, run as one: see the kernels of the same name."""

from collections.abc import Sequence

import numpy as np

from .blob import Blob
from .convolution import Convolution
from .pooling import Pooling

SMALLEST_STRIDE = 3  # of the windows, down times across: below, too few gradients are zero


class ConvolutionMaxPooling:
    """Two layers of a net that it runs as one step.

    The convolution's output is written as ever. The gradient by it, mostly zeros, is not: its blob
    computes it when somebody reads it. Whoever has read it once may keep the array, so from then
    on backward writes it, layer by layer.
    """

    def __init__(self, convolution: Convolution, pooling: Pooling):
        self.convolution, self.pooling = convolution, pooling
        self._spare_mask = np.empty(0, np.int32)
        self._shapes: tuple = ()  # for which backward needs a workspace of this size:
        self._workspace_size = 0

    @staticmethod
    def fits(first: Convolution, second: Pooling, middle: Blob) -> bool:
        """Whether two layers that follow each other, the second being the only reader of the
        first's only top, can run as one."""
        return (
            second.is_max
            and len(middle.shape) == 4
            and first.channel_axis == 1
            and set(first.dilation) == {1}
            and second.stride[0] * second.stride[1] >= SMALLEST_STRIDE
        )

    def forward(self, bottom: Sequence[Blob], middle: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Convolve into `middle` and pool that into `top`."""
        convolution, pooling = self.convolution, self.pooling
        if middle[0].diff_is_deferred:  # the mask that says where it is must stay
            if self._spare_mask.shape != pooling.mask.shape:
                self._spare_mask = np.zeros_like(pooling.mask)
            pooling.mask, self._spare_mask = self._spare_mask, pooling.mask
        convolution.kernels.convolution_max_pooling_forward(
            bottom[0].data,
            convolution.blobs[0].data,
            convolution.bias,
            middle[0].data,
            top[0].data,
            pooling.mask,
            convolution.pad,
            convolution.stride,
            convolution.group,
            pooling.window,
            convolution.workspace.floats(convolution.workspace_size),
            convolution.direct,
        )

    def backward(
        self,
        top: Sequence[Blob],
        propagate_down: Sequence[bool],
        middle: Sequence[Blob],
        bottom: Sequence[Blob],
    ) -> None:
        """The gradients by the weights, the bias and the bottom."""
        convolution, pooling = self.convolution, self.pooling
        if middle[0].has_diff:
            pooling.backward(top, [True], middle)
            convolution.backward(middle, propagate_down, bottom)
            return
        kernels, mask, pooled_diff = convolution.kernels, pooling.mask, top[0].diff
        weight = convolution.blobs[0]
        form = (convolution.pad, convolution.stride, convolution.group)
        shapes = (bottom[0].shape, weight.shape, top[0].shape)
        if shapes != self._shapes:
            size = kernels.convolution_max_pooling_workspace(*shapes, *form)
            self._shapes, self._workspace_size = shapes, size
        workspace = convolution.workspace.floats(self._workspace_size)
        form_and_memory = (*form, workspace, convolution.direct)
        if len(convolution.blobs) > 1 and convolution.param_propagate_down[1]:
            kernels.convolution_backward_bias(pooled_diff, convolution.blobs[1].diff)
        if convolution.param_propagate_down[0]:
            kernels.convolution_max_pooling_backward_weight(
                bottom[0].data, pooled_diff, mask, weight.diff, *form_and_memory
            )
        if propagate_down[0]:
            kernels.convolution_max_pooling_backward_data(
                pooled_diff, mask, weight.data, bottom[0].diff, *form_and_memory
            )
        middle[0].defer_diff(
            lambda middle_diff: kernels.max_pooling_backward(pooled_diff, mask, middle_diff)
        )
