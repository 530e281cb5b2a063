"""Convolution: each output channel is the sum of the input channels of its group, each convolved
with a kernel of its own, plus a bias.

    top[n, m, o] = bias[m] + sum over c, k of weight[m, c, k] * bottom[n, c, i]
        with i = o * stride + k * dilation - pad
"""

import math
from collections.abc import Sequence
from typing import Any

from ..proto.caffe_pb2 import ConvolutionParameter
from .base_convolution import BaseConvolution
from .blob import Blob
from .registry import register


@register
class Convolution(BaseConvolution):
    """(N, C, *in) to (N, num_output, *out), for any number of spatial axes.

    Several bottoms of one shape are convolved with the same weights, each into its own top.
    Parameters: weight (num_output, C / group, *kernel) and, unless bias_term is false, bias
    (num_output,). By default the shapes choose the fastest way, which may round more coarsely than
    the definition's sums, by millionths of the largest value (kernels/cpu/winograd.py).
    `engine: CAFFE` asks for sums that round as Caffe's do. force_nd_im2col changes nothing.
    """

    type = "Convolution"
    num_bottom = (1, None)
    num_top = (1, None)
    same_num_bottom_top = True
    has_gpu_twin = True

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Raises CaffeError for a form that does not fit, and for channels or a num_output that
        the groups do not divide."""
        self.read_form(bottom[0])
        param = self.param.convolution_param
        self.channels = bottom[0].shape[self.channel_axis]
        self.num_output, self.group = param.num_output, param.group
        self.direct = param.engine == ConvolutionParameter.CAFFE
        if self.num_output < 1:
            raise self.error("convolution_param needs num_output, a number above 0")
        if self.group < 1:
            raise self.error("group must be above 0")
        if self.channels % self.group:
            raise self.error(
                f"the input has {self.channels} channels, which group {self.group} does not divide"
            )
        if self.num_output % self.group:
            raise self.error(
                f"num_output {self.num_output} is not a multiple of group {self.group}"
            )
        shape = (self.num_output, self.channels // self.group, *self.kernel)
        self.add_parameter(shape, param.weight_filler)
        if param.bias_term:
            self.add_parameter((self.num_output,), param.bias_filler)

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Raises CaffeError for bottoms that differ or do not fit the weights."""
        self.check_axes(bottom[0])
        shape = bottom[0].shape
        for blob in bottom[1:]:
            if blob.shape != shape:
                raise self.error(
                    f"all bottoms must have one shape, but there are {shape} and {blob.shape}"
                )
        channels, inputs = shape[self.channel_axis], shape[self.channel_axis + 1 :]
        if channels != self.channels:
            raise self.error(
                f"the weights are for {self.channels} input channels, but the bottom's shape is "
                f"{shape}"
            )
        images, outputs = shape[: self.channel_axis], self.output_shape(inputs)
        self.bottom_view = (math.prod(images), channels, *inputs)
        self.top_view = (math.prod(images), self.num_output, *outputs)
        for blob in top:
            blob.reshape(*images, self.num_output, *outputs)
        self.workspace_size = self.kernels.convolution_workspace(
            self.bottom_view, self.blobs[0].shape, self.top_view, self.stride, self.group
        )

    def operations(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> int:
        """Each output is a sum of as many products as an output channel has weights."""
        weights = self.blobs[0].count // self.num_output
        return 2 * sum(blob.count for blob in top) * weights

    @property
    def bias(self) -> Any:
        """The bias, an empty array where there is none."""
        return self.data(self.blobs[1]) if len(self.blobs) > 1 else self.kernels.NO_BIAS

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Convolve each bottom into its top."""
        for source, target in zip(bottom, top, strict=True):
            self.kernels.convolution_forward(
                self.data(source, self.bottom_view),
                self.data(self.blobs[0]),
                self.bias,
                self.data(target, self.top_view),
                *self._form(),
            )

    def backward(
        self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]
    ) -> None:
        """The gradients by the weights, the bias and each bottom."""
        kernels, weight = self.kernels, self.blobs[0]
        for target, wanted, source in zip(top, propagate_down, bottom, strict=True):
            top_diff = self.diff(target, self.top_view)
            if len(self.blobs) > 1 and self.param_propagate_down[1]:
                kernels.convolution_backward_bias(top_diff, self.diff(self.blobs[1]))
            if self.param_propagate_down[0] and wanted:
                kernels.convolution_backward(
                    self.data(source, self.bottom_view),
                    top_diff,
                    self.data(weight),
                    self.diff(weight),
                    self.diff(source, self.bottom_view),
                    *self._form(),
                )
            elif self.param_propagate_down[0]:
                kernels.convolution_backward_weight(
                    self.data(source, self.bottom_view), top_diff, self.diff(weight), *self._form()
                )
            elif wanted:
                kernels.convolution_backward_data(
                    top_diff, self.data(weight), self.diff(source, self.bottom_view), *self._form()
                )

    def _form(self) -> tuple:
        workspace = self.floats(self.workspace_size)
        return self.pad, self.stride, self.dilation, self.group, workspace, self.direct
