"""A Convolution and the max Pooling behind it, run as one: see the kernels of the same name."""

from collections.abc import Sequence

import numpy as np

from ..kernels.synced_memory import SyncedArray
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
        self._spare_mask: SyncedArray | None = None
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
        if middle[0].deferred_diff:  # the mask that says where it is must stay
            if self._spare_mask is None or self._spare_mask.shape != pooling.mask.shape:
                self._spare_mask = SyncedArray(pooling.mask.shape, np.int32)
            pooling.mask, self._spare_mask = self._spare_mask, pooling.mask
        convolution.kernels.convolution_max_pooling_forward(
            convolution.data(bottom[0]),
            convolution.data(convolution.blobs[0]),
            convolution.bias,
            convolution.data(middle[0]),
            convolution.data(top[0]),
            convolution.array(pooling.mask),
            convolution.pad,
            convolution.stride,
            convolution.group,
            pooling.window,
            convolution.floats(convolution.workspace_size),
            convolution.direct,
        )

    def state(self, middle: Blob) -> tuple:
        """What a forward and a backward leave behind on the host, for `restore`."""
        return self.pooling.mask, self._spare_mask, middle.deferred_diff

    def restore(self, middle: Blob, state: tuple) -> None:
        """As though the passes that left this behind had just been run."""
        self.pooling.mask, self._spare_mask, compute = state
        middle.defer_diff(compute)

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
        kernels, data, diff = convolution.kernels, convolution.data, convolution.diff
        mask, pooled_diff = convolution.array(pooling.mask), diff(top[0])
        weight = convolution.blobs[0]
        form = (convolution.pad, convolution.stride, convolution.group)
        shapes = (bottom[0].shape, weight.shape, top[0].shape)
        if shapes != self._shapes:
            size = kernels.convolution_max_pooling_workspace(*shapes, *form)
            self._shapes, self._workspace_size = shapes, size
        window, workspace = pooling.window, convolution.floats(self._workspace_size)
        form_and_memory = (*form, window, workspace, convolution.direct)
        if len(convolution.blobs) > 1 and convolution.param_propagate_down[1]:
            kernels.convolution_backward_bias(pooled_diff, diff(convolution.blobs[1]))
        gradients = (pooled_diff, mask)
        if convolution.param_propagate_down[0] and propagate_down[0]:
            kernels.convolution_max_pooling_backward(
                data(bottom[0]),
                *gradients,
                data(weight),
                diff(weight),
                diff(bottom[0]),
                *form_and_memory,
            )
        elif convolution.param_propagate_down[0]:
            kernels.convolution_max_pooling_backward_weight(
                data(bottom[0]), *gradients, diff(weight), *form_and_memory
            )
        elif propagate_down[0]:
            kernels.convolution_max_pooling_backward_data(
                *gradients, data(weight), diff(bottom[0]), *form_and_memory
            )
        middle[0].defer_diff(
            lambda: kernels.max_pooling_backward(pooled_diff, mask, diff(middle[0]), *window)
        )
